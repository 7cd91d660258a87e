/** Typed events without a DOM. A listener that throws is reported and does not keep the others from being called. */
export class Emitter<Events extends object> {
  readonly #report: (error: unknown) => void;

  readonly #listeners = new Map<keyof Events, Set<(detail: never) => void>>();

  /** @param report receives what a listener threw */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  on<K extends keyof Events>(name: K, callback: (detail: Events[K]) => void): () => void {
    let set = this.#listeners.get(name);
    if (!set) this.#listeners.set(name, (set = new Set()));
    set.add(callback);
    return () => set.delete(callback);
  }

  emit<K extends keyof Events>(name: K, detail: Events[K]): void {
    for (const callback of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (callback as (detail: Events[K]) => void)(detail);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
