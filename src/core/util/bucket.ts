/** A token bucket: `burst` at once, `perSecond` in the long run. */
export class Bucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #allowance: number;
  #refilled: number;

  /** @param now milliseconds, monotonic */
  constructor(perSecond: number, burst: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#burst = this.#allowance = burst;
    this.#now = now;
    this.#refilled = now();
  }

  /** @returns whether one more may pass; it then counts */
  take(): boolean {
    const now = this.#now();
    this.#allowance = Math.min(
      this.#burst,
      this.#allowance + ((now - this.#refilled) / 1_000) * this.#perSecond,
    );
    this.#refilled = now;
    if (this.#allowance < 1) return false;
    this.#allowance -= 1;
    return true;
  }
}
