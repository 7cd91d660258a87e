/** The dated steps of one connection, in the order in which the standards have them happen. */
import type { TimelineEntry, TimelineStep } from './transport.ts';

/** Steps that may happen more than once. */
const REPEATABLE: ReadonlySet<TimelineStep> = new Set<TimelineStep>(['restart']);

export class Timeline {
  private readonly steps: TimelineEntry[] = [];

  constructor(private readonly now: () => number) {}

  get entries(): readonly TimelineEntry[] {
    return [...this.steps];
  }

  has(step: TimelineStep): boolean {
    return this.steps.some((entry) => entry.step === step);
  }

  /** Writes a step down the first time it happens. */
  mark(step: TimelineStep, detail?: string): void {
    if (this.has(step) && !REPEATABLE.has(step)) return;
    this.steps.push(Object.freeze({ step, at: this.now(), ...(detail === undefined ? {} : { detail }) }));
  }
}
