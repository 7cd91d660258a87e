/** Calls over a bad line: what of the sound and the picture gets through while it lasts. */
import assert from 'node:assert/strict';
import type { Stage } from '../e2e/scenario.ts';
import { pause, until } from '../e2e/until.ts';
import type { Visitor } from '../e2e/visitor.ts';
import { allBack, connectionsMade, figure, runningCall } from './fault.ts';

/** How long the call runs before; the estimate of the bandwidth starts low. In ms. */
const GOOD = 5_000;
/** How long the line is bad, and how long of that it takes the estimate of the bandwidth to follow, in ms. */
const BAD = 12_000;
const SETTLING = 4_000;
/** How long the rates may take to come back after several bad lines in a row, in ms. */
const COMES_BACK = 150_000;
/** No 2 s without sound: that is what living means. */
const ALIVE = 2_000;

/** kbit/s of a thin line, as far as the machine makes more than that: else it is thinner than what was made… */
const THIN = 300;
const THINNER = 0.75;
/** … but never too thin for sound. */
const THINNEST = 100;

/** What arrived at one person. */
interface Arrived {
  /** Of sound and pictures together. */
  readonly kbit: number;
  readonly lost: number;
  readonly pictures: number;
}

interface BadLine {
  readonly fault: string;
  readonly where: string;
  /** At whom a thin line ends; null where it loses packets instead, on the way to everybody. */
  readonly thinFor: number | null;
  /** Makes the line bad, the thin one by so many kbit/s, and good again. */
  readonly worsen: (kbit: number) => void;
  readonly restore: () => void;
}

/** The longest time between two packets of sound, in ms. */
const longestGap = (times: readonly number[], from: number, to: number): number =>
  [...times, to].reduce((longest, at, index) => Math.max(longest, at - (times[index - 1] ?? from)), 0);

/** Sound lives through it in every page, no connection is given up, and afterwards all is well. */
export async function livesThrough(stage: Stage, people: readonly Visitor[], line: BadLine): Promise<void> {
  const { fault, where, thinFor } = line;
  const monitors = await runningCall(people);
  const connections = await Promise.all(people.map(connectionsMade));
  const arrived = async (from: number, to: number): Promise<Arrived[]> =>
    Promise.all(
      monitors.map(async (each) => {
        const [sound, video] = await Promise.all([
          each.flow('audio', from, to),
          each.flow('video', from, to),
        ]);
        const perSecond = (count: number): number => Math.round((10_000 * count) / (to - from)) / 10;
        const kbit = perSecond((sound.bytes + video.bytes) / 125);
        return { kbit, lost: sound.lost + video.lost, pictures: perSecond(video.arrived) };
      }),
    );
  await pause(GOOD);
  // What a bad line has cut comes back slowly, and the slower the more often it was cut.
  const before = await until(
    'the line carries enough to be made thin again',
    async () => {
      const now = Date.now();
      const flows = await arrived(now - GOOD / 2, now);
      return thinFor === null || (flows[thinFor]?.kbit ?? 0) * THINNER > THINNEST ? flows : null;
    },
    { timeout: COMES_BACK, every: 1_000 },
  );
  const made = before[thinFor ?? 0]?.kbit ?? 0;
  const kbit = Math.round(Math.max(THINNEST, Math.min(THIN, made * THINNER)));
  line.worsen(kbit);
  await pause(SETTLING);
  const from = Date.now();
  await pause(BAD - SETTLING);
  const to = Date.now();
  const sound = await Promise.all(monitors.map((each) => each.flow('audio', from, to)));
  const during = await arrived(from, to);
  line.restore();
  const gaps = sound.map(({ news }) =>
    longestGap(
      news.map(({ at }) => at),
      from,
      to,
    ),
  );
  stage.report(
    `${fault}${thinFor === null ? '' : ` (${String(kbit)} kbit/s)`}: before ${JSON.stringify(before)}, during ${JSON.stringify(during)}; longest silence ${gaps.join(', ')} ms`,
  );
  const goal = 'sound lives: longest time without a packet';
  figure(stage, { goal, fault, where, limit: ALIVE }, ...gaps);
  figure(
    stage,
    { goal: 'share of the sound made up (concealed)', fault, where, unit: '%', limit: null },
    ...sound.map(({ concealed }) => concealed),
  );
  const felt =
    thinFor === null
      ? during.every(({ lost }) => lost > 0)
      : made > kbit && (during[thinFor]?.kbit ?? Infinity) <= kbit;
  assert.ok(felt, 'the line was not bad');
  for (const [index, each] of sound.entries())
    assert.ok(each.news.length > 10, `${people[index]?.who ?? ''} heard next to nothing`);
  assert.notEqual(await allBack(monitors, Date.now()), null, 'the media did not recover');
  assert.deepEqual(await Promise.all(people.map(connectionsMade)), connections, 'a connection was made anew');
  for (const each of people)
    for (const { link, self } of (await each.summary()).participants)
      assert.equal(link, self ? 'none' : 'connected', each.who);
}
