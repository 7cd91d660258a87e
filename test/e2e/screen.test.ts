/** Screens between Chromium and Firefox: one, the other, both at once, stopped crosswise; nothing negotiates for ever. */
import assert from 'node:assert/strict';
import { DRAWN_SCREEN } from '../support/e2e/drawn-screen.ts';
import { expectConnected } from '../support/e2e/expect.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { pause, settled } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();

const share = (visitor: Visitor, on: boolean): Promise<boolean> =>
  visitor.run((given) => e2e.room('pm-room').toggleScreen(given), on);

/** What is wrong with what a page sees of the other's screen; null when nothing is. */
const wrong = async (on: boolean): Promise<string | null> => {
  const other = e2e.room('pm-room').participants.find(({ self }) => !self);
  const { state, stream } = other?.sources.screen ?? { state: 'nobody', stream: null };
  if (!on) return stream ? `still ${state}` : null;
  if (!stream) return `${state}, no stream`;
  const { frames } = await e2e.pictures(stream, 400);
  return frames > 0 ? null : 'no pictures';
};

test('screens of Chromium and Firefox, both ways and at once', async (stage) => {
  const url = stage.roomPage({ attributes: 'autojoin camera-off' });
  const chromium = await stage.visit('chromium', url);
  const firefox = await stage.visit('firefox', url, { scripts: [DRAWN_SCREEN] });
  const people = [chromium, firefox];
  await expectConnected(people);

  const agree = async (what: string, ofChromium: boolean, ofFirefox: boolean): Promise<void> => {
    await settled(`${what}: seen by firefox`, () => firefox.run(wrong, ofChromium), { timeout: 30_000 });
    await settled(`${what}: seen by chromium`, () => chromium.run(wrong, ofFirefox), { timeout: 30_000 });
    // The fact that it is over arrives before both have agreed on closing the section.
    const still = async (each: Visitor) => {
      const [first] = await each.run(() => e2e.connections());
      return first?.signalingState === 'stable' ? null : String(first?.signalingState);
    };
    for (const each of people) await settled(`${what}: ${each.who} is stable`, () => still(each));
  };

  await share(chromium, true);
  await agree('chromium shares', true, false);
  await share(firefox, true);
  await agree('firefox shares too', true, true);
  await Promise.all([share(chromium, false), share(firefox, false)]);
  await agree('both stop at once', false, false);
  await Promise.all([share(chromium, true), share(firefox, true)]);
  await agree('both begin at once', true, true);
  await share(chromium, false);
  await agree('chromium stops', false, true);
  await Promise.all([share(chromium, true), share(firefox, false)]);
  await agree('one begins as the other stops', true, false);
  await share(chromium, false);
  await agree('all is over', false, false);

  // Whatever negotiates for ever is never still: nothing may be described any more.
  const described = (each: Visitor) =>
    each.run(() => e2e.peerConnections.map((pc) => pc.localDescription?.sdp.split('\n')[1] ?? '').join());
  await settled('nothing is negotiated any more', async () => {
    const before = (await Promise.all(people.map(described))).join();
    await pause(1_500);
    const after = (await Promise.all(people.map(described))).join();
    return after === before ? null : after;
  });
  for (const each of people) assert.deepEqual(await each.events('pm-error'), [], each.who);
});
