/** One way out to one peer: a data channel of our own making, and what waits for room in it. */
import { PmError } from '../errors.ts';
import { deferred, type Deferred } from '../util/async.ts';

type Frame = string | Uint8Array<ArrayBuffer>;
interface Waiting extends Deferred {
  readonly frame: Frame;
}

/** Bytes that may lie in the channel's own buffer: deep ones only make everything later. */
const ROOM = { reliable: 262_144, fast: 4_096 };
/** Messages that may wait for room. */
const MOST_WAITING = 1_000;

export const dataClosed = () => new PmError('data-closed', 'There is no open channel to this participant.');

export class Pipe {
  readonly #channel: RTCDataChannel;
  readonly #room: number;
  readonly #waiting = new Map<unknown, Waiting>();

  /** @param channel reliable, or without retransmission: there what is newer replaces what waits under its key */
  constructor(channel: RTCDataChannel, onClose: () => void) {
    this.#channel = channel;
    this.#room = channel.maxRetransmits === null ? ROOM.reliable : ROOM.fast;
    channel.bufferedAmountLowThreshold = this.#room / 2;
    channel.onopen = channel.onbufferedamountlow = () => this.#flush();
    channel.onclose = () => {
      onClose();
      for (const { reject } of this.#waiting.values()) reject(dataClosed());
    };
  }

  /** Resolves once the channel has taken the frame, or a newer one its place. */
  push(key: unknown, frame: Frame): Promise<void> {
    const waiting = this.#waiting;
    const before = waiting.get(key);
    if (!before && waiting.size >= MOST_WAITING)
      return Promise.reject(new PmError('rate-limited', 'Too many messages wait.'));
    before?.resolve();
    waiting.delete(key);
    const entry = { ...deferred(), frame };
    waiting.set(key, entry);
    this.#flush();
    return entry.promise;
  }

  #flush(): void {
    const channel = this.#channel;
    for (const [key, { frame, resolve }] of this.#waiting) {
      if (channel.readyState !== 'open' || channel.bufferedAmount >= this.#room) return;
      // Typed as one of two overloads.
      channel.send(frame as string);
      this.#waiting.delete(key);
      resolve();
    }
  }
}
