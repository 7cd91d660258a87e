/** What the tests of faults have in common: a call that runs, and figures that are written down. */
import type { Stage } from '../e2e/scenario.ts';
import { until } from '../e2e/until.ts';
import type { Visitor } from '../e2e/visitor.ts';
import { percentile, writeDown } from './figures.mjs';
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
  const others = people.length - 1;
  await Promise.all(
    people.map((each) =>
      until(
        `${each.who} is connected with ${String(others)} others`,
        async () => {
          const { state, participants } = await each.summary();
          return (
            state === 'joined' && participants.filter(({ link }) => link === 'connected').length === others
          );
        },
        { timeout: 90_000 },
      ),
    ),
  );
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
