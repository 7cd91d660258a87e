/**
 * What can go wrong at the door: each leaves a joined or a clearly failed room, a `pm-error` with its code, a sentence
 * that a person understands, and nothing running that should not.
 */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { expectEveryoneSeesEveryone, expectSeesAndHears } from '../support/e2e/expect.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { document } from '../support/e2e/site.ts';
import { settled, until } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';
import { startRelayProcess } from '../support/relay.ts';

const test = scenarios();

/** What browsers print by themselves when a request or a socket fails. */
const NETWORK = [
  /WebSocket connection to .* failed/,
  /Failed to load resource/,
  /Access to fetch at .* blocked by CORS policy/,
  /can.t establish a connection to the server/,
  /Cross-Origin Request Blocked/,
];

/** What people read: the thing that is wrong must be named, whatever the exact words are by now. */
const BOTH = /your camera and microphone/i;
const UNREACHABLE = /reach/i;
const NOT_SET_UP = /set up/i;
const INVITATION = /invitation/i;

const codes = async (visitor: Visitor): Promise<string[]> =>
  (await visitor.events('pm-error')).map((each) => (each.detail as { code: string }).code);

async function expectSentence(visitor: Visitor, words: RegExp): Promise<void> {
  let text = '';
  await settled(`${visitor.who} reads ${String(words)}`, async () => {
    text = await visitor.run(() => e2e.readable());
    return words.test(text) ? null : JSON.stringify(text);
  });
}

async function expectNothingRuns(visitor: Visitor): Promise<void> {
  await settled(`nothing runs at ${visitor.who}`, async () => {
    const { peerConnections, tracks, sockets, timeouts, intervals } = await visitor.run(() => e2e.counts());
    const left = { peerConnections, tracks, sockets, timeouts, intervals };
    return Object.values(left).some(Boolean)
      ? `${JSON.stringify(left)} ${(await visitor.run(() => e2e.leftovers())).join('\n')}`
      : null;
  });
}

async function expectFailed(visitor: Visitor, code: string, words: RegExp): Promise<void> {
  await visitor.state('failed', 'pm-room', 60_000);
  assert.ok(
    (await codes(visitor)).includes(code),
    `${code} is not among ${(await codes(visitor)).join(', ')}`,
  );
  await expectSentence(visitor, words);
  await expectNothingRuns(visitor);
}

/** Somebody with camera and microphone, to be seen by whoever has none. */
async function host(stage: Stage): Promise<Visitor> {
  const visitor = await stage.visit('chromium', stage.roomPage(), { process: 1, who: 'host' });
  await visitor.state('joined');
  return visitor;
}

for (const [device, other] of [
  ['video', 'audio'],
  ['audio', 'video'],
] as const) {
  test(`without ${device} alone, ${other} still works`, async (stage) => {
    const there = await host(stage);
    const visitor = await stage.visit('chromium', stage.roomPage(), {
      capture: { error: 'NotFoundError', device },
    });
    await visitor.state('joined');
    await expectSeesAndHears(visitor);
    assert.deepEqual(await codes(visitor), ['device-not-found']);
    await expectSentence(visitor, device === 'video' ? /your camera/i : /your microphone/i);
    await settled(
      'the host has the other half',
      async () => {
        const [media] = await there.run(() => e2e.remoteMedia('pm-room', 1_300));
        const works =
          other === 'audio' ? (media?.sound.rms ?? 0) > 0.005 : (media?.pictures.changes ?? 0) > 1;
        return works ? null : JSON.stringify(media);
      },
      { timeout: 45_000 },
    );
  });
}

