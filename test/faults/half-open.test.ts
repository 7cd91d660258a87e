/** The socket to the relay only seems to be open, as after a cable was pulled: it is noticed, and the call goes on. */
import assert from 'node:assert/strict';
import { scenarios } from '../support/e2e/scenario.ts';
import { until } from '../support/e2e/until.ts';
import type { Kind } from '../support/e2e/visitor.ts';
import {
  allAsBefore,
  allBack,
  connectionsMade,
  figure,
  ids,
  NETWORK,
  rounds,
  runningCall,
} from '../support/faults/fault.ts';

const test = scenarios();
const kinds: Kind[] = ['chromium', 'firefox'];

test('half-open sockets', async (stage) => {
  const proxy = await stage.proxy();
  const url = stage.roomPage({ via: proxy });
  const people = await Promise.all(kinds.map((kind) => stage.visit(kind, url, { allow: NETWORK })));
  const monitors = await runningCall(people);
  const before = await Promise.all(people.map(ids));
  const made = await Promise.all(people.map(connectionsMade));
  for (let round = 0; round < rounds(20); round++) {
    proxy.freeze();
    const since = Date.now();
    for (const visitor of people) {
      // The way back is open, so that the state itself may be too short to be seen.
      const event = await until(`${visitor.who} notices`, async () =>
        (await visitor.events('pm-state-change')).find(
          ({ at, detail }) => at >= since && (detail as { state: string }).state === 'reconnecting',
        ),
      );
      figure(
        stage,
        {
          goal: 'R3: noticed within 10 s',
          fault: 'half-open socket',
          where: visitor.kind,
          limit: 10_000,
        },
        event.at - since,
      );
    }
    await allAsBefore(people, before);
    assert.notEqual(await allBack(monitors, since), null, 'the media stopped');
    for (const each of people) assert.deepEqual(await each.events('pm-participant-left'), [], each.who);
    assert.deepEqual(await Promise.all(people.map(connectionsMade)), made, 'a connection was made anew');
  }
});
