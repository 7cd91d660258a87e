/** Two ways of taking turns. */

/** Runs tasks one after the other in the order given. A failing task is reported and does not stop the next. */
export class SerialQueue {
  private tail: Promise<void> = Promise.resolve();

  constructor(private readonly report: (error: unknown) => void) {}

  push(task: () => Promise<void> | void): void {
    this.tail = this.tail.then(task).catch(this.report);
  }
}

/**
 * Brings something that changes slowly to the newest wish: one run at a time, overtaken wishes are skipped.
 * A rejected run leaves `actual` as it was and does not block later wishes.
 */
export class LatestWins<T> {
  private wish: { value: T } | null = null;
  private running: Promise<void> | null = null;

  /** @param apply makes a wish real; rejects when it cannot be had */
  constructor(private readonly apply: (value: T) => Promise<void>) {}

  get busy(): boolean {
    return this.running !== null;
  }

  /** Settles when this wish, or a newer one, has been applied. @throws what `apply` rejected with for the last wish */
  set(value: T): Promise<void> {
    this.wish = { value };
    this.running ??= this.run().finally(() => (this.running = null));
    return this.running;
  }

  private async run(): Promise<void> {
    let failure: { error: unknown } | null = null;
    while (this.wish) {
      const { value } = this.wish;
      this.wish = null;
      failure = null;
      try {
        await this.apply(value);
      } catch (error) {
        failure = { error };
      }
    }
    if (failure) throw failure.error;
  }
}
