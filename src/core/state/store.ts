/** One frozen state, replaced and never changed. Written by the call alone; everybody else reads slices. */
import type { CallState } from './call-state.ts';

export class Store {
  readonly #report: (error: unknown) => void;

  #state: CallState;
  readonly #watchers = new Set<() => void>();

  constructor(
    initial: CallState,
    /** Receives what a subscriber threw: one broken view must not keep the others from being told. */
    report: (error: unknown) => void,
  ) {
    this.#report = report;

    this.#state = initial;
  }

  get(): CallState {
    return this.#state;
  }

  set(next: CallState): void {
    if (next === this.#state) return;
    this.#state = next;
    for (const watcher of [...this.#watchers]) {
      // A watcher told earlier may have ended this one's subscription, or changed the state again.
      if (!this.#watchers.has(watcher)) continue;
      try {
        watcher();
      } catch (error) {
        this.#report(error);
      }
    }
  }

  /** Calls back when the selected part changes by `Object.is`; the answer ends that. */
  subscribe<T>(selector: (state: CallState) => T, callback: (value: T, before: T) => void): () => void {
    let last = selector(this.#state);
    const watcher = () => {
      const value = selector(this.#state);
      if (Object.is(value, last)) return;
      const before = last;
      last = value;
      callback(value, before);
    };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
