/** What few calls use, loaded on demand: reactions, the page's own data, and the way to files. */
import type { FileHooks, Files } from '../files/files.ts';
import type { ImageHooks, PlainImages } from '../files/plain-images.ts';
import { PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { participant, type CallState } from '../state/call-state.ts';
import type { Action } from '../state/reducer.ts';
import type { MediaTransport, PeerMessage } from '../transport/transport.ts';
import { Bucket } from '../util/bucket.ts';
import { keepEarly } from '../util/early.ts';
import { Scope } from '../util/scope.ts';
import { PageData } from './page-data.ts';
import type { Emitter } from '../util/emitter.ts';
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
  readonly events: Emitter<CallEvents>;
  /** A picture for the chat. */
  readonly show: ImageHooks['show'];
  /** What files leave to the next presence of the same call. */
  readonly kept: FileHooks['kept'];
}

export class TalkParts {
  readonly #hooks: TalkHooks;
  readonly #transport: MediaTransport;
  readonly data: PageData;
  readonly #scope = new Scope();
  #files: Promise<Files> | null = null;
  #images: Promise<PlainImages> | null = null;
  readonly #buckets = new Map<string, Bucket>();

  constructor(hooks: TalkHooks, transport: MediaTransport) {
    this.#hooks = hooks;
    this.#transport = transport;
    this.data = new PageData({
      platform: hooks.platform,
      transport,
      others: () => this.#others(),
      heard: (detail) => hooks.events.emit('data', detail),
    });
    this.#scope.add(
      hooks.events.on('participant-left', ({ participant: { id } }) => {
        this.#buckets.delete(id);
        this.#loaded((files) => files.end(id));
      }),
    );
  }

  /** @throws {PmError} `usage` for anything but one emoji */
  react(emoji: string): void {
    if (!isEmoji(emoji)) throw new PmError('usage', 'A reaction is one emoji.');
    for (const id of this.#others()) this.#transport.tell(id, { t: 'reaction', emoji });
    this.#hooks.events.emit('reaction', { participant: this.#hooks.state().participants[0]!, emoji });
  }

  hear(id: string, { emoji }: PeerMessage): void {
    const { platform, state, events } = this.#hooks;
    const who = participant(state(), id);
    let bucket = this.#buckets.get(id);
    if (!bucket) this.#buckets.set(id, (bucket = new Bucket(PER_SECOND, BURST, () => platform.now())));
    if (who && isEmoji(emoji) && bucket.take()) events.emit('reaction', { participant: who, emoji });
  }

  /** A peer opened a channel. */
  take(id: string, channel: RTCDataChannel): void {
    if (/^pm:(data|fast)$/.test(channel.label)) this.data.take(id, channel);
    else if (channel.label === 'pm:file')
      this.#hand(channel, this.files(), (files) => files.take(id, channel));
    else if (channel.label.endsWith(':'))
      this.#hand(channel, this.images(), (images) => images.take(id, channel));
    else channel.close();
  }

  images(): Promise<PlainImages> {
    const { platform, show } = this.#hooks;
    return (this.#images ??= platform.work(import('../files/plain-images.ts')).then(
      (module) =>
        new module.PlainImages({
          platform,
          show,
          cutOff: (peer, why) => this.#transport.cutOff(peer, why),
        }),
      (error: unknown) => {
        this.#images = null;
        throw error;
      },
    ));
  }

  files(): Promise<Files> {
    const { platform, state, dispatch, events, kept } = this.#hooks;
    return (this.#files ??= platform.work(import('../files/files.ts')).then(
      ({ Files: Manager }) =>
        new Manager({
          platform,
          kept,
          files: () => state().files,
          update: (files) => dispatch({ type: 'files', files }),
          changed: (file) => events.emit('file', file),
          open: (peer) => this.#transport.openChannel(peer, 'pm:file'),
          reachable: (peer) => this.#transport.tell(peer, { t: 'ping' }),
          cutOff: (peer, why) => this.#transport.cutOff(peer, why),
        }),
      (error: unknown) => {
        this.#files = null;
        throw error;
      },
    ));
  }

  /** @param to a participant, or everybody. @throws {PmError} see `CallLike.sendFile` */
  async sendFile(file: Blob, to: string | undefined): Promise<readonly string[]> {
    const [offered, shown] = await Promise.allSettled([
      this.files().then((files) => files.send(file, to === undefined ? this.#others() : [to])),
      // Original clients take pictures, unasked.
      this.#images?.then((images) => images.send(file, to)),
    ]);
    if (shown.status === 'rejected') throw shown.reason;
    if (offered.status === 'fulfilled') return offered.value;
    if (shown.value) return [];
    throw offered.reason;
  }

  end(): void {
    this.#scope.end();
    this.#loaded((files) => files.end());
  }

  #hand<T>(channel: RTCDataChannel, loading: Promise<T>, take: (part: T) => void): void {
    const handOver = keepEarly(channel);
    loading.then(
      (part) => {
        take(part);
        handOver();
      },
      () => channel.close(),
    );
  }

  /** Runs only where there are files: whoever has none does not load them to be told. */
  #loaded(run: (files: Files) => void): void {
    this.#files?.then(run, () => undefined);
  }

  #others(): readonly string[] {
    const [, ...others] = this.#hooks.state().participants;
    return others.map(({ id }) => id);
  }
}
