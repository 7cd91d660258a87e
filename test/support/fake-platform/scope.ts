/** What every fake object of one participant shares: its name, the clock, the seed, and the books that count what lives. */
import type { Delays } from './delays.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** Where browsers differ from each other, a participant behaves as one of them; see fake-conformance.test.ts. */
export type Flavour = 'chromium' | 'firefox';

/** Live objects by kind. What is left in here after a call is a leak. */
export class Books {
  readonly connections = new Set<object>();
  readonly tracks = new Set<object>();
  readonly sockets = new Set<object>();
  readonly timers = new Set<object>();
  readonly listeners = new Set<object>();
}

export interface Scope {
  readonly owner: string;
  readonly flavour: Flavour;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly delays: Delays;
  readonly books: Books;
}
