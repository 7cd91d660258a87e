/** How much one address, account, socket or room may have. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { Callers, callerOf } from '../../demo-server/src/callers.ts';
import { LIMITS } from '../../src/core/protocol/limits.ts';
import { memoryRelay } from '../support/memory-relay.ts';
import { startRelayProcess } from '../support/relay.ts';
import { newSession, signIn, WireClient, type WireOptions } from '../support/wire-client.ts';

type Relay = Awaited<ReturnType<typeof startRelayProcess>>;

/** The status that refuses a socket, or the socket. */
const attempt = (relay: Relay, options: WireOptions): Promise<WireClient | number> =>
  WireClient.open(relay, options).catch((error: Error) => Number(/\d{3}$/.exec(error.message)?.[0]));

const request = (remoteAddress: string, forwarded?: string): IncomingMessage =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

test('whoever asks: forwarded addresses from listed proxies alone, up to the first that is not listed', () => {
  const nobody = callerOf([]);
  const proxied = callerOf(['10.0.0.0/8', '::1']);
  assert.equal(nobody(request('203.0.113.5', '198.51.100.1')), '203.0.113.5');
  assert.equal(nobody(request('10.1.1.1', '198.51.100.1')), '10.1.1.1');
  assert.equal(proxied(request('10.1.1.1', '198.51.100.1')), '198.51.100.1');
  assert.equal(proxied(request('10.1.1.1', '192.0.2.66, 198.51.100.1, 10.2.2.2')), '198.51.100.1');
  assert.equal(proxied(request('203.0.113.5', '198.51.100.1')), '203.0.113.5');
});

test('an address written in two ways is one, and so is an IPv6 network of 64 bits', () => {
  const caller = callerOf([]);
  assert.equal(caller(request('::ffff:203.0.113.5')), '203.0.113.5');
  const home = caller(request('2001:db8:1:2::1'));
  assert.equal(caller(request('2001:db8:1:2:aaaa:bbbb:cccc:dddd')), home);
  assert.notEqual(caller(request('2001:db8:1:3::1')), home);
});

test('places that left are forgotten, however many come', () => {
  let now = 0;
  const callers = new Callers(1, 10, () => now);
  for (let index = 0; index < 20_000; index += 1) {
    now += 1;
    const leave = callers.enter(`a${index}`);
    assert.ok(leave);
    leave();
    leave(); // twice is once
  }
  assert.ok((callers as unknown as { places: Map<string, unknown> }).places.size < 8_000);
  assert.ok(callers.enter('a1'));
  assert.equal(callers.enter('a1'), null);
});

test('open sockets of one address: the next is refused with 429, and the diagnosis says the same', async () => {
  await using relay = await startRelayProcess({ PM_SOCKETS_PER_ADDRESS: '3' });
  const clients = [];
  for (let index = 0; index < 3; index += 1) clients.push(await WireClient.open(relay, { ext: true }));
  assert.equal(await attempt(relay, { ext: true }), 429);
  const { accessToken } = await signIn(relay.url);
  const why = await fetch(`${relay.url}/ws?token=${accessToken}`, {
    headers: { 'x-forwarded-for': '198.51.100.1' }, // nobody's word
  });
  assert.deepEqual([why.status, await why.text()], [429, 'Too many connections']);
  assert.ok(Number(why.headers.get('retry-after')) >= 1);
  await clients[0]!.close();
  await using next = await WireClient.open(relay, { ext: true });
  assert.ok(next.userID);
  for (const client of clients) await client.cut();
});

test('new sockets of one address: no faster than the rate', async () => {
  await using relay = await startRelayProcess({ PM_CONNECT_RATE: '1' });
  const { accessToken: token } = await signIn(relay.url);
  const answers = await Promise.all(Array.from({ length: 40 }, () => attempt(relay, { token })));
  const refused = answers.filter((answer) => answer === 429).length;
  assert.ok(refused >= 20 && refused <= 35, `${refused} of 40 refused`);
  for (const answer of answers) if (typeof answer !== 'number') await answer.cut();
});

test('sockets of one account: the next is refused, a session that comes back is not', async () => {
  await using relay = await startRelayProcess({ PM_SOCKETS_PER_ACCOUNT: '2' });
  const { accessToken: token } = await signIn(relay.url);
  const session = newSession();
  await using first = await WireClient.open(relay, { token, ext: true, session });
  await using second = await WireClient.open(relay, { token, ext: true });
  assert.equal(await attempt(relay, { token, ext: true }), 429);
  assert.equal(await attempt(relay, { token }), 429);
  await using again = await WireClient.open(relay, { token, ext: true, session });
  assert.equal((await first.closed).code, 4001);
  assert.equal(again.userID, first.userID);
  await second.settle();
});

test('rooms of one socket: the next is refused with its code, the others stay', async () => {
  await using relay = await startRelayProcess({ PM_ROOMS_PER_SOCKET: '2' });
  await using ann = await WireClient.open(relay, { ext: true });
  const rooms = [randomUUID(), randomUUID()];
  for (const room of rooms) await ann.join(room);
  const room = randomUUID();
  assert.deepEqual(await ann.refused('chat.join', room, {}), {
    error: 'Too many rooms',
    code: 'not-admitted',
    type: 'chat.join',
    room,
  });
  await ann.join(rooms[0]!);
  ann.send('chat.leave', rooms[0]);
  await ann.join(room);
});

