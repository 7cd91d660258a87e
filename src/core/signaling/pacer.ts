/** A token bucket that delays instead of refusing: keeps a client below the relay's rate limit. */
import type { Platform } from '../platform.ts';
import { Bucket } from '../util/bucket.ts';

/** Frames in a second, and at once; the relay's own limit is a third higher. */
const PER_SECOND = 30;
const BURST = 40;

export class Pacer {
  readonly #platform: Platform;
  readonly #send: (frame: string) => void;

  readonly #queue: string[] = [];
  readonly #outbound: Bucket;
  #cancel: (() => void) | null = null;

  constructor(platform: Platform, send: (frame: string) => void) {
    this.#platform = platform;
    this.#send = send;

    this.#outbound = new Bucket(PER_SECOND, BURST, () => platform.now());
  }

  push(frame: string): void {
    this.#queue.push(frame);
    this.#drain();
  }

  /** Sends whatever waits at once: for the last words before a socket closes. */
  flush(): void {
    for (const frame of this.#queue.splice(0)) this.#send(frame);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#queue.length = 0;
  }

  #drain(): void {
    while (this.#queue.length > 0 && this.#outbound.take()) this.#send(this.#queue.shift()!);
    if (this.#queue.length > 0) {
      this.#cancel ??= this.#platform.after(Math.ceil(1_000 / PER_SECOND), () => {
        this.#cancel = null;
        this.#drain();
      });
    }
  }
}
