/** What few calls use, loaded on demand: reactions and the page's own data. */
import { PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { participant, type CallState } from '../state/call-state.ts';
import type { Action } from '../state/reducer.ts';
import type { MediaTransport, PeerMessage } from '../transport/transport.ts';
import { Bucket } from '../util/bucket.ts';
import { PageData } from './page-data.ts';
import type { CallEvents } from './types.ts';

/** Reactions in a second, and at once, that are shown of one peer. */
const PER_SECOND = 5;
const BURST = 20;
/** One emoji, as Unicode Technical Standard 51 builds them (section 1.4.9). */
const EMOJI =
  /^(\p{RI}{2}|\p{Emoji}(\p{EMod}|\ufe0f\u20e3?|[\u{e0020}-\u{e007f}]+)?(\u200d\p{Emoji}(\p{EMod}|\ufe0f)?)*)$/u;

const isEmoji = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 32 && EMOJI.test(value);

export interface TalkHooks {
  readonly platform: Platform;
  readonly state: () => CallState;
  readonly dispatch: (action: Action) => void;
  readonly emit: <K extends keyof CallEvents>(name: K, detail: CallEvents[K]) => void;
}

export class TalkParts {
  readonly #hooks: TalkHooks;
  readonly #transport: MediaTransport;
  readonly data: PageData;
  readonly #buckets = new Map<string, Bucket>();

  constructor(hooks: TalkHooks, transport: MediaTransport) {
    this.#hooks = hooks;
    this.#transport = transport;
    this.data = new PageData({
      platform: hooks.platform,
      transport,
      others: () => this.#others(),
      heard: (detail) => hooks.emit('data', detail),
    });
  }

  /** @throws {PmError} `usage` for anything but one emoji */
  react(emoji: string): void {
    if (!isEmoji(emoji)) throw new PmError('usage', 'A reaction is one emoji.');
    for (const id of this.#others()) this.#transport.tell(id, { t: 'reaction', emoji });
    this.#hooks.emit('reaction', { participant: this.#hooks.state().participants[0]!, emoji });
  }

  hear(id: string, { emoji }: PeerMessage): void {
    const { platform, state, emit } = this.#hooks;
    const who = participant(state(), id);
    let bucket = this.#buckets.get(id);
    if (!bucket) this.#buckets.set(id, (bucket = new Bucket(PER_SECOND, BURST, () => platform.now())));
    if (who && isEmoji(emoji) && bucket.take()) emit('reaction', { participant: who, emoji });
  }

  /** A peer opened a channel. */
  take(id: string, channel: RTCDataChannel): void {
    if (/^pm:(data|fast)$/.test(channel.label)) this.data.take(id, channel);
    else channel.close();
  }

  #others(): readonly string[] {
    const [, ...others] = this.#hooks.state().participants;
    return others.map(({ id }) => id);
  }
}