test('members of one room: the next is refused', () => {
  const { connect } = memoryRelay({ membersPerRoom: 2 });
  for (const name of ['ann', 'bob']) connect({}, name).say('chat.join', 'r');
  const late = connect({}, 'cat');
  late.say('chat.join', 'r');
  assert.equal(late.read().at(-1)?.data.code, 'room-full');
  const plain = connect({});
  plain.say('chat.join', 'r');
  assert.deepEqual(plain.read().at(-1)?.data, { error: 'Room is full' });
});

test('a socket that never joins is ended, one that has joined once is not', () => {
  const { connect, clock } = memoryRelay({ joinSeconds: 60, heartbeatSeconds: 1_000 });
  const idle = connect({}, 'idle');
  const plain = connect({});
  const member = connect({}, 'member');
  member.say('chat.join', 'r');
  member.say('chat.leave', 'r');
  clock.advance(59_000);
  assert.equal(idle.closedWith, null);
  plain.connection.pong();
  clock.advance(1_000);
  assert.deepEqual(idle.closedWith, { code: 4008, reason: 'nothing joined' });
  assert.deepEqual(plain.closedWith, { code: 4008, reason: 'nothing joined' });
  assert.equal(member.closedWith, null);
});

test('several sockets of one account share a limit', () => {
  const { connect, clock } = memoryRelay({ heartbeatSeconds: 1_000 });
  const sockets = Array.from({ length: 6 }, (_, index) => connect({ account: 'a7' }, `s${index}`));
  const stranger = connect({}, 'stranger');
  const ask = () => {
    for (const socket of [...sockets, stranger]) socket.read();
    for (let count = 0; count < 9; count += 1) {
      for (const socket of sockets) for (let i = 0; i < 6; i += 1) socket.say('utils.generateRoomID');
    }
    stranger.say('utils.generateRoomID');
  };
  ask();
  const answered = sockets.flatMap((socket) => socket.read()).filter(({ data }) => data.roomID).length;
  assert.equal(answered, LIMITS.messageBurst * 3);
  assert.deepEqual(stranger.types(), ['utils.generateRoomID'], 'others do not notice');
  clock.advance(60_000);
});

test('a reader that takes nothing for 2 s is cut with a code, one that takes a little is not', () => {
  const { connect, clock } = memoryRelay({ heartbeatSeconds: 3 });
  const [stalled, slow, talker] = ['stalled', 'slow', 'talker'].map((name) => connect({}, name));
  for (const socket of [stalled!, slow!, talker!]) socket.say('chat.join', 'r');
  for (let tick = 0; tick < 100; tick += 1) {
    // What waits grows in one, and comes and goes in the other.
    stalled!.bufferedAmount = 1_000 + tick;
    slow!.bufferedAmount = tick % 4 === 3 ? 500 : 1_000 + tick;
    clock.advance(200);
    for (const socket of [stalled!, slow!, talker!])
      socket.connection.receive('{"type":"relay.pong","data":{}}');
    if (tick % 2) talker!.say('chat.message', 'r', { message: 'hello' });
    if (stalled!.closedWith) break;
  }
  assert.deepEqual(stalled!.closedWith, { code: 4005, reason: 'too slow' });
  assert.ok(clock.now() <= 5_000, `cut after ${clock.now()} ms`);
  for (let tick = 0; tick < 50; tick += 1) {
    slow!.bufferedAmount = tick % 4 === 3 ? 500 : 2_000 + tick;
    clock.advance(200);
    for (const socket of [slow!, talker!]) socket.connection.receive('{"type":"relay.pong","data":{}}');
    talker!.say('chat.message', 'r', { message: 'hello' });
  }
  assert.equal(slow!.closedWith, null);
});

test('ten sockets of endless tiny fragments are ended, and an honest one beside them notices nothing', async () => {
  await using relay = await startRelayProcess({ PM_METRICS: 'on' });
  const memory = async () =>
    Number(
      /^process_resident_memory_bytes (\S+)$/m.exec(await (await fetch(`${relay.url}/metrics`)).text())?.[1],
    ) / 1e6;
  await using honest = await WireClient.open(relay, { ext: true });
  const attackers = await Promise.all(
    Array.from({ length: 10 }, () => WireClient.open(relay, { ext: true })),
  );
  await honest.settle();
  const before = await memory();
  for (const { socket } of attackers) {
    socket.send('{"type":"', { fin: false });
    // Without an end: the message never becomes one.
    for (let count = 0; count < 5_000; count += 1) socket.send('x', { fin: false });
  }
  const codes = await Promise.all(attackers.map(async ({ closed }) => (await closed).code));
  assert.ok(
    codes.every((code) => code === 1008 || code === 1006),
    codes.join(),
  );
  await honest.settle();
  assert.ok((await memory()) - before < 20);
});

test('origins that are not listed are refused before anything else, exact ones are not', async () => {
  await using relay = await startRelayProcess({ PM_ALLOWED_ORIGINS: 'https://school.test' });
  const { accessToken: token } = await signIn(relay.url);
  const hosts = [
    'school.test.evil.test',
    'evilschool.test',
    'a.school.test',
    'school.test:444',
    'SCHOOL.test.',
  ];
  const origins = hosts.flatMap((host) => ['https', 'http', 'ftp'].map((scheme) => `${scheme}://${host}`));
  origins.push('null', 'http://school.test', 'https://school.test/', 'https://school.test@evil.test', ' ');
  assert.equal(origins.length, 20);
  for (const origin of origins) assert.equal(await attempt(relay, { token, origin }), 403, origin);
  await using admitted = await WireClient.open(relay, { token, origin: 'https://school.test' });
  assert.ok(admitted.userID);
});
