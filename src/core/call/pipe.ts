/** One way out to one peer: a data channel of our own making, and what waits for room in it. */
import { PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { deferred, type Deferred } from '../util/async.ts';
import { Bucket } from '../util/bucket.ts';

type Frame = string | Uint8Array<ArrayBuffer>;
interface Waiting extends Deferred {
  readonly frame: Frame;
}

/** Bytes that may lie in the channel's own buffer: deep ones only make everything later. */
const ROOM = { reliable: 65_536, fast: 4_096 };
/** Messages that may wait for room. */
const MOST_WAITING = 1_000;
/** Messages in a second, and at once: half of what the other side takes before it believes in an attack. */
const PER_SECOND = 1_000;
const BURST = 4_000;
/** How long to wait when they are used up, in milliseconds. */
const PAUSE = 20;

export const dataClosed = () => new PmError('data-closed', 'There is no open channel to this participant.');

export class Pipe {
  readonly #channel: RTCDataChannel;
  readonly #platform: Platform;
  readonly #room: number;
  readonly #pace: Bucket;
  #stopPause: (() => void) | null = null;
  readonly #waiting = new Map<unknown, Waiting>();

  /** @param channel reliable, or without retransmission: there what is newer replaces what waits under its key */
  constructor(channel: RTCDataChannel, platform: Platform, onClose: () => void) {
    this.#channel = channel;
    this.#platform = platform;
    this.#pace = new Bucket(PER_SECOND, BURST, () => platform.now());
    this.#room = channel.maxRetransmits === null ? ROOM.reliable : ROOM.fast;
    channel.bufferedAmountLowThreshold = this.#room / 2;
    channel.onopen = channel.onbufferedamountlow = () => this.#flush();
    channel.onclose = () => {
      onClose();
      this.#stopPause?.();
      for (const entry of this.#waiting.values()) entry.reject(dataClosed());
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
    this.#stopPause?.();
    this.#stopPause = null;
    for (const [key, entry] of this.#waiting) {
      if (channel.readyState !== 'open' || channel.bufferedAmount >= this.#room) return;
      if (!this.#pace.take()) {
        this.#stopPause = this.#platform.after(PAUSE, () => this.#flush());
        return;
      }
      // Typed as one of two overloads.
      channel.send(entry.frame as string);
      this.#waiting.delete(key);
      entry.resolve();
    }
  }
}
