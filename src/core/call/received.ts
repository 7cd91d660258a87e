/** How well somebody is received: a level with its reason, from one reading after the other. */
import { UNKNOWN_QUALITY, type Quality, type QualityReason } from '../state/call-state.ts';
import type { LinkStats } from '../transport/stats.ts';

/** From here on it is fair, and poor: shares of packets or sound, milliseconds, times that the picture stood still. */
const LIMITS: readonly (readonly [QualityReason, fair: number, poor: number])[] = [
  ['loss', 0.03, 0.1],
  ['delay', 300, 600],
  ['jitter', 50, 120],
  ['freezes', 0.3, 1.2],
];
/** Readings in a row that it takes to change for the worse, and for the better. */
const WORSE = 2;
const BETTER = 5;
/** Of freezes and loss a reading back counts for so much less. */
const FADE = 0.7;
const LEVELS = ['good', 'fair', 'poor'] as const;

export class Received {
  #quality: Quality = UNKNOWN_QUALITY;
  #candidate = -1;
  #readings = 0;
  #freezes: number | null = null;
  #loss = 0;
  #frozen = 0;

  /** @param watched whether somebody looks at the pictures: hidden ones stand still by intent */
  read({ inbound, roundTrip }: LinkStats, watched: boolean): Quality {
    const most = (values: readonly (number | null)[]) => Math.max(0, ...values.map((value) => value ?? 0));
    const freezes = inbound.reduce((sum, each) => sum + each.freezes, 0);
    const fresh = watched && this.#freezes !== null ? Math.max(0, freezes - this.#freezes) : 0;
    this.#freezes = freezes;
    this.#frozen = this.#frozen * FADE + fresh * (1 - FADE);
    const loss = most(inbound.flatMap((each) => [each.loss, each.concealed]));
    this.#loss = this.#loss * FADE + loss * (1 - FADE);
    const figures = [this.#loss, roundTrip ?? 0, most(inbound.map(({ jitter }) => jitter)), this.#frozen];
    const grades = LIMITS.map(([, fair, poor], index) =>
      figures[index]! >= poor ? 2 : figures[index]! >= fair ? 1 : 0,
    );
    const grade = most(grades);
    return this.#settle(grade, grade ? LIMITS[grades.indexOf(grade as 1 | 2)]![0] : null);
  }

  #settle(grade: number, reason: QualityReason | null): Quality {
    const now = LEVELS.indexOf(this.#quality.level as 'good');
    this.#readings = grade === this.#candidate ? this.#readings + 1 : 1;
    this.#candidate = grade;
    const enough = now < 0 || (grade !== now && this.#readings >= (grade > now ? WORSE : BETTER));
    if (enough) this.#quality = Object.freeze({ level: LEVELS[grade]!, reason });
    return this.#quality;
  }
}
