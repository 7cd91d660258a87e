/**
 * What our clients tell each other directly: one ordered, reliable data channel beside the media. Negotiated by id, so
 * that it opens with the transport and costs no message of its own. Everything that arrives is a stranger's word.
 */
import { SOURCE_NAMES, type SourceName, type SourceState } from '../../state/call-state.ts';
import type { MediaStates } from '../transport.ts';

/** Longest message taken, in UTF-16 units. */
const MAX_MESSAGE = 16_384;

const STATES: readonly unknown[] = ['off', 'pending', 'on', 'silenced', 'lost'] satisfies SourceState[];

/** @throws {TypeError} for anything but a state of every source */
function readMedia(text: unknown): MediaStates {
  if (typeof text !== 'string' || text.length > MAX_MESSAGE) throw new TypeError('No text, or too long.');
  const { t, media } = JSON.parse(text) as { t?: unknown; media?: Partial<Record<SourceName, unknown>> };
  if (t !== 'media' || !media || !SOURCE_NAMES.every((name) => STATES.includes(media[name]))) {
    throw new TypeError('No state of media.');
  }
  return Object.fromEntries(SOURCE_NAMES.map((name) => [name, media[name]])) as MediaStates;
}

export interface ControlHooks {
  media(media: MediaStates): void;
  /** The other side closed the channel, and with it the connection. */
  closed(): void;
  warn(message: string, error: unknown): void;
}

export class ControlChannel {
  readonly #channel: RTCDataChannel;
  #media: MediaStates | null = null;

  constructor(pc: RTCPeerConnection, hooks: ControlHooks) {
    const channel = pc.createDataChannel('pm:control', { negotiated: true, id: 0 });
    this.#channel = channel;
    channel.onopen = () => this.#flush();
    channel.onclose = () => hooks.closed();
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      try {
        hooks.media(readMedia(data));
      } catch (error) {
        hooks.warn('A message of a peer was dropped.', error);
      }
    };
  }

  /** Tells the newest state, now or as soon as the channel is open. */
  announce(media: MediaStates): void {
    this.#media = media;
    this.#flush();
  }

  close(): void {
    this.#channel.onopen = this.#channel.onclose = this.#channel.onmessage = null;
    this.#channel.close();
  }

  #flush(): void {
    if (this.#channel.readyState !== 'open' || !this.#media) return;
    this.#channel.send(JSON.stringify({ t: 'media', media: this.#media }));
    this.#media = null;
  }
}
