/** What whoever runs the relay sees of it, and what it tells others: presence, attendance, figures, readiness. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { mintToken } from '../../demo-server/src/mint.ts';
import { Webhook } from '../../demo-server/src/webhook.ts';
import { memoryRelay } from '../support/memory-relay.ts';
import { runRelay, startRelayProcess, TEST_SECRET } from '../support/relay.ts';
import { WireClient } from '../support/wire-client.ts';

/** A site that keeps a register; it answers what `answer` says. */
async function register() {
  const heard: { headers: IncomingHttpHeaders; body: string; event: any }[] = [];
  const site = { heard, url: '', answer: 200, asked: 0, close: () => server.close() };
  const server = createServer((request, response) => {
    site.asked += 1;
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      if (site.answer === 200) heard.push({ headers: request.headers, body, event: JSON.parse(body) });
      response.writeHead(site.answer).end();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  site.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/attendance`;
  return Object.assign(site, { [Symbol.dispose]: () => void server.close() });
}

async function until(check: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 20_000; !check(); await new Promise((resolve) => setTimeout(resolve, 20)))
    assert.ok(Date.now() < end, what);
}

const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined };

describe('presence', () => {
  test('off unless asked for', async () => {
    await using relay = await startRelayProcess();
    assert.equal((await fetch(`${relay.url}/rooms/math`)).status, 404);
  });

  test('who is in a room, to whoever has a token that opens it', async () => {
    await using relay = await startRelayProcess({ PM_PRESENCE: 'on', PM_ROOM_PREFIX: 'school' });
    const ask = async (token: string | null, room = 'math') => {
      const headers = token === null ? {} : { authorization: `Bearer ${token}` };
      const response = await fetch(`${relay.url}/rooms/${room}`, { headers });
      const text = await response.text();
      return { status: response.status, body: response.ok ? JSON.parse(text) : text };
    };
    const any = await mintToken({ username: 'Bob' }, TEST_SECRET);
    assert.deepEqual((await ask(any)).body, { room: 'math', participants: [] });
    const token = await mintToken({ username: 'Ann', role: 'host', room: 'math' }, TEST_SECRET);
    await using ann = await WireClient.open(relay, { token, ext: true });
    await ann.join('school:math');
    assert.deepEqual((await ask(any)).body, { room: 'math', participants: [{ name: 'Ann', role: 'host' }] });
    assert.equal((await ask(token)).status, 200);
    assert.deepEqual(await ask(token, 'art'), { status: 403, body: 'Not admitted to this room' });
    for (const bad of [null, 'x', await mintToken({ username: 'Eve' }, 'another-secret-0123456789-abcdefgh')])
      assert.equal((await ask(bad)).status, 401);
  });
});

describe('attendance', () => {
  test('each join and leave, signed, with times', async () => {
    using site = await register();
    await using relay = await startRelayProcess({ PM_WEBHOOK_URL: site.url, PM_WEBHOOK_SECRET: 'hook' });
    const token = await mintToken({ username: 'Ann', account: 'a7' }, TEST_SECRET);
    const ann = await WireClient.open(relay, { token, ext: true });
    const room = randomUUID();
    await ann.join(room);
    ann.send('relay.pong', undefined, { spoken: 7_000 });
    await ann.close();
    await until(() => site.heard.length === 2, 'two events');
    const [joined, left] = site.heard.map(({ event }) => event).sort((a, b) => (a.event < b.event ? -1 : 1));
    const participant = { id: ann.userID, name: 'Ann', role: 'guest', account: 'a7' };
    assert.deepEqual(
      [joined.event, joined.room, joined.participant],
      ['participant.joined', room, participant],
    );
    assert.deepEqual(
      [left.event, left.room, left.participant, left.reason],
      ['participant.left', room, participant, 'user'],
    );
    assert.ok(left.speakingSeconds <= left.seconds + 1, 'nobody has spoken for longer than it was there');
    assert.ok(Math.abs(Date.parse(left.at) - Date.now()) < 60_000);
    assert.notEqual(joined.id, left.id);
    for (const { headers, body } of site.heard) {
      const [, seconds, v1] = /^t=(\d+),v1=([\da-f]{64})$/.exec(String(headers['pm-signature'])) ?? [];
      assert.equal(v1, createHmac('sha256', 'hook').update(`${seconds}.${body}`).digest('hex'));
    }
    assert.doesNotMatch(relay.stderr, /hook/);
  });

  test('the time of speaking is what the client tells, up to the time of being there', () => {
    const told: any[] = [];
    const relay = memoryRelay(
      { heartbeatSeconds: 1_000 },
      { attended: (attendance) => told.push(attendance) },
    );
    const ann = relay.connect({ username: 'Ann' }, 'ann');
    assert.deepEqual(ann.read()[0]?.data.features, ['attendance']);
    ann.say('chat.join', 'r');
    relay.clock.advance(60_000);
    for (const spoken of [4, 5.5]) ann.say('relay.pong', undefined, { spoken });
    ann.say('chat.leave', 'r');
    assert.deepEqual([told.at(-1).seconds, told.at(-1).speakingSeconds], [60, 10]);
    ann.say('chat.join', 'r');
    relay.clock.advance(5_000);
    ann.say('relay.pong', undefined, { spoken: 1e12 });
    ann.say('relay.pong', undefined, { spoken: -1 });
    ann.say('chat.leave', 'r');
    assert.equal(told.at(-1).speakingSeconds, 5);
  });

  test('a site that is away gets it later, under the same id; the relay does not wait', async () => {
    using site = await register();
    site.answer = 503;
    const webhook = new Webhook({ url: site.url, secret: 's', log: LOG, pauses: [20, 20, 20, 20, 20, 20] });
    webhook.tell({
      event: 'participant.joined',
      room: 'r',
      participant: { id: 'p', name: 'Ann', role: 'guest' },
    });
    await until(() => site.asked >= 3, 'asked again');
    site.answer = 200;
    await until(() => site.heard.length === 1, 'accepted');
    assert.equal(webhook.size, 0);
    await webhook.close();
  });

  test('what nobody accepts is given up in the end, and a stop does not hang on it', async () => {
    const lines: string[] = [];
    const log = { ...LOG, warn: (_: object, text: string) => void lines.push(text) };
    const webhook = new Webhook({ url: 'http://127.0.0.1:9/', secret: 's', log, pauses: [1, 1] });
    const participant = { id: 'p', name: 'Ann', role: 'guest' as const };
    webhook.tell({ event: 'participant.joined', room: 'r', participant });
    await until(() => lines.includes('attendance given up'), 'given up');
    assert.equal(lines.filter((line) => line === 'attendance not accepted').length, 3);
    assert.equal(webhook.size, 0);
    const slow = new Webhook({ url: 'http://127.0.0.1:9/', secret: 's', log, pauses: [600_000, 600_000] });
    slow.tell({ event: 'participant.joined', room: 'r', participant });
    await until(() => lines.filter((line) => line === 'attendance not accepted').length === 4, 'tried');
    await slow.close();
    assert.equal(lines.at(-1), 'attendance given up: the relay stops');
  });

  test('an address without its secret stops the start', async () => {
    const { code, stderr } = await runRelay(['--webhook-url', 'https://site.test/hook']);
    assert.equal(code, 2);
    assert.match(stderr, /^PM_WEBHOOK_SECRET is missing/);
  });
});

describe('figures', () => {
  test('off unless asked for; to this machine alone, and not through a proxy that is not listed', async () => {
    await using closed = await startRelayProcess();
    assert.equal((await fetch(`${closed.url}/metrics`)).status, 404);
    await using relay = await startRelayProcess({ PM_METRICS: 'on' });
    const response = await fetch(`${relay.url}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    await response.text();
    for (const header of ['x-forwarded-for', 'forwarded']) {
      const proxied = await fetch(`${relay.url}/metrics`, { headers: { [header]: '127.0.0.1' } });
      assert.equal(proxied.status, 404, header);
    }
  });

  test('through a listed proxy: to listed networks', async () => {
    await using relay = await startRelayProcess({
      PM_METRICS: 'on',
      PM_METRICS_FROM: '10.9.0.0/16',
      PM_TRUSTED_PROXIES: '127.0.0.0/8 ::1',
    });
    const from = async (address: string) =>
      (await fetch(`${relay.url}/metrics`, { headers: { 'x-forwarded-for': address } })).status;
    assert.deepEqual(
      [await from('10.9.1.1'), await from('10.8.1.1'), await from('203.0.113.5')],
      [200, 404, 404],
    );
  });

  test('they count, and name nobody', async () => {
    await using relay = await startRelayProcess({ PM_METRICS: 'on' });
    await using ann = await WireClient.open(relay, { ext: true, username: 'Ann Onymous' });
    await using old = await WireClient.open(relay);
    await ann.join('a secret room');
    await ann.refused('chat.message', 'elsewhere', { message: 'x' });
    await ann.refused(`x${'y'.repeat(50)}`, 'elsewhere', {});
    const gone = await WireClient.open(relay, { ext: true });
    await gone.close(4_777);
    await old.settle();
    const text = await (await fetch(`${relay.url}/metrics`)).text();
    for (const line of [
      'private_meet_sockets 2',
      'private_meet_rooms 1',
      'private_meet_members 1',
      'private_meet_messages_total{type="chat.join"} 1',
      'private_meet_refusals_total{code="not-admitted"} 1',
      'private_meet_refusals_total{code="protocol"} 1',
      'private_meet_sockets_total{status="101"} 3',
      'private_meet_closes_total{code="other"} 1',
    ])
      assert.ok(text.includes(`${line}\n`), `${line} in\n${text.replace(/^#.*\n/gm, '')}`);
    assert.doesNotMatch(text, /Onymous|secret room|yyy|4777/);
    assert.ok(!text.includes(ann.userID));
  });
});

test('a relay that stops says so to whoever asks for a socket or for its readiness, and everyone in it is told', async () => {
  await using relay = await startRelayProcess();
  assert.equal((await fetch(`${relay.url}/ready`)).status, 200);
  await using ann = await WireClient.open(relay, { ext: true });
  await using old = await WireClient.open(relay);
  for (const client of [ann, old]) await client.join('r');
  await relay.kill('SIGTERM');
  assert.deepEqual((await ann.closed).code, 1012);
  assert.deepEqual((await old.closed).code, 1012);
  assert.deepEqual(ann.all('room.left'), [], 'nobody has left');
});
