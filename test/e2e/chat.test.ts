/** A chat under a passphrase between two browsers, through the relay and through its restart. */
import assert from 'node:assert/strict';
import { expectConnected } from '../support/e2e/expect.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { until } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';

const test = scenarios({ PM_ROOM_PREFIX: 'rooms', PM_E2EE_PREFIX: 'sealed' });

interface Line {
  readonly from: string;
  readonly text: string;
  readonly state: string;
  readonly security: string;
}

const lines = (visitor: Visitor): Promise<Line[]> =>
  visitor.run(() => {
    const { participants, messages } = e2e.room('pm-room').snapshot;
    return messages.map(({ from, text, state, security }) => ({
      from: from === participants[0]?.id ? 'me' : 'them',
      text,
      state,
      security,
    }));
  });

const say = (visitor: Visitor, text: string): Promise<string> =>
  visitor.run(
    (given) =>
      e2e
        .room('pm-room')
        .sendMessage(given)
        .then(
          () => 'said',
          (error: unknown) => (error as { code: string }).code,
        ),
    text,
  );

const unlock = (visitor: Visitor, passphrase: string): Promise<void> =>
  visitor.run((given) => {
    e2e.room('pm-room').passphrase = given;
  }, passphrase);

const reads = (visitor: Visitor, texts: readonly string[]): Promise<unknown> =>
  until(`${visitor.who} to read ${texts.join(', ')}`, async () => {
    const read = (await lines(visitor)).map(({ text }) => text);
    return JSON.stringify(read) === JSON.stringify(texts);
  });

/** Sockets that cannot be opened are told to the console by the browser itself. */
const RELAY_AWAY = [
  /WebSocket connection to .* failed/,
  /ERR_CONNECTION_REFUSED/,
  /can.t establish a connection/i,
  /Cross-Origin Request Blocked/,
  /was interrupted while the page was loading/,
];

async function pair(stage: Stage, url: string): Promise<[Visitor, Visitor]> {
  const people: [Visitor, Visitor] = [
    await stage.visit('chromium', url, { allow: RELAY_AWAY }),
    await stage.visit('firefox', url, { allow: RELAY_AWAY }),
  ];
  await expectConnected(people);
  return people;
}

test('Chromium and Firefox talk under a passphrase, and a wrong one is mended', async (stage) => {
  const proxy = await stage.proxy();
  const [ada, ben] = await pair(
    stage,
    stage.roomPage({ via: proxy, attributes: 'autojoin mic-off camera-off' }),
  );
  await Promise.all([unlock(ada, 'correct horse ✓'), unlock(ben, 'correct horse ✓')]);
  assert.equal(await say(ada, 'Grüße from Chromium 👋'), 'said');
  await reads(ben, ['Grüße from Chromium 👋']);
  assert.equal(await say(ben, 'and from Firefox'), 'said');
  await reads(ada, ['Grüße from Chromium 👋', 'and from Firefox']);
  assert.deepEqual(await lines(ada), [
    { from: 'me', text: 'Grüße from Chromium 👋', state: 'sent', security: 'encrypted' },
    { from: 'them', text: 'and from Firefox', state: 'sent', security: 'encrypted' },
  ]);

  await ada.run(() => e2e.room('pm-room').setTyping(true));
  await until('ben to see ada typing', () =>
    ben.run(() => {
      const { typing, participants } = e2e.room('pm-room').snapshot;
      return typing.length === 1 && typing[0] === participants[1]?.id;
    }),
  );

  await unlock(ben, 'wrong');
  assert.equal(await say(ada, 'a secret'), 'said');
  await reads(ben, ['Grüße from Chromium 👋', 'and from Firefox', '']);
  assert.equal((await lines(ben)).at(-1)?.security, 'undecryptable');
  const failed = await until('ben to be told', async () => (await ben.events('pm-error'))[0]);
  assert.equal((failed.detail as { code: string }).code, 'decrypt-failed');
  await unlock(ben, 'correct horse ✓');
  await reads(ben, ['Grüße from Chromium 👋', 'and from Firefox', 'a secret']);

  const frames = proxy.frames.filter(({ type }) => type === 'chat.message');
  assert.ok(frames.length >= 6, `${String(frames.length)} frames of chat`);
  const seen = JSON.stringify(proxy.frames);
  for (const secret of ['Chromium', 'Firefox', 'a secret', 'correct horse'])
    assert.ok(!seen.includes(secret), `"${secret}" was on the wire`);
});

test('what is written while the relay is away is said once it is back, once and in order', async (stage) => {
  const [ada, ben] = await pair(stage, stage.roomPage({ attributes: 'autojoin mic-off camera-off' }));
  await Promise.all([unlock(ada, 'p'), unlock(ben, 'p')]);
  assert.equal(await say(ada, 'before'), 'said');
  await reads(ben, ['before']);
  await stage.relay.kill('SIGKILL');
  await Promise.all([ada, ben].map((each) => each.state('reconnecting')));
  const waiting = ['one', 'two', 'three'].map((text) => say(ada, text));
  await until('three messages to wait', async () => (await lines(ada)).length === 4);
  assert.deepEqual(
    (await lines(ada)).slice(1).map(({ state }) => state),
    ['sending', 'sending', 'sending'],
  );
  await stage.relay.restart();
  assert.deepEqual(await Promise.all(waiting), ['said', 'said', 'said']);
  // Whoever is back later than the message was said gets it all the same.
  await reads(ben, ['before', 'one', 'two', 'three']);
  await reads(ada, ['before', 'one', 'two', 'three']);
  for (const { security } of [...(await lines(ada)), ...(await lines(ben))])
    assert.equal(security, 'encrypted');
});
