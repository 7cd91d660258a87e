/** A token bucket that delays instead of refusing: keeps a client below the relay's rate limit. */
import type { Platform } from '../platform.ts';

export class Pacer {
  private readonly queue: string[] = [];
  private allowance: number;
  private refilled: number;
  private cancel: (() => void) | null = null;

  constructor(
    private readonly platform: Platform,
    private readonly send: (frame: string) => void,
    private readonly perSecond = 30,
    private readonly burst = 40,
  ) {
    this.allowance = burst;
    this.refilled = platform.now();
  }

  push(frame: string): void {
    this.queue.push(frame);
    this.drain();
  }

  /** Sends whatever waits at once: for the last words before a socket closes. */
  flush(): void {
    for (const frame of this.queue.splice(0)) this.send(frame);
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
    this.queue.length = 0;
  }

  private drain(): void {
    const now = this.platform.now();
    this.allowance = Math.min(this.burst, this.allowance + ((now - this.refilled) / 1_000) * this.perSecond);
    this.refilled = now;
    while (this.allowance >= 1 && this.queue.length > 0) {
      this.allowance -= 1;
      this.send(this.queue.shift()!);
    }
    if (this.queue.length > 0) {
      this.cancel ??= this.platform.after(Math.ceil(1_000 / this.perSecond), () => {
        this.cancel = null;
        this.drain();
      });
    }
  }
}
