/** The demo page: two tabs are a call, its link invites, and everything can be done by keyboard. */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone, expectOthers } from '../support/e2e/expect.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { until } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();

/** Presses Tab until something named so has the focus, as a person without a mouse does. */
async function tabTo(visitor: Visitor, name: string): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 40; presses++) {
    await visitor.page.keyboard.press('Tab');
    const focused = await visitor.run(() => e2e.focused());
    if (focused.name.includes(name)) return;
    seen.push(`${focused.tag} "${focused.name}"`);
  }
  throw new Error(`no way by Tab to ${name}: ${seen.join(', ')}`);
}

const selfState = async (visitor: Visitor, source: 'mic' | 'camera'): Promise<string> =>
  (await visitor.summary()).participants[0]?.sources[source].state ?? '';

for (const kind of ['chromium', 'firefox'] as const) {
  test(`${kind}: the page in two tabs is a call, by keyboard alone`, async (stage) => {
    // Two tabs of one browser process.
    const tabs = [
      await stage.visit(kind, `${stage.relay.url}/`, { process: 0, who: `${kind}-first` }),
      await stage.visit(kind, `${stage.relay.url}/`, { process: 0, who: `${kind}-second` }),
    ] as const;
    for (const tab of tabs) {
      await tab.state('lobby');
      await tab.page.bringToFront();
      await tabTo(tab, 'Join');
      await tab.page.keyboard.press('Enter');
      await tab.state('joined');
    }
    await expectEveryoneSeesEveryone(tabs);

    const [first, second] = tabs;
    const remoteMic = async (): Promise<string> =>
      (await second.summary()).participants.find((each) => !each.self)?.sources.mic.state ?? '';
    await first.page.bringToFront();
    await tabTo(first, 'Microphone');
    const pressed = async (): Promise<string | null> => (await first.run(() => e2e.focused())).pressed;
    assert.equal(await pressed(), 'true');
    await first.page.keyboard.press(' ');
    await until('the microphone is muted', async () => (await selfState(first, 'mic')) !== 'on');
    await until('the button says it', async () => (await pressed()) === 'false');
    await until('the other sees it', async () => ['silenced', 'off'].includes(await remoteMic()));
    await first.page.keyboard.press(' ');
    await until('the other sees it on again', async () => (await remoteMic()) === 'on');

    await tabTo(first, 'Leave');
    await first.page.keyboard.press('Enter');
    await first.state('left');
    await expectOthers(second, 0);
    const { peerConnections, tracks, sockets } = await first.run(() => e2e.counts());
    assert.deepEqual({ peerConnections, tracks, sockets }, { peerConnections: 0, tracks: 0, sockets: 0 });
  });
}

test('the copied link invites into the same room', async (stage) => {
  const first = await stage.visit('chromium', `${stage.relay.url}/r/${stage.room}`);
  await first.state('lobby');
  const { origin } = new URL(stage.relay.url);
  await first.page
    .browserContext()
    .setPermission(
      origin,
      { permission: { name: 'clipboard-write' }, state: 'granted' },
      { permission: { name: 'clipboard-read' }, state: 'granted' },
    );
  await first.page.bringToFront();
  await first.click('#copy-link');
  const link = await until('a link in the clipboard', () => first.run(() => navigator.clipboard.readText()));
  assert.ok(link.includes(stage.room), link);
  const second = await stage.visit('chromium', link, { process: 1 });
  for (const tab of [first, second]) {
    await tab.state('lobby');
    await tab.run(() => e2e.room('pm-room').join());
  }
  await expectEveryoneSeesEveryone([first, second]);
});
