/** The operations chain (WebRTC 1.0 section 4.4.1.2): one negotiation step at a time, and silence once closed. */
import { exception } from '../errors.ts';

export class OperationsChain {
  /** Set while an update of the negotiation-needed flag waits for the chain to run dry. */
  updateOnEmpty = false;
  private readonly operations: (() => void)[] = [];

  constructor(
    private readonly isClosed: () => boolean,
    private readonly onEmpty: () => void,
  ) {}

  get empty(): boolean {
    return this.operations.length === 0;
  }

  chain<T>(operation: () => Promise<T>): Promise<T> {
    if (this.isClosed()) return Promise.reject(exception('InvalidStateError', 'The connection is closed.'));
    let settle: (outcome: Promise<T>) => void = () => undefined;
    const result = new Promise<T>((resolve, reject) => {
      settle = (outcome) => {
        // A connection closed meanwhile: the promise never settles. Both browsers do this too.
        outcome.then(
          (value) => this.isClosed() || resolve(value),
          (error: unknown) => this.isClosed() || reject(error as Error),
        );
      };
    });
    // First reaction of all: the next operation starts before the caller's continuation, as in the specification.
    const next = (): void => this.next();
    result.then(next, next);
    this.operations.push(() => {
      // Asynchronous only to turn what it throws into a rejection.
      settle((async () => operation())());
    });
    if (this.operations.length === 1) this.operations[0]?.();
    return result;
  }

  private next(): void {
    if (this.isClosed()) return;
    this.operations.shift();
    const following = this.operations[0];
    if (following) following();
    else if (this.updateOnEmpty) {
      this.updateOnEmpty = false;
      this.onEmpty();
    }
  }
}
