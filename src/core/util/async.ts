/** Runs tasks one after the other in the order given. A failing task is reported and does not stop the next. */
export class SerialQueue {
  readonly #report: (error: unknown) => void;

  #tail: Promise<void> = Promise.resolve();

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  push(task: () => Promise<void> | void): void {
    this.#tail = this.#tail.then(task).catch(this.#report);
  }
}

/** A promise and what settles it. A rejection that nobody waits for is no unhandled one. */
export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

export function deferred(): Deferred {
  let settle!: Pick<Deferred, 'resolve' | 'reject'>;
  const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  promise.catch(() => undefined);
  return { promise, ...settle };
}
