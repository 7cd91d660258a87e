/**
 * Rooms of ours and plain clients, in real browsers, on our relay and on a plain server; with PM_FULL=1 in every
 * combination.
 */
import assert from 'node:assert/strict';
import { expectOthers } from '../support/e2e/expect.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { mintToken } from '../../demo-server/src/mint.ts';
import { TEST_SECRET } from '../support/relay.ts';
import { pause, settled, until } from '../support/e2e/until.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';
import { bothWays, HIGH, look, LOW, room, visitPlain } from '../support/plain-client/visit.ts';
import { PlainServer, plainToken } from '../support/plain-server/node.ts';

const test = scenarios();

/** What our page has of the plain client's screen. */
const screenOf = (visitor: Visitor): Promise<string | undefined> =>
  visitor.summary().then(({ participants }) => participants.find(({ self }) => !self)?.sources.screen.state);

async function untilBrightness(
  plain: Visitor,
  what: string,
  right: (view: { brightness: number; changes: number }) => boolean,
) {
  await settled(what, async () => {
    const [view] = await look(plain, 700);
    return view && right(view) ? null : JSON.stringify(view);
  });
}

/** Everything that the two do with each other while both are in the room. */
async function together(ours: Visitor, other: Visitor): Promise<void> {
  await bothWays(ours, other);

  // Our camera goes black for it, and comes back.
  await room(ours, (element) => element.toggleCamera(false));
  await untilBrightness(
    other,
    'a black picture of us',
    ({ brightness }) => brightness >= 0 && brightness < 6,
  );
  await room(ours, (element) => element.toggleCamera(true));
  await untilBrightness(other, 'our camera', ({ brightness, changes }) => brightness > 12 && changes > 1);

  // Its microphone flaps.
  const made = await ours.run(() => e2e.made().peerConnections);
  for (let round = 0; round < 4; round += 1) await other.run(() => plain.toggleMic());
  await pause(1_500);
  await bothWays(ours, other);
  assert.equal(await ours.run(() => e2e.made().peerConnections), made, 'a connection was made anew');
  assert.deepEqual(await ours.events('pm-participant-left'), []);

  // Its screen comes beside its camera and goes.
  await other.run(() => plain.use('screen'));
  await until('its screen', async () => (await screenOf(ours)) === 'on');
  await settled('its camera and its screen move', async () => {
    const seen = await ours.run(async () => {
      const them = e2e.room('pm-room').participants.find(({ self }) => !self);
      return Promise.all(
        (['camera', 'screen'] as const).map((source) =>
          e2e.pictures(them?.sources[source].stream ?? new MediaStream(), 1_000),
        ),
      );
    });
    const ratios = seen.map(({ changes, width, height }) => (changes > 1 ? width / height : 0));
    return JSON.stringify(ratios) === JSON.stringify([4 / 3, 1.6]) ? null : JSON.stringify(seen);
  });
  await other.run(() => plain.stopScreen());
  await until('its screen to end', async () => (await screenOf(ours)) === 'off');

  // It leaves and comes back; so do we.
  await other.run(() => plain.leave());
  await expectOthers(ours, 0);
  await other.run(() => plain.join());
  await bothWays(ours, other);
  await room(ours, (element) => element.leave());
  await settled('it drops us', async () => ((await look(other, 50)).length ? 'still there' : null));
  await room(ours, (element) => element.join());
  await bothWays(ours, other);
}

/** Somebody of ours comes into a room of ours, where the plain client is already. */
async function onOurRelay(stage: Stage, oursKind: Kind, plainKind: Kind, id: string): Promise<void> {
  const token = await mintToken({ sub: id, username: 'plain' }, TEST_SECRET);
  const plain = await visitPlain(stage, plainKind, { token }, { process: 3 });
  await together(await stage.visit(oursKind, stage.roomPage()), plain);
}

/** The plain client comes into a room of its own kind, where somebody of ours is already. */
async function onPlainServer(stage: Stage, oursKind: Kind, plainKind: Kind, id: string): Promise<void> {
  const server = await PlainServer.start();
  stage.later(() => server.kill());
  const { url, wsUrl } = server;
  const ours = await stage.visit(oursKind, stage.roomPage({ via: { url: stage.relay.url, wsUrl } }));
  const token = plainToken({ sub: id, username: 'plain' });
  const plain = await visitPlain(stage, plainKind, { url, wsUrl, token }, { process: 3 });
  await together(ours, plain);
}

type Mix = readonly [ours: Kind, plain: Kind, id: string, where: typeof onOurRelay];
/** Whatever two of these things there are, they meet in one of these. */
const some: readonly Mix[] = [
  ['chromium', 'chromium', LOW, onPlainServer],
  ['chromium', 'firefox', HIGH, onOurRelay],
  ['chromium', 'firefox', HIGH, onPlainServer],
  ['firefox', 'chromium', LOW, onOurRelay],
  ['firefox', 'chromium', HIGH, onPlainServer],
];
const others: readonly Mix[] = [
  ['chromium', 'chromium', LOW, onOurRelay],
  ['firefox', 'chromium', LOW, onPlainServer],
  ['firefox', 'chromium', HIGH, onOurRelay],
];

for (const [ours, plain, id, where] of process.env['PM_FULL'] ? [...some, ...others] : some) {
  const which = id === LOW ? 'smaller' : 'larger';
  const on = where === onOurRelay ? 'our relay' : 'a plain server';
  test(`ours in ${ours}, a plain client with the ${which} id in ${plain}, on ${on}`, (stage) =>
    where(stage, ours, plain, id));
}
