/** Messages between participants without a relay: in order per direction, late, and lossy where the test says so. */
import type { Range } from './delays.ts';
import type { Random } from './random.ts';
import { APART, type Scheduler } from './scheduler.ts';

export type Fate = 'deliver' | 'drop' | 'duplicate';

export interface WireOptions<T> {
  readonly latency?: Range;
  /** Decides about every message. */
  readonly fate?: (from: string, to: string, message: T) => Fate;
}

export class Wire<T> {
  /** Every message sent, for assertions. */
  readonly sent: { readonly from: string; readonly to: string; readonly message: T }[] = [];
  fate: (from: string, to: string, message: T) => Fate;
  private readonly latency: Range;
  private readonly receivers = new Map<string, (from: string, message: T) => void>();
  private readonly last = new Map<string, number>();

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    options: WireOptions<T>,
  ) {
    this.latency = options.latency ?? [1, 60];
    this.fate = options.fate ?? (() => 'deliver');
  }

  listen(name: string, receiver: (from: string, message: T) => void): () => void {
    this.receivers.set(name, receiver);
    return () => void this.receivers.delete(name);
  }

  send(from: string, to: string, message: T): void {
    this.sent.push({ from, to, message });
    const fate = this.fate(from, to, message);
    const copies = { deliver: 1, drop: 0, duplicate: 2 }[fate];
    for (let copy = 0; copy < copies; copy += 1) {
      const key = `${from} > ${to}`;
      const { now } = this.scheduler;
      const drawn = now + this.random.between(this.latency[0], this.latency[1]);
      const arrival = Math.max(drawn, (this.last.get(key) ?? 0) + APART);
      this.last.set(key, arrival);
      this.scheduler.schedule('work', arrival - now, to, () => this.receivers.get(to)?.(from, message));
    }
  }
}
