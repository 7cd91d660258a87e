/** Figures for Prometheus. No name, room or address is ever a label: labels are closed lists. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Counted } from './core/env.ts';
import type { RelayCore } from './core/relay-core.ts';

const PREFIX = 'private_meet_';

const HELP: Record<Counted, [help: string, label: string]> = {
  message: ['Messages taken from clients, by type', 'type'],
  refusal: ['Messages refused, by code', 'code'],
  socket: ['Sockets asked for, by HTTP status (101 is an open one)', 'status'],
  close: ['Sockets that ended, by close code', 'code'],
};

export class Metrics {
  readonly registry = new Registry();
  private readonly counters: Record<Counted, Counter>;
  /** Looking a label up costs more than counting does. */
  private readonly children = new Map<string, Counter.Internal>();

  constructor() {
    const counter = (name: Counted) =>
      new Counter({
        name: `${PREFIX}${name}s_total`,
        help: HELP[name][0],
        labelNames: [HELP[name][1]],
        registers: [this.registry],
      });
    this.counters = {
      message: counter('message'),
      refusal: counter('refusal'),
      socket: counter('socket'),
      close: counter('close'),
    };
    collectDefaultMetrics({ register: this.registry });
  }

  count(what: Counted, label: string): void {
    const key = `${what} ${label}`;
    let child = this.children.get(key);
    if (!child) this.children.set(key, (child = this.counters[what].labels(label)));
    child.inc();
  }

  /** What is true now, asked for when somebody reads it. */
  watch(core: RelayCore): void {
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({
        name: `${PREFIX}${name}`,
        help,
        registers: [this.registry],
        collect() {
          this.set(read());
        },
      });
    gauge('sockets', 'Open sockets', () => core.size);
    gauge('rooms', 'Rooms', () => core.rooms.size);
    gauge('members', 'Members of rooms, those whose socket is lost included', () => core.rooms.members);
  }
}
