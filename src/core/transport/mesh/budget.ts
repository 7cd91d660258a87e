/**
 * How much video may go up over all links together. Starts from what is known to work for so many, goes down at once
 * when links say that it is too much, comes back slowly, and the slower the more often that went wrong.
 */
import type { LinkStats } from '../stats.ts';
import { LEAST } from './allocate.ts';

/** Bit/s for each connection of a mesh with so many others, as calls elsewhere use them; more have the last. */
const TABLE = [384_000, 256_000, 192_000, 128_000, 128_000, 64_000];
const START = 1_200_000;
/** Share of packets that a line may lose by itself. */
const LOSS = 0.08;
/** A queue fills when packets take so much longer than the quickest: a factor, and milliseconds. */
const SLOWER = 2;
const LATER = 150;
/** Of the round trip before: a queue that empties. */
const SHORTER = 0.8;
/** Milliseconds a look by which the quickest is believed less: a path may have become a longer one for good. */
const FORGET = 5;
/** The same for packets of which some are lost. */
const SLOW = 250;
/** Milliseconds that a cut has for taking effect, and that pass before the first raise after it. */
const SETTLE = 2_500;
const HOLD = 6_000;
const LONGEST_HOLD = 60_000;
/** A cut so soon after the time of holding back comes from having raised too much. */
const RECENT = 40_000;
const CUT = 0.85;
const RAISE = 1.08;
/** Near what was too much before. */
const GENTLE_RAISE = 1.02;
/** Chromium's estimate means something once it has grown for a while, and for so many looks in a row. */
const ESTIMATE_AGE = 8_000;
const LOOKS = 3;

interface Line {
  readonly since: number;
  quickest: number;
  roundTrip: number;
  lost: number;
  /** Looks in a row that found it so. */
  short: number;
  /** Looks for which it counts yet: peers report at different moments. */
  slow: number;
  lossy: number;
}

const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);

export class Budget {
  #bits = START;
  #ceiling = Infinity;
  #hold = HOLD;
  #cutAt = -Infinity;
  #raised = false;
  readonly #lines = new Map<string, Line>();

  /** Bit/s for everybody's video. */
  get bits(): number {
    return this.#bits;
  }

  /**
   * One look at all links, about once a second.
   * @param given bit/s that each link's video was allowed
   * @param wanted bit/s that would be used
   */
  look(
    readings: ReadonlyMap<string, LinkStats>,
    given: ReadonlyMap<string, number>,
    wanted: number,
    now: number,
  ): void {
    for (const id of this.#lines.keys()) if (!readings.has(id)) this.#lines.delete(id);
    for (const [id, stats] of readings) this.#judge(id, stats, given.get(id) ?? 0, now);
    // Our own line is what most of our bits have in common; the browser itself spares a single peer's.
    const weigh = (so: (line: Line) => boolean) =>
      sum([...this.#lines].map(([id, line]) => (so(line) ? (given.get(id) ?? 0) : 0)));
    const most = (so: (line: Line) => boolean) => weigh(so) > weigh(() => true) / 2;
    const queue = ({ short, slow }: Line) => short >= LOOKS || slow > 0;
    const trouble = most(queue) ? 'queue' : most((line) => queue(line) || line.lossy > 0) ? 'loss' : 'none';
    if (trouble !== 'none' && wanted) return this.#cut(readings, trouble, now);
    // Far below what was too much there is little to fear.
    const hold = this.#bits < this.#ceiling / 2 ? HOLD : this.#hold;
    if (wanted <= this.#bits || now - this.#cutAt < hold) return;
    this.#raised = true;
    this.#bits *= this.#bits < this.#ceiling * 0.85 ? RAISE : GENTLE_RAISE;
    if (this.#bits < this.#ceiling * 1.1) return;
    this.#ceiling = Infinity;
    this.#hold = HOLD;
  }

  #judge(id: string, stats: LinkStats, given: number, now: number): void {
    const { outbound, roundTrip, availableOutgoing } = stats;
    const lost = sum(outbound.map((each) => each.lost));
    const line = this.#lines.get(id) ?? {
      since: now,
      quickest: Infinity,
      roundTrip: 0,
      lost,
      short: 0,
      slow: 0,
      lossy: 0,
    };
    this.#lines.set(id, line);
    // A report of the peer stays the newest for seconds: only news counts.
    const news = lost > line.lost;
    line.lost = lost;
    line.quickest = Math.min(line.quickest + FORGET, roundTrip ?? Infinity);
    // A queue that gets shorter was dealt with.
    const shorter = (roundTrip ?? 0) < line.roundTrip * SHORTER;
    line.roundTrip = roundTrip ?? 0;
    const sent = sum(outbound.map(({ bitrate }) => bitrate));
    const sound = sum(outbound.map(({ kind, bitrate }) => (kind === 'audio' ? bitrate : 0)));
    // An estimate above what is being sent says little; one that is used up was measured.
    const short =
      availableOutgoing !== null &&
      now - line.since > ESTIMATE_AGE &&
      outbound.some(({ limitedBy }) => limitedBy === 'bandwidth') &&
      availableOutgoing < (given + sound) * 0.9 &&
      sent > availableOutgoing * 0.6;
    line.short = short ? line.short + 1 : 0;
    const lossy = news && outbound.some(({ loss }) => loss > LOSS);
    // Where it was too much from the start, the quickest was slow already.
    const slow = lossy ? SLOW : line.quickest * SLOWER + LATER;
    line.slow = !shorter && line.roundTrip > slow ? 2 : line.slow - 1;
    line.lossy = lossy ? 2 : line.lossy - 1;
  }

  #cut(readings: ReadonlyMap<string, LinkStats>, trouble: string, now: number): void {
    if (now - this.#cutAt < SETTLE) return;
    const through = sum(
      [...readings.values()].flatMap(({ outbound }) =>
        outbound.map(({ kind, bitrate, loss }) => (kind === 'video' ? bitrate * (1 - loss) : 0)),
      ),
    );
    // Soon after a raise: that was too much, and is tried less often.
    if (this.#raised && now - this.#cutAt < this.#hold + RECENT)
      this.#hold = Math.min(this.#hold * 2, LONGEST_HOLD);
    this.#cutAt = now;
    // Halved at most: little may go through because little was wanted.
    const ceiling = Math.min(this.#bits, Math.max(through, this.#bits / 2));
    // Cut after cut, the first knows best what was too much: the others may come of the queue it left.
    if (this.#raised || this.#ceiling === Infinity) this.#ceiling = ceiling;
    this.#raised = false;
    // A line that loses without a queue loses whatever is sent.
    const least = trouble === 'loss' ? floor(readings.size) : LEAST * readings.size;
    this.#bits = Math.max(ceiling * CUT, Math.min(least, this.#bits));
  }
}

const floor = (links: number) => links * (TABLE[Math.min(links, TABLE.length) - 1] ?? 0);
