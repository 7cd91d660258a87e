import type { Timers } from './env.ts';

/** So many slices share one period, or a thousand pings would leave in the same instant. */
const SLICES = 8;

export interface Beating {
  beat(): void;
}

/** Calls `beat()` of every member once per period, spread over it, with one timer for all and none for nobody. */
export class Heartbeat {
  private readonly slices = Array.from({ length: SLICES }, () => new Set<Beating>());
  private readonly slots = new Map<Beating, Set<Beating>>();
  private next = 0;
  private turn = 0;
  private timer: unknown;

  /** @param periodMs between two beats of one member */
  constructor(
    private readonly timers: Timers,
    private readonly periodMs: number,
  ) {}

  add(member: Beating): void {
    const slice = this.slices[this.next++ % SLICES]!;
    slice.add(member);
    this.slots.set(member, slice);
    this.timer ??= this.schedule();
  }

  delete(member: Beating): void {
    this.slots.get(member)?.delete(member);
    this.slots.delete(member);
    if (this.slots.size > 0 || this.timer === undefined) return;
    this.timers.clearTimeout(this.timer);
    this.timer = undefined;
  }

  private schedule(): unknown {
    return this.timers.setTimeout(() => {
      this.timer = this.schedule();
      for (const member of this.slices[this.turn++ % SLICES]!) member.beat();
    }, this.periodMs / SLICES);
  }
}
