/** The line of one of two homes is dead for a while, and no browser is told: the call comes back by itself. */
import { until } from '../support/e2e/until.ts';
import { comesBackFromCut, cuts, full, NETWORK } from '../support/faults/fault.ts';
import { selectedPath } from '../support/faults/path.ts';
import { labScenarios } from '../support/lab/lab-scenario.ts';

const test = labScenarios({ a: 'port', b: 'port' });
const allow = NETWORK;

for (const [seconds, times] of cuts.filter(([each]) => full || each < 10)) {
  test(`the path is cut for ${String(seconds)} s`, async (stage) => {
    const people = [await stage.visitFrom('a', {}, { allow }), await stage.visitFrom('b', {}, { allow })];
    await comesBackFromCut(stage, people, {
      seconds,
      times,
      where: 'Chromium, namespaces',
      cut: () => stage.home('a').cut(),
      mend: () => stage.home('a').mend(),
    });
    // An ICE restart is no reason to stay on a server.
    await until(
      'a direct path',
      async () => !(await Promise.all(people.map(selectedPath))).some((path) => path.includes('relay')),
    );
  });
}
