/** The dated steps of one connection, in the order in which the standards have them happen. */
import type { Platform } from '../platform.ts';
import { TIMELINE_STEPS, type TimelineEntry, type TimelineStep } from './transport.ts';

/** Up to here every step needs the one before it. */
const HANDSHAKE = TIMELINE_STEPS.indexOf('dtls');

type Clock = Pick<Platform, 'now'>;

export class Timeline {
  readonly #clock: Clock;

  readonly #steps: TimelineEntry[] = [];

  /** @param clock an object and no closure: a timeline outlives its connection, and must not keep it in memory */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get entries(): readonly TimelineEntry[] {
    return [...this.#steps];
  }

  has(step: TimelineStep): boolean {
    return this.#steps.some((entry) => entry.step === step);
  }

  /**
   * Writes a step down the first time it happens. What a step of the handshake presupposes has happened by then, even
   * where a browser's events tell of it a moment later.
   */
  mark(step: TimelineStep, detail?: string): void {
    // A connection may be repaired more than once.
    if (this.has(step) && step !== 'restart') return;
    const index = TIMELINE_STEPS.indexOf(step);
    if (index > 0 && index <= HANDSHAKE) this.mark(TIMELINE_STEPS[index - 1]!);
    this.#steps.push(
      Object.freeze({ step, at: this.#clock.now(), ...(detail === undefined ? {} : { detail }) }),
    );
  }
}
