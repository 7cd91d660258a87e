/** What hosts may do, and what it does to the others: the relay's core on a clock of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Claims } from '../../demo-server/src/core/env.ts';
import { memoryRelay, type MemorySocket } from '../support/memory-relay.ts';

const HOST: Partial<Claims> = { role: 'host', username: 'Tea' };

function setUp() {
  const relay = memoryRelay({ heartbeatSeconds: 1_000, joinSeconds: 100_000 });
  const { connect } = relay;
  const host = connect(HOST, 'host');
  host.say('chat.join', 'r');
  host.read();
  let count = 0;
  /** What answers a join. */
  const join = (socket: MemorySocket, data: object = {}) => {
    socket.read();
    socket.say('chat.join', 'r', data);
    return socket.read();
  };
  const guest = (username: string, claims: Partial<Claims> = {}) =>
    connect({ username, ...claims }, `guest${(count += 1)}`);
  const inside = (username: string, claims: Partial<Claims> = {}) => {
    const socket = guest(username, claims);
    join(socket);
    for (const each of [host, socket]) each.read();
    return socket;
  };
  const idOf = (socket: MemorySocket) => socket.connection.person.userID;
  const waiting = () =>
    host
      .read()
      .findLast(({ type }) => type === 'room.waiting')
      ?.data.users.map(({ username }: { username: string }) => username);
  return { ...relay, host, join, guest, inside, idOf, waiting };
}

const codeOf = (frames: { type: string; data: any }[]) =>
  frames.find(({ type }) => type === 'general.error')?.data.code;
const kinds = (frames: { type: string }[]) => frames.map(({ type }) => type);

test('a locked room: nobody gets in but hosts and whoever still has a place; everybody is told', () => {
  const { host, join, guest, inside, connect } = setUp();
  const ann = inside('Ann');
  host.say('room.lock', 'r', { on: true });
  assert.deepEqual(ann.read().at(-1), {
    type: 'room.rules',
    room: 'r',
    data: { locked: true, lobby: false, password: false },
    from: 'system',
  });
  const bob = guest('Bob');
  assert.equal(codeOf(join(bob)), 'room-locked');
  assert.deepEqual(join(connect({}))[0]?.data, { error: 'Room is locked' });
  assert.ok(kinds(join(connect(HOST, 'second'))).includes('room.joined'));
  ann.end(1006);
  const back = connect({}, 'guest1');
  assert.equal(join(back)[0]?.data.resumed, true);
  host.say('room.lock', 'r', { on: false });
  assert.equal(join(bob)[0]?.type, 'room.joined');
});

test('a lobby: who comes waits, hosts see who, and admit or refuse', () => {
  const { host, join, guest, idOf, waiting, core } = setUp();
  host.say('room.lobby', 'r', { on: true });
  const [ann, bob, cat] = ['Ann', 'Bob', 'Cat'].map((name) => guest(name)) as [
    MemorySocket,
    MemorySocket,
    MemorySocket,
  ];
  for (const socket of [ann, bob, cat]) assert.deepEqual(kinds(join(socket)).slice(-1), ['room.waiting']);
  assert.deepEqual(waiting(), ['Ann', 'Bob', 'Cat']);
  ann.say('chat.message', 'r', { message: 'let me in' });
  assert.equal(codeOf(ann.read()), 'not-admitted');

  host.say('room.admit', 'r', { userID: idOf(ann) });
  assert.deepEqual(kinds(ann.read()), ['room.admitted']);
  assert.deepEqual(waiting(), ['Bob', 'Cat']);
  assert.deepEqual(kinds(join(ann)), ['room.joined', 'room.rules']);

  host.say('room.refuse', 'r', { userID: idOf(bob) });
  assert.deepEqual(bob.read()[0]?.data, { userID: idOf(bob), reason: 'refused' });
  assert.deepEqual(waiting(), ['Cat']);
  assert.deepEqual(kinds(join(bob)), ['room.waiting'], 'may ask again');
  bob.end(1000);
  cat.say('chat.leave', 'r');
  assert.deepEqual(waiting(), []);
  assert.equal(core.rooms.get('r')?.seats.size, 2);
});