test('a person who says no to the browser still joins', async (stage) => {
  await host(stage);
  const visitor = await stage.visit('chromium', stage.roomPage(), {
    flags: ['--use-fake-ui-for-media-stream=deny'],
    process: 0,
  });
  await visitor.state('joined');
  await expectSeesAndHears(visitor);
  assert.deepEqual([...new Set(await codes(visitor))], ['permission-denied']);
  await expectSentence(visitor, BOTH);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

for (const kind of ['chromium', 'firefox'] as const) {
  test(`${kind}: a relay that nobody answers at`, async (stage) => {
    const gone = `localhost:${String(await freePort())}`;
    const url = stage.roomPage({ via: { url: stage.relay.url, wsUrl: `ws://${gone}/ws` } });
    const visitor = await stage.visit(kind, url, { allow: NETWORK });
    await expectFailed(visitor, 'relay-unreachable', UNREACHABLE);
  });
}

test('a page without a relay at its own address', async (stage) => {
  const url = stage.site.add(
    document(
      `<pm-room room="${stage.room}" autojoin></pm-room>`,
      `<script type="module" src="${stage.relay.url}/pm-elements.js"></script>`,
    ),
  );
  const visitor = await stage.visit('chromium', url, { allow: NETWORK });
  await visitor.state('failed');
  const [code = ''] = await codes(visitor);
  assert.ok(['relay-refused', 'relay-missing', 'relay-unreachable'].includes(code), code);
  await expectNothingRuns(visitor);
});

for (const kind of ['chromium', 'firefox'] as const) {
  test(`${kind}: a token that the relay refuses`, async (stage) => {
    const visitor = await stage.visit(
      kind,
      stage.roomPage({ attributes: 'token="no.token.atall" autojoin' }),
      { allow: NETWORK },
    );
    await expectFailed(visitor, 'token-invalid', INVITATION);
  });
}

test('a relay that does not admit this page', async (stage) => {
  await using relay = await startRelayProcess({ PM_ALLOWED_ORIGINS: 'https://somebody.example' });
  const url = stage.roomPage({ via: { url: stage.relay.url, wsUrl: relay.wsUrl } });
  const visitor = await stage.visit('chromium', url, { allow: NETWORK });
  await expectFailed(visitor, 'relay-refused', NOT_SET_UP);
});

test('a wrong name of a room, and then a right one', async (stage) => {
  for (const name of ['', 'x'.repeat(129), 'two\u202Erooms']) {
    const url = stage.site.add(
      document(
        `<pm-room room="${name}" relay="${stage.relay.wsUrl}" autojoin></pm-room>`,
        `<script type="module" src="${stage.relay.url}/pm-elements.js"></script>`,
      ),
    );
    const visitor = await stage.visit('chromium', url, { process: 0 });
    // Without any name the element waits for one; asked to join, it says so.
    if (!name)
      await visitor.run(() =>
        e2e
          .room('pm-room')
          .join()
          .catch(() => {}),
      );
    await expectFailed(visitor, 'usage', NOT_SET_UP);
    await visitor.run((room) => {
      e2e.room('pm-room').setAttribute('room', room);
    }, stage.room);
    await visitor.run(() => e2e.room('pm-room').join());
    await visitor.state('joined');
    await visitor.close();
  }
});

test('a relay that never answers the join', async (stage) => {
  const proxy = await stage.proxy();
  proxy.filter = (frame) => (frame.type === 'chat.join' ? null : frame.text);
  const visitor = await stage.visit('chromium', stage.roomPage({ via: proxy }));
  await expectFailed(visitor, 'relay-unreachable', UNREACHABLE);
});

const garbage: (string | Buffer)[] = [
  '',
  'no json',
  '{',
  'null',
  '[]',
  '42',
  '{}',
  '{"type":null}',
  '{"type":"__proto__","data":{}}',
  '{"type":"constructor","data":{}}',
  '{"type":"room.users"}',
  '{"type":"room.users","room":"elsewhere","data":{"users":[]}}',
  '{"type":"room.users","room":7,"data":{"users":"all"}}',
  '{"type":"room.left","room":"","data":{}}',
  '{"type":"relay.welcome","data":{"heartbeatSeconds":"soon"}}',
  '{"type":"webrtc.answer","room":"","data":{"sdp":7}}',
  `{"type":"webrtc.iceCandidate","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
  `{"type":"tomorrow.types","data":"${'x'.repeat(60_000)}"}`,
  Buffer.from([0, 255, 1, 254, 200, 128]),
  Buffer.alloc(60_000, 0xc3),
];

test('frames that are no JSON or no known message are dropped, and the call goes on', async (stage) => {
  const proxy = await stage.proxy();
  const url = stage.roomPage({ via: proxy });
  const people = [await stage.visit('chromium', url), await stage.visit('firefox', url)];
  await expectEveryoneSeesEveryone(people);
  for (const frame of garbage) proxy.inject(frame);
  await expectEveryoneSeesEveryone(people);
  for (const visitor of people) {
    assert.equal((await visitor.summary()).state, 'joined');
    assert.deepEqual(await visitor.events('pm-participant-left'), []);
    assert.equal((await visitor.run(() => e2e.made())).sockets, 1, 'the socket was given up');
  }
  // The relay is still listened to.
  const third = await stage.visit('chromium', url);
  await until('the newcomer is seen', async () => (await people[0]?.summary())?.participants.length === 3);
  await third.close();
});

test('garbage in the name of somebody in the room costs no picture', async (stage) => {
  const proxy = await stage.proxy();
  const url = stage.roomPage({ via: proxy });
  const people = [await stage.visit('chromium', url), await stage.visit('firefox', url)];
  await expectEveryoneSeesEveryone(people);
  const offer = proxy.frames.find((frame) => frame.direction === 'down' && frame.type === 'webrtc.offer');
  assert.ok(offer);
  const given = JSON.parse(offer.text) as { room: string; from: string; data: { conn: string } };
  for (const sdp of ['no sdp', 'v=0\r\n', `v=0\r\n${'a=candidate:'.repeat(1_000)}\r\n`]) {
    const data = { sdp, conn: given.data.conn };
    for (const type of ['webrtc.offer', 'webrtc.answer']) {
      for (const { participants } of await Promise.all(people.map((each) => each.summary()))) {
        for (const { id } of participants) {
          proxy.inject(
            JSON.stringify({ type, room: given.room, from: id, data: { to: given.from, ...data } }),
          );
        }
      }
    }
  }
  await expectEveryoneSeesEveryone(people);
  for (const visitor of people) assert.equal((await visitor.summary()).state, 'joined');
});
