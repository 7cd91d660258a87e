/** A two-person call (`max-peers="1"`): roles, a third refused, the lifecycle of the connection in the standards' order. */
import assert from 'node:assert/strict';
import { TIMELINE_STEPS } from '../../src/core/transport/transport.ts';
import { expectEveryoneSeesEveryone, expectOthers } from '../support/e2e/expect.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { until } from '../support/e2e/until.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();

const role = async (visitor: Visitor): Promise<unknown> =>
  (await until(`${visitor.who} is ready`, async () => (await visitor.events('pm-ready'))[0])).detail;

const other = async (visitor: Visitor): Promise<string> => {
  const id = (await visitor.summary()).participants.find((each) => !each.self)?.id;
  assert.ok(id);
  return id;
};

const steps = (visitor: Visitor, id: string): Promise<{ step: string; at: number }[]> =>
  visitor.run(
    (given) =>
      e2e
        .room('pm-room')
        .call.timeline(given)
        .map(({ step, at }) => ({ step, at })),
    id,
  );

const pairs: [Kind, Kind][] = [
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
];

for (const kinds of pairs) {
  test(`${kinds.join(' and ')} are alone together; a third is refused`, async (stage) => {
    const url = stage.roomPage({ attributes: 'max-peers="1" autojoin' });
    const first = await stage.visit(kinds[0], url);
    await first.state('joined');
    const second = await stage.visit(kinds[1], url);
    await expectEveryoneSeesEveryone([first, second]);
    assert.deepEqual(await role(first), { role: 'callee' });
    assert.deepEqual(await role(second), { role: 'caller' });

    const third = await stage.visit('chromium', url, { process: 1, who: 'third' });
    await third.state('failed');
    const [refusal] = await third.events('pm-error');
    assert.equal((refusal?.detail as { code: string } | undefined)?.code, 'room-full');
    await until('a sentence that says so', async () =>
      /\bfull\b/i.test(await third.run(() => e2e.readable())),
    );
    const { peerConnections, tracks, sockets } = await third.run(() => e2e.counts());
    assert.deepEqual({ peerConnections, tracks, sockets }, { peerConnections: 0, tracks: 0, sockets: 0 });
    for (const visitor of [first, second]) {
      assert.equal((await visitor.summary()).participants.length, 2);
      // The offer that was made ahead and dealt to nobody is closed two seconds after the join.
      await until(`${visitor.who} has one connection on one ICE transport`, async () => {
        const connections = await visitor.run(() => e2e.connections());
        return connections.map(({ iceTransports }) => iceTransports).join() === '1';
      });
    }

    const ids = [await other(first), await other(second)] as const;
    await second.run(() => e2e.room('pm-room').leave());
    await expectOthers(first, 0);
    for (const [visitor, id] of [
      [first, ids[0]],
      [second, ids[1]],
    ] as const) {
      const timeline = await until(`${visitor.who}'s timeline ends`, async () => {
        const entries = await steps(visitor, id);
        return entries.at(-1)?.step === 'close' && entries;
      });
      const firsts = [...new Set(timeline.map(({ step }) => step))];
      stage.report(
        `${visitor.who}: ${timeline.map(({ step, at }) => `${step} ${at.toFixed(0)}`).join(', ')}`,
      );
      assert.deepEqual(
        firsts,
        TIMELINE_STEPS.filter((step) => step !== 'restart'),
        visitor.who,
      );
      const times = timeline.map(({ at }) => at);
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
        'dated in order',
      );
    }
  });
}
