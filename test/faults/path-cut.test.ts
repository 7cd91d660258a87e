/** The line of one of two homes is dead for a while, and no browser is told: the call comes back by itself. */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { pause } from '../support/e2e/until.ts';
import { allBack, figure, full, ids, NETWORK, rounds, runningCall } from '../support/faults/fault.ts';
import { labScenarios } from '../support/lab/lab-scenario.ts';

const test = labScenarios({ a: 'port', b: 'port' });
const allow = NETWORK;

/** Seconds of the cut, and how often it is repeated in a full run. */
const cuts: [seconds: number, times: number][] = [
  [3, 7],
  [8, 15],
  [20, 5],
  [60, 2],
];
const GOAL = 'R4: media within 2 s of the mend';

for (const [seconds, times] of cuts.filter(([each]) => full || each < 10)) {
  test(`the path is cut for ${String(seconds)} s`, async (stage) => {
    const people = [await stage.visitFrom('a', {}, { allow }), await stage.visitFrom('b', {}, { allow })];
    for (let round = 0; round < rounds(times); round++) {
      const monitors = await runningCall(people);
      const before = await Promise.all(people.map(ids));
      stage.home('a').cut();
      await pause(seconds * 1_000);
      stage.home('a').mend();
      const back = await allBack(monitors, Date.now());
      figure(
        stage,
        {
          goal: seconds === 8 ? GOAL : 'media is back (figure of 8 s: 2 s)',
          fault: `path cut for ${String(seconds)} s`,
          where: 'Chromium, namespaces',
          limit: seconds === 8 ? 2_000 : null,
        },
        back,
      );
      assert.notEqual(back, null, 'the media never came back');
      await Promise.all(people.map((each) => each.state('joined', 'pm-room', 60_000)));
      await expectEveryoneSeesEveryone(people);
      assert.deepEqual(await Promise.all(people.map(ids)), before, 'the same people under the same ids');
    }
  });
}
