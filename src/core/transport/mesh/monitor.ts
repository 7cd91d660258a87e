/**
 * Reads a connection's statistics: densely right after it is up, until its first picture, since browsers have no event
 * for that; then twice a second for a while, then once. One reading at a time. What makes figures of the reports is
 * loaded when there are some: no join waits for it.
 */
import type { Platform } from '../../platform.ts';
import type { SourceName } from '../../state/call-state.ts';
import type { LinkStats } from '../stats.ts';
import type { readStats, StatsReport } from './link-stats.ts';

/** The first reading after so many milliseconds, every next one after half as much again, up to the usual pace. */
const FIRST_READING = 20;
const EARLY_PACE = 500;
const PACE = 1_000;
/** How long the early pace is kept. */
const EARLY = 10_000;

interface Inbound {
  readonly type: string;
  readonly packetsReceived?: number;
  readonly framesDecoded?: number;
}

export interface MonitorHooks {
  /** At every reading from the first packet on. */
  packet(): void;
  frame(): void;
  sourceOf(mid: string): SourceName | null;
  /** At the usual pace, whether or not anything arrives. */
  stats(stats: LinkStats): void;
  warn(message: string, error: unknown): void;
}

export class Monitor {
  readonly #platform: Platform;
  readonly #pc: RTCPeerConnection;
  readonly #hooks: MonitorHooks;

  #began = 0;
  #wait = 0;
  #reading = false;
  #stopped = false;
  #cancel = () => {};
  /** What was told last, and when. */
  #before: StatsReport | null = null;
  #told = -Infinity;
  #module: Promise<{ readStats: typeof readStats }> | null = null;
  #seen = { packet: false, frame: false };

  constructor(platform: Platform, pc: RTCPeerConnection, hooks: MonitorHooks) {
    this.#platform = platform;
    this.#pc = pc;
    this.#hooks = hooks;
  }

  /** Begins to read; if it has begun, begins anew, for the first picture of a camera that was off. */
  start(): void {
    this.#began = this.#platform.now();
    this.#wait = FIRST_READING;
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #next(): void {
    if (this.#stopped || this.#reading) return;
    this.#cancel();
    this.#cancel = this.#platform.after(this.#wait, () => {
      this.#reading = true;
      this.#read()
        .catch((error: unknown) => this.#stopped || this.#hooks.warn('Statistics could not be read.', error))
        .finally(() => {
          this.#reading = false;
          this.#next();
        });
      const pace = this.#platform.now() - this.#began < EARLY ? EARLY_PACE : PACE;
      this.#wait = this.#seen.frame ? pace : Math.min(this.#wait * 1.5, pace);
    });
  }

  async #read(): Promise<void> {
    const report: StatsReport = await this.#pc.getStats();
    if (this.#stopped) return;
    let packet = false;
    let frame = false;
    for (const each of report.values() as Iterable<Inbound>) {
      if (each.type !== 'inbound-rtp') continue;
      packet ||= each.packetsReceived! > 0;
      frame ||= each.framesDecoded! > 0;
    }
    const first = packet && !this.#seen.packet;
    this.#seen = { packet, frame };
    if (packet) this.#hooks.packet();
    if (frame) this.#hooks.frame();
    // Rates over the short steps of the beginning would say nothing.
    const now = this.#platform.now();
    if (!first && now - this.#told < EARLY_PACE * 0.9) return;
    this.#told = now;
    const module = await (this.#module ??= this.#platform.work(import('./link-stats.ts')));
    if (this.#stopped) return;
    this.#hooks.stats(module.readStats(report, this.#before, (mid) => this.#hooks.sourceOf(mid)));
    this.#before = report;
  }
}
