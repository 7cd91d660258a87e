/** A line that loses every fifth packet, and one that carries 300 kbit/s upwards: the sound lives. */
import { rounds } from '../support/faults/fault.ts';
import { felt, livesThrough, type Felt } from '../support/faults/line.ts';
import type { Impairment } from '../support/lab/home.ts';
import { labScenarios } from '../support/lab/lab-scenario.ts';
import { noisyCamera } from '../support/lab/noise.ts';

const test = labScenarios({ a: 'port', b: 'port' });

/** With who feels it: the second person is at the other end of the uplink. */
const lines: [fault: string, line: Impairment, felt: Felt][] = [
  ['20 % loss', { lossPercent: 20 }, felt.loss],
  ['300 kbit/s uplink', { upKbit: 300 }, felt.limit(300, 1)],
];

for (const [fault, line, feels] of lines) {
  test(fault, async (stage) => {
    const flags = [noisyCamera()];
    const people = [await stage.visitFrom('a', {}, { flags }), await stage.visitFrom('b', {}, { flags })];
    for (let round = 0; round < rounds(7); round++) {
      await livesThrough(stage, people, {
        fault,
        where: 'Chromium, namespaces',
        felt: feels,
        worsen: () => stage.home('a').impair(line),
        restore: () => stage.home('a').impair(),
      });
    }
  });
}
