/** A line that loses every fifth packet, and one that carries 300 kbit/s upwards: the sound lives. */
import { rounds } from '../support/faults/fault.ts';
import { livesThrough } from '../support/faults/line.ts';
import type { Impairment } from '../support/lab/home.ts';
import { labScenarios } from '../support/lab/lab-scenario.ts';
import { noisyCamera } from '../support/lab/noise.ts';

const test = labScenarios({ a: 'port', b: 'port' });

/** With who feels it: the second person is at the other end of the uplink. */
const lines: [fault: string, line: (kbit: number) => Impairment, thinFor: number | null][] = [
  ['20 % loss', () => ({ lossPercent: 20 }), null],
  ['300 kbit/s uplink', (upKbit) => ({ upKbit }), 1],
];

for (const [fault, line, thinFor] of lines) {
  test(fault, async (stage) => {
    const flags = [noisyCamera()];
    const people = [await stage.visitFrom('a', {}, { flags }), await stage.visitFrom('b', {}, { flags })];
    for (let round = 0; round < rounds(7); round++) {
      await livesThrough(stage, people, {
        fault,
        where: 'Chromium, namespaces',
        thinFor,
        worsen: (kbit) => stage.home('a').impair(line(kbit)),
        restore: () => stage.home('a').impair(),
      });
    }
  });
}
