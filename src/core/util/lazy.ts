/** Something that is loaded on demand. Once it is there it is used in the caller's own call stack. */
export class Lazy<T> {
  readonly #load: () => Promise<T>;

  /** Null until it is loaded. */
  now: T | null = null;
  #loading: Promise<T> | null = null;

  /** @param load asked again after it failed */
  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** Calls are made in the order in which they were asked for. */
  use<R>(run: (loaded: T) => Promise<R> | R): Promise<R> {
    if (this.now) return Promise.resolve(run(this.now));
    this.#loading ??= this.#load().then(
      (loaded) => (this.now = loaded),
      (error: unknown) => {
        this.#loading = null;
        throw error;
      },
    );
    return this.#loading.then(run);
  }
}
