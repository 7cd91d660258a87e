/** Somebody changes networks: the host gets another address, or the router does and no host is told. */
import assert from 'node:assert/strict';
import { allAsBefore, allBack, figure, ids, NETWORK, rounds, runningCall } from '../support/faults/fault.ts';
import { labScenarios, type LabStage } from '../support/lab/lab-scenario.ts';

const test = labScenarios({ a: 'port', b: 'port' });
const allow = NETWORK;
const TIMES = 10;

const changes: [fault: string, goal: string, limit: number, change: (stage: LabStage) => void][] = [
  [
    'the host gets another address',
    'R5: media within 5 s with a network event',
    5_000,
    (stage) => stage.home('a').renumber(),
  ],
  [
    'the router gets another address',
    'R5: media within 15 s without a network event',
    15_000,
    (stage) => stage.home('a').rebind(stage.lab.freshAddress()),
  ],
];

for (const [fault, goal, limit, change] of changes) {
  test(fault, async (stage) => {
    const people = [await stage.visitFrom('a', {}, { allow }), await stage.visitFrom('b', {}, { allow })];
    for (let round = 0; round < rounds(TIMES); round++) {
      const monitors = await runningCall(people);
      const before = await Promise.all(people.map(ids));
      const since = Date.now();
      change(stage);
      const back = await allBack(monitors, since, { steady: 6_000 });
      figure(stage, { goal, fault, where: 'Chromium, namespaces', limit }, back);
      assert.notEqual(back, null, 'the media never came back');
      await allAsBefore(people, before);
    }
  });
}
