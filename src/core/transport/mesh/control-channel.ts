/**
 * What our clients tell each other directly: one ordered, reliable data channel beside the media. Negotiated by id, so
 * that it opens with the transport and costs no message of its own. Everything that arrives is a stranger's word.
 */
import { Bucket } from '../../util/bucket.ts';
import type { PeerMessage } from '../transport.ts';

/** Longest message either way, in UTF-16 units. */
const MAX_MESSAGE = 65_536;
/** Messages in a second, and at once, that are taken from one peer; one that says more is cut off. */
const PER_SECOND = 200;
const BURST = 400;

export interface ControlHooks {
  message(message: PeerMessage): void;
  /** It may be used from now on. */
  open(): void;
  /** The other side closed the channel, and with it the connection. */
  closed(): void;
  /** The peer breaks the rules for good. */
  misbehaved(why: string): void;
  now(): number;
  warn(message: string, error: unknown): void;
}

/** @throws {TypeError} for anything but an object with a `t` */
function read(data: unknown): PeerMessage {
  const message: unknown = typeof data === 'string' ? JSON.parse(data) : null;
  if (typeof (message as PeerMessage | null)?.t !== 'string') throw new TypeError('No message of a peer.');
  return message as PeerMessage;
}

export class ControlChannel {
  readonly #channel: RTCDataChannel;
  readonly #hooks: ControlHooks;
  readonly #inbound: Bucket;

  constructor(pc: RTCPeerConnection, hooks: ControlHooks) {
    this.#hooks = hooks;
    this.#inbound = new Bucket(PER_SECOND, BURST, () => hooks.now());
    const channel = pc.createDataChannel('pm:control', { negotiated: true, id: 0 });
    this.#channel = channel;
    channel.onopen = () => hooks.open();
    channel.onclose = () => hooks.closed();
    channel.onmessage = ({ data }: MessageEvent<unknown>) => this.#take(data);
  }

  get open(): boolean {
    return this.#channel.readyState === 'open';
  }

  /** @returns false when the channel is not open, or the message too long for it */
  send(message: PeerMessage): boolean {
    const text = JSON.stringify(message);
    if (!this.open || text.length > MAX_MESSAGE) return false;
    this.#channel.send(text);
    return true;
  }

  close(): void {
    this.#channel.onopen = this.#channel.onclose = this.#channel.onmessage = null;
    this.#channel.close();
  }

  #take(data: unknown): void {
    if (!this.#inbound.take()) return this.#hooks.misbehaved('too many messages');
    if ((data as string).length > MAX_MESSAGE) return this.#hooks.misbehaved('a message is too long');
    try {
      this.#hooks.message(read(data));
    } catch (error) {
      this.#hooks.warn('A message of a peer was dropped.', error);
    }
  }
}
