/** What the tests of faults have in common: a call that runs, and figures that are written down. */
import assert from 'node:assert/strict';
import { expectConnected, expectEveryoneSeesEveryone } from '../e2e/expect.ts';
import type { Stage } from '../e2e/scenario.ts';
import { pause } from '../e2e/until.ts';
import type { Visitor } from '../e2e/visitor.ts';
import { percentile, rounds, writeDown } from './figures.mjs';
import { Monitor } from './monitor.ts';

export { full, rounds } from './figures.mjs';

/** What browsers print by themselves when the relay cannot be reached. */
export const NETWORK = [
  /WebSocket connection to .* failed/,
  /ERR_CONNECTION_(REFUSED|TIMED_OUT|RESET|CLOSED)/,
  /ERR_(INTERNET_DISCONNECTED|ADDRESS_UNREACHABLE|NETWORK_CHANGED|TIMED_OUT|NETWORK_IO_SUSPENDED)/,
  /Failed to load resource/,
  /Access to fetch at .* blocked by CORS policy/,
  /can.t establish a connection/i,
  /Cross-Origin Request Blocked/,
  /was interrupted while the page was loading/,
];

export interface Goal {
  /** As in goals.md of the project's plan: `R4: media within 2 s of the mend`. */
  readonly goal: string;
  readonly fault: string;
  readonly where: string;
  readonly unit?: 'ms' | '%' | '';
  /** The most that reaches the goal; null where no figure is named. */
  readonly limit: number | null;
}

/** Writes a figure down and says it with the test. */
export function figure(stage: Stage, goal: Goal, ...values: (number | null)[]): void {
  const { unit = 'ms' } = goal;
  writeDown({ ...goal, unit, values });
  const median = percentile(values, 0.5);
  stage.report(
    `${goal.fault} (${goal.where}): ${median === null ? 'never' : `${median.toFixed(1)} ${unit}`}` +
      (goal.limit === null ? '' : `, to reach ${String(goal.limit)} ${unit}`),
  );
}

/** The ids of everybody in the room as a page has them, oneself first. */
export const ids = async (visitor: Visitor): Promise<string[]> =>
  (await visitor.summary()).participants.map(({ id }) => id);

/** Connections that a page ever made. */
export const connectionsMade = (visitor: Visitor): Promise<number> =>
  visitor.run(() => e2e.made().peerConnections);

/** Waits until a call runs both ways, by what arrives, and watches it from then on. */
export async function runningCall(people: readonly Visitor[]): Promise<Monitor[]> {
  await expectConnected(people);
  const monitors = await Promise.all(people.map((each) => Monitor.start(each)));
  const back = await allBack(monitors, Date.now(), { timeout: 90_000 });
  if (back === null) throw new Error('sound and pictures never began to flow');
  return Promise.all(people.map((each) => Monitor.start(each)));
}

/** When sound and picture were back with everybody: the latest of all, null when one of them stayed without. */
export async function allBack(
  monitors: readonly Monitor[],
  since: number,
  options: { timeout?: number; steady?: number; video?: boolean } = {},
): Promise<number | null> {
  const times = await Promise.all(monitors.map((each) => each.back(since, options)));
  return times.includes(null) ? null : Math.max(...times.map(Number));
}

/** Everybody is in the room again, sees and hears the others, and is who they were: the ids that each page had before. */
export async function allAsBefore(
  people: readonly Visitor[],
  before: readonly (readonly string[])[],
): Promise<void> {
  await Promise.all(people.map((each) => each.state('joined', 'pm-room', 60_000)));
  await expectEveryoneSeesEveryone(people);
  assert.deepEqual(await Promise.all(people.map(ids)), before, 'the same people under the same ids');
}

/** Seconds for which a path is cut, and how often that is repeated in a full run. */
export const cuts: readonly (readonly [seconds: number, times: number])[] = [
  [3, 7],
  // A 95th percentile of fewer than twenty is their largest.
  [8, 20],
  [20, 5],
  [60, 2],
];

export interface Cut {
  readonly seconds: number;
  readonly times: number;
  readonly where: string;
  readonly cut: () => void;
  readonly mend: () => void;
}

/** R4: a path between them is dead for a while, and the call comes back by itself. */
export async function comesBackFromCut(
  stage: Stage,
  people: readonly Visitor[],
  { seconds, times, where, cut, mend }: Cut,
): Promise<void> {
  const judged = seconds === 8;
  const goal = judged ? 'R4: media within 2 s of the mend' : 'media is back (figure of 8 s: 2 s)';
  const fault = `path cut for ${String(seconds)} s`;
  for (let round = 0; round < rounds(times); round++) {
    const monitors = await runningCall(people);
    const before = await Promise.all(people.map(ids));
    cut();
    await pause(seconds * 1_000);
    mend();
    const back = await allBack(monitors, Date.now());
    figure(stage, { goal, fault, where, limit: judged ? 2_000 : null }, back);
    assert.notEqual(back, null, 'the media never came back');
    await allAsBefore(people, before);
  }
}