test('a second host finds who waits; whoever comes back from a lost socket waits again', () => {
  const { host, join, guest, connect } = setUp();
  host.say('room.lobby', 'r', { on: true });
  join(guest('Ann'));
  const second = connect(HOST, 'second');
  assert.deepEqual(kinds(join(second)).slice(-3), ['room.joined', 'room.rules', 'room.waiting']);
  const ann = connect({ username: 'Ann' }, 'guest1');
  assert.deepEqual(kinds(join(ann)).slice(-1), ['room.waiting']);
  assert.equal(second.read().at(-1)?.data.users.length, 1);
});

test('an original client waits without a word, and is in when it is let in', () => {
  const { host, join, connect, idOf, waiting } = setUp();
  host.say('room.lobby', 'r', { on: true });
  const plain = connect({ username: 'Old' });
  assert.deepEqual(join(plain), []);
  assert.deepEqual(waiting(), ['Old']);
  host.say('room.admit', 'r', { userID: idOf(plain) });
  assert.equal(plain.read()[0]?.data.users.length, 2);
});

test('opening the room lets everybody in who waits', () => {
  const { host, join, guest, waiting } = setUp();
  host.say('room.lobby', 'r', { on: true });
  const ann = guest('Ann');
  join(ann);
  host.say('room.lobby', 'r', { on: false });
  assert.deepEqual(kinds(ann.read()), ['room.admitted']);
  assert.deepEqual(waiting(), []);
});

test('so many wait and no more', () => {
  const { host, join, guest } = setUp();
  host.say('room.lobby', 'r', { on: true });
  for (let index = 0; index < 50; index += 1) join(guest(`G${index}`));
  assert.equal(codeOf(join(guest('late'))), 'room-full');
});

test('a removed member is told, the others as well, and it does not get in again, under no session of its', () => {
  const { host, join, inside, idOf, connect } = setUp();
  const ann = inside('Ann', { account: 'a7' });
  const bob = inside('Bob');
  ann.read();
  host.say('room.remove', 'r', { userID: idOf(ann) });
  assert.deepEqual(ann.read()[0]?.data, { userID: idOf(ann), reason: 'removed' });
  assert.deepEqual(bob.read()[0]?.data, { userID: idOf(ann), reason: 'removed' });
  assert.equal(codeOf(join(ann)), 'not-admitted');
  assert.equal(codeOf(join(connect({ account: 'a7' }, 'another'))), 'not-admitted');
  assert.deepEqual(join(connect({ account: 'a7' }))[0]?.data, { error: 'Not admitted to this room' });
  ann.say('webrtc.offer', 'r', { sdp: 'v=0', to: idOf(bob) });
  assert.equal(codeOf(ann.read()), 'not-admitted');
  assert.deepEqual(bob.types(), [], 'nothing more of it');
});

test('hosts cannot put each other out, nor an outsider', () => {
  const { host, connect, join, idOf, core } = setUp();
  const second = connect(HOST, 'second');
  join(second);
  host.read();
  host.say('room.remove', 'r', { userID: idOf(second) });
  assert.equal(codeOf(host.read()), 'not-admitted');
  host.say('room.remove', 'r', { userID: 'nobody' });
  assert.deepEqual(host.read(), []);
  assert.equal(core.rooms.get('r')?.seats.size, 2);
});

test('the end for all: everybody is told, whoever waits too, and nothing of the room is left', () => {
  const { host, join, guest, inside, connect, core, clock } = setUp();
  const ann = inside('Ann');
  const plain = connect({});
  join(plain);
  host.say('room.lobby', 'r', { on: true });
  const bob = guest('Bob');
  join(bob);
  for (const socket of [host, ann, plain]) socket.read();
  host.say('room.end', 'r', {});
  for (const socket of [host, ann, bob]) assert.equal(socket.read()[0]?.data.reason, 'host-ended');
  assert.deepEqual(plain.read()[0]?.data, { error: 'The room was ended' });
  assert.equal(core.rooms.size, 0);
  ann.say('chat.message', 'r', { message: 'still there?' });
  assert.equal(codeOf(ann.read()), 'not-admitted');
  assert.deepEqual(kinds(join(ann)), ['room.joined'], 'a new room, without rules');
  for (const socket of [host, ann, bob, plain]) socket.end(1000);
  assert.equal(clock.size, 0);
});

