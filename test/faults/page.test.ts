/** What browsers do to pages that nobody looks at: they are hidden, slowed down and frozen. The call goes on. */
import assert from 'node:assert/strict';
import type { Page } from 'puppeteer-core';
import { scenarios } from '../support/e2e/scenario.ts';
import { pause } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';
import {
  allAsBefore,
  allBack,
  figure,
  full,
  ids,
  NETWORK,
  rounds,
  runningCall,
} from '../support/faults/fault.ts';

const test = scenarios();
const allow = NETWORK;
/** Seconds. The relay gives a silent client up after 9 and keeps its seat for 30. */
const frozenFor = full ? [5, 15, 60] : [15];
const HIDDEN = 8;

const setState = async (page: Page, state: 'frozen' | 'active'): Promise<void> => {
  const session = await page.createCDPSession();
  await session.send('Page.setWebLifecycleState', { state });
  await session.detach();
};

/** Covers a page by another tab of its window; the answer uncovers it. */
async function cover({ page }: Visitor): Promise<() => Promise<void>> {
  const tab = await page.browserContext().newPage({ type: 'tab' });
  await tab.bringToFront();
  return async () => {
    await tab.close();
    await page.bringToFront();
  };
}

/** Firefox may be slowed down as well, but never freezes a page with a call. */
for (const seconds of frozenFor) {
  test(`Chromium: a page is frozen for ${String(seconds)} s`, async (stage) => {
    const people = [
      await stage.visit('chromium', stage.roomPage(), { allow }),
      await stage.visit('chromium', stage.roomPage(), { allow }),
    ];
    const [frozen] = people as [Visitor, Visitor];
    for (let round = 0; round < rounds(seconds > 30 ? 2 : 5); round++) {
      const monitors = await runningCall(people);
      const before = await Promise.all(people.map(ids));
      const uncover = await cover(frozen); // browsers freeze what is hidden alone
      await setState(frozen.page, 'frozen');
      await pause(seconds * 1_000);
      await setState(frozen.page, 'active');
      const thawed = Date.now();
      await uncover();
      const back = await allBack(monitors, thawed);
      figure(
        stage,
        {
          goal: 'media is back after the thaw',
          fault: `page frozen for ${String(seconds)} s`,
          where: 'Chromium',
          limit: null,
        },
        back,
      );
      assert.notEqual(back, null, 'the media never came back');
      await allAsBefore(people, before);
    }
  });
}

for (const kind of ['chromium', 'firefox'] as const) {
  test(`${kind}: a hidden page hears and is heard, through a restart of the relay as well`, async (stage) => {
    const people = [
      await stage.visit(kind, stage.roomPage(), { allow, process: 0, who: 'hidden' }),
      await stage.visit('chromium', stage.roomPage(), { allow, process: 1 }),
    ];
    const [hidden] = people as [Visitor, Visitor];
    const monitors = await runningCall(people);
    const before = await Promise.all(people.map(ids));
    const uncover = await cover(hidden);
    assert.equal(await hidden.run(() => document.visibilityState), 'hidden');
    const since = Date.now();
    await pause(HIDDEN * 1_000);
    await stage.relay.kill('SIGKILL');
    await stage.relay.restart();
    await hidden.state('joined', 'pm-room', 60_000);
    // Pictures that nobody sees need not be decoded.
    const back = await allBack(monitors, since, { video: false });
    figure(
      stage,
      { goal: 'sound interrupted', fault: `page hidden for ${String(HIDDEN)} s`, where: kind, limit: 0 },
      back,
    );
    assert.notEqual(back, null, 'the sound never came back');
    await uncover();
    await allAsBefore(people, before);
  });
}
