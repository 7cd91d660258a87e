/** A token bucket: `burst` at once, `perSecond` in the long run. Time comes from the caller, in milliseconds. */
export class TokenBucket {
  private level: number;
  private filledAt: number;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    now: number,
  ) {
    this.level = burst;
    this.filledAt = now;
  }

  /** Takes one token. False: none was left. */
  take(now: number): boolean {
    this.level = Math.min(this.burst, this.level + ((now - this.filledAt) / 1000) * this.perSecond);
    this.filledAt = now;
    if (this.level < 1) return false;
    this.level -= 1;
    return true;
  }
}
