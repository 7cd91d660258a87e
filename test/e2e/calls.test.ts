/** Calls between separate browser processes: everyone sees and hears everyone, also after somebody left and came back. */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone, expectOthers } from '../support/e2e/expect.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { until } from '../support/e2e/until.ts';
import type { Kind } from '../support/e2e/visitor.ts';

const test = scenarios();

const pairs: [Kind, Kind][] = [
  ['chromium', 'chromium'],
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
];

for (const [first, second] of pairs) {
  test(`${first} is there, ${second} comes, leaves and comes back`, async (stage) => {
    const url = stage.roomPage();
    const there = await stage.visit(first, url);
    await there.state('joined');
    const newcomer = await stage.visit(second, url);
    assert.equal(await expectEveryoneSeesEveryone([there, newcomer]), 2);

    await newcomer.run(() => e2e.room('pm-room').leave());
    await newcomer.state('left');
    await expectOthers(there, 0);
    await newcomer.run(() => e2e.room('pm-room').join());
    assert.equal(await expectEveryoneSeesEveryone([there, newcomer]), 2);
  });
}

test('three in a room: one closes its tab, the others drop its tile, it returns and plays again', async (stage) => {
  const proxy = await stage.proxy();
  const url = stage.roomPage({ via: proxy });
  const ada = await stage.visit('chromium', url, { who: 'ada' });
  const ben = await stage.visit('chromium', url, { who: 'ben' });
  const cleo = await stage.visit('firefox', url, { who: 'cleo' });
  assert.equal(await expectEveryoneSeesEveryone([ada, ben, cleo]), 6);

  const before = proxy.frames.length;
  const closed = Date.now();
  await cleo.page.close();
  await Promise.all([expectOthers(ada, 1), expectOthers(ben, 1)]);
  const told = await until(
    'the relay to name the one who is gone',
    () =>
      proxy.frames.slice(before).find((frame) => frame.direction === 'down' && frame.type === 'room.left')
        ?.received,
  );
  for (const visitor of [ada, ben]) {
    const [left] = await visitor.events('pm-participant-left');
    assert.ok(left, `${visitor.who} was not told`);
    stage.report(
      `${visitor.who} dropped the tile ${String(left.at - told)} ms after the relay told, ${String(left.at - closed)} ms after the tab was told to close`,
    );
  }
  assert.equal(await expectEveryoneSeesEveryone([ada, ben]), 2);

  const again = await stage.visit('firefox', url, { who: 'cleo again' });
  assert.equal(await expectEveryoneSeesEveryone([ada, ben, again]), 6);
});
