/** What `Scope.after` waits by. */
interface Clock {
  after(ms: number, callback: () => void): () => void;
}

/**
 * The lifetime of something: what is added ends with it, last added first. Adding to a scope that has ended disposes
 * at once, so that a slow start that finishes after the end leaves nothing behind.
 */
export class Scope {
  readonly #disposers = new Set<() => void>();
  #over = false;

  get ended(): boolean {
    return this.#over;
  }

  /** @returns a function that disposes of this one thing early */
  add(dispose: () => void): () => void {
    if (this.#over) {
      dispose();
      return () => undefined;
    }
    this.#disposers.add(dispose);
    return () => {
      if (this.#disposers.delete(dispose)) dispose();
    };
  }

  /** Runs `callback` once after `ms`, unless the scope has ended by then. @returns what cancels it */
  after(clock: Clock, ms: number, callback: () => void): () => void {
    const cancel = this.add(
      clock.after(ms, () => {
        cancel();
        callback();
      }),
    );
    return cancel;
  }

  /** Ends the scope. Twice does nothing. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    for (const dispose of [...this.#disposers].reverse()) dispose();
    this.#disposers.clear();
  }
}