test('a request to be silent reaches one, or all the others, in the host’s name', () => {
  const { host, inside, idOf, connect, join } = setUp();
  const ann = inside('Ann');
  const bob = inside('Bob');
  const plain = connect({});
  join(plain);
  for (const socket of [host, ann, bob, plain]) socket.read();
  host.say('room.mute', 'r', { userID: idOf(ann) });
  assert.deepEqual(ann.read(), [{ type: 'room.mute', room: 'r', data: {}, from: idOf(host) }]);
  assert.deepEqual(bob.read(), []);
  host.say('room.mute', 'r', {});
  for (const socket of [ann, bob]) assert.deepEqual(socket.types(), ['room.mute']);
  for (const socket of [host, plain]) assert.deepEqual(socket.read(), []);
});

test('a password: asked for, checked, kept as a digest alone, and tried so often and no more', () => {
  const { host, join, guest, connect, core, clock } = setUp();
  host.say('room.password', 'r', { password: 'open sesame' });
  assert.equal(host.read().at(-1)?.data.password, true);
  assert.doesNotMatch(JSON.stringify(core.rooms.get('r')?.rules), /sesame/);
  const ann = guest('Ann');
  assert.equal(codeOf(join(ann)), 'password-needed');
  assert.equal(codeOf(join(ann, { password: 'open barley' })), 'password-needed');
  assert.equal(join(ann, { password: 'open sesame' })[0]?.type, 'room.joined');
  assert.deepEqual(join(connect({}))[0]?.data, { error: 'This room needs a password' });
  const codes = Array.from({ length: 80 }, (_, index) =>
    codeOf(join(guest(`G${index}`), { password: `${index}` })),
  );
  assert.ok(codes.filter((code) => code === 'password-needed').length <= 51);
  assert.equal(codes.at(-1), 'rate-limited');
  assert.equal(
    codeOf(join(guest('Bob'), { password: 'open sesame' })),
    undefined,
    'the right one is never held up',
  );
  clock.advance(10_000);
  assert.equal(codeOf(join(guest('Eve'), { password: 'x' })), 'password-needed');
  host.say('room.password', 'r', { password: null });
  assert.equal(join(guest('Cat'))[0]?.type, 'room.joined');
});

test('rules outlive an empty room by ten minutes, and an ordinary room not at all', () => {
  const { host, join, guest, connect, core, clock } = setUp();
  host.say('room.lock', 'r', { on: true });
  host.end(1000);
  const ann = guest('Ann');
  assert.equal(codeOf(join(ann)), 'room-locked');
  clock.advance(599_000);
  assert.equal(codeOf(join(ann)), 'room-locked');
  clock.advance(1_000);
  assert.equal(core.rooms.size, 0);
  assert.equal(join(ann)[0]?.type, 'room.joined');
  ann.end(1000);
  assert.equal(core.rooms.size, 0);
  const again = connect(HOST, 'again');
  join(again);
  again.say('room.lobby', 'r', { on: true });
  again.end(1000);
  const bob = guest('Bob');
  join(bob);
  clock.advance(1_200_000);
  assert.equal(core.rooms.size, 1, 'somebody waits for a host');
  bob.end(1000);
  clock.advance(600_000);
  assert.equal(core.rooms.size, 0);
});

test('asking for a place in a locked room is no fault, guessing is', () => {
  const { host, join, guest } = setUp();
  host.say('room.lock', 'r', { on: true });
  const ann = guest('Ann');
  for (let count = 0; count < 20; count += 1) join(ann);
  assert.equal(ann.closedWith, null);
  host.say('room.lock', 'r', { on: false });
  host.say('room.password', 'r', { password: 'x' });
  for (let count = 0; count < 10; count += 1) join(ann, { password: `${count}` });
  assert.deepEqual(ann.closedWith, { code: 1008, reason: 'Too many protocol errors' });
});
