/** The relay's core on a clock of its own: what takes too long, or is too rare, to wait for on a real one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../src/core/protocol/limits.ts';
import { memoryRelay, type MemorySocket } from '../support/memory-relay.ts';

const usersOf = (socket: MemorySocket): string[] =>
  (socket.read().findLast(({ type }) => type === 'room.users')?.data.users ?? []).map(
    ({ username }: { username: string }) => username,
  );

test('an original client is pinged after 54 s and cut at 60 s without an answer, even while it talks', () => {
  const { connect, clock, core } = memoryRelay();
  const silent = connect({});
  const alive = connect({});
  for (let second = 1; second <= 59; second += 1) {
    clock.advance(1_000);
    silent.say('utils.generateRoomID');
    if (second === 53) assert.equal(silent.pings, 0);
    if (second === 55) {
      assert.equal(silent.pings, 1);
      alive.connection.pong();
    }
  }
  assert.equal(silent.closedWith, null);
  clock.advance(1_000);
  assert.equal(silent.closedWith, 'terminated');
  assert.equal(alive.closedWith, null);
  assert.equal(core.size, 1);
});

test('an extended client is pinged every heartbeat and cut within 10 s of its last frame', () => {
  const { connect, clock } = memoryRelay({ heartbeatSeconds: 3 });
  const alive = connect({}, 'alive');
  const silent = connect({}, 'silent');
  let cutAt = 0;
  for (let tick = 0; tick < 200 && silent.closedWith === null; tick += 1) {
    clock.advance(100);
    cutAt = clock.now();
    for (const { type } of alive.frames.splice(0)) if (type === 'relay.ping') alive.say('relay.pong');
  }
  assert.ok(cutAt > 7_000 && cutAt < 10_000, `cut after ${cutAt} ms`);
  assert.equal(alive.closedWith, null);
});

test('the heartbeat has no timer when nobody is there', () => {
  const { connect, clock } = memoryRelay();
  const one = connect({}, 'one');
  const two = connect({});
  assert.ok(clock.size > 0);
  one.end(1000);
  two.end(1000);
  assert.equal(clock.size, 0);
});

test('TURN credentials are renewed at two thirds of their life, in the room and in the lobby', () => {
  const { connect, clock } = memoryRelay({ iceRenewSeconds: 40 });
  const lobby = connect({}, 'lobby');
  const joined = connect({}, 'joined');
  joined.say('chat.join', 'r');
  const first = lobby.read()[0];
  assert.equal(first?.type, 'relay.welcome');
  assert.match(first.data.iceServers[0].username, /^0:/);
  const renewals = new Map<MemorySocket, string[]>([
    [lobby, []],
    [joined, []],
  ]);
  for (let second = 0; second < 100; second += 1) {
    clock.advance(1_000);
    for (const [socket, seen] of renewals) {
      for (const { type, data } of socket.read())
        if (type === 'relay.ice') seen.push(data.iceServers[0].username);
      socket.say('relay.pong');
    }
  }
  for (const seen of renewals.values()) assert.equal(seen.length, 2);
  assert.match(renewals.get(lobby)![0]!, /^4[0-3]:/);
});

test('a held place ends after the grace with relay-gone, and only then', () => {
  const { connect, clock, core } = memoryRelay({ graceSeconds: 30, heartbeatSeconds: 60 });
  const ann = connect({ username: 'Ann' }, 'ann');
  const bob = connect({ username: 'Bob' }, 'bob');
  ann.say('chat.join', 'r');
  bob.say('chat.join', 'r');
  ann.read();
  bob.end(1006);
  clock.advance(29_000);
  assert.deepEqual(ann.types(), []);
  clock.advance(1_000);
  const [left, users] = ann.read();
  assert.deepEqual([left?.type, left?.data.reason], ['room.left', 'relay-gone']);
  assert.deepEqual(
    users?.data.users.map(({ username }: { username: string }) => username),
    ['Ann'],
  );
  ann.end(1000);
  assert.equal(core.rooms.size, 0);
});

test('connecting again without joining does not extend the grace', () => {
  const { connect, clock } = memoryRelay({ graceSeconds: 5, heartbeatSeconds: 60 });
  const ann = connect({}, 'ann');
  const bob = connect({}, 'bob');
  ann.say('chat.join', 'r');
  bob.say('chat.join', 'r');
  bob.end(1006);
  ann.read();
  clock.advance(4_000);
  const back = connect({}, 'bob');
  clock.advance(2_000);
  assert.deepEqual(ann.types(), ['room.left', 'room.users']);
  back.read();
  back.say('chat.join', 'r');
  const answer = back.read()[0];
  assert.deepEqual([answer?.type, answer?.data.resumed, answer?.data.seq], ['room.joined', false, 3]);
});

test('what a held member missed comes back in order: who left, the answer to its join, then signals', () => {
  const { connect } = memoryRelay();
  const ann = connect({ username: 'Ann' }, 'ann');
  const bob = connect({ username: 'Bob' }, 'bob');
  const cat = connect({ username: 'Cat' }, 'cat');
  for (const socket of [ann, bob, cat]) socket.say('chat.join', 'r');
  const to = ann.connection.person.userID;
  ann.end(1006);
  cat.say('webrtc.offer', 'r', { sdp: 'of somebody who leaves', to });
  cat.say('chat.message', 'r', { message: 'bye' });
  bob.say('webrtc.offer', 'r', { sdp: 'kept', to });
  bob.say('chat.typing', 'r', { typing: true });
  cat.end(1000);
  const back = connect({ username: 'Ann' }, 'ann');
  back.read();
  bob.read();
  back.say('chat.join', 'r');
  const frames = back.read();
  assert.deepEqual(
    frames.map(({ type }) => type),
    ['room.left', 'room.joined', 'chat.message', 'webrtc.offer'],
  );
  assert.equal(frames[1]?.data.resumed, true);
  assert.equal(frames[3]?.data.sdp, 'kept');
  assert.deepEqual(bob.types(), [], 'nobody is told about a resume');
});

test('the backlog is bounded in number and in size, and loses the oldest', () => {
  const { connect, clock } = memoryRelay({ heartbeatSeconds: 60 });
  const ann = connect({}, 'ann');
  const bob = connect({}, 'bob');
  ann.say('chat.join', 'r');
  bob.say('chat.join', 'r');
  const to = ann.connection.person.userID;
  const resume = (): string[] => {
    const back = connect({}, 'ann');
    back.say('chat.join', 'r');
    const sdps = back
      .read()
      .flatMap(({ type, data }) => (type === 'webrtc.offer' ? [data.sdp as string] : []));
    back.end(1006);
    return sdps;
  };
  ann.end(1006);
  for (let index = 0; index < 100; index += 1) {
    bob.say('webrtc.offer', 'r', { sdp: String(index), to });
    clock.advance(100);
  }
  const many = resume();
  assert.equal(many.length, 64);
  assert.deepEqual([many[0], many.at(-1)], ['36', '99']);
  for (let index = 0; index < 10; index += 1) {
    bob.say('webrtc.offer', 'r', { sdp: `${index}${'x'.repeat(60_000)}`, to });
    clock.advance(100);
  }
  const large = resume();
  assert.equal(large.length, 4);
  assert.equal(large.at(-1)?.[0], '9');
});

test('a plain client that leaves and joins back to back stays in the eyes of extended members', () => {
  const { connect, clock } = memoryRelay({ heartbeatSeconds: 60 });
  const ext = connect({ username: 'Ext' }, 'ext');
  const plain = connect({ username: 'Plain' });
  const witness = connect({ username: 'Witness' });
  for (const socket of [ext, plain, witness]) socket.say('chat.join', 'r');
  ext.read();
  witness.read();
  plain.say('chat.leave', 'r');
  assert.deepEqual(usersOf(witness), ['Ext', 'Witness']);
  plain.say('chat.join', 'r');
  assert.deepEqual(usersOf(witness), ['Ext', 'Plain', 'Witness']);
  clock.advance(2_000);
  assert.deepEqual(ext.types(), []);
  plain.say('chat.leave', 'r');
  clock.advance(2_000);
  const [left, users] = ext.read();
  assert.deepEqual([left?.type, left?.data.reason, users?.type], ['room.left', 'user', 'room.users']);
});

test('signals to a plain client that leaves and joins back to back wait for it', () => {
  const { connect, clock } = memoryRelay({ heartbeatSeconds: 60 });
  const ext = connect({ username: 'Ext' }, 'ext');
  const plain = connect({ username: 'Plain' });
  for (const socket of [ext, plain]) socket.say('chat.join', 'r');
  const to = plain.connection.person.userID;
  const answer = (sdp: string): void => ext.say('webrtc.answer', 'r', { sdp, to });
  plain.say('chat.leave', 'r');
  answer('between');
  plain.read();
  plain.say('chat.join', 'r');
  assert.deepEqual(plain.types(), ['room.users', 'webrtc.answer']);
  plain.say('chat.leave', 'r');
  clock.advance(2_000);
  answer('to nobody');
  plain.say('chat.join', 'r');
  assert.deepEqual(plain.types(), ['room.users']);
});

test('a reader that is 1 MiB behind is cut, and others do not notice', () => {
  const { connect, logged } = memoryRelay();
  const slow = connect({}, 'slow');
  const other = connect({}, 'other');
  slow.say('chat.join', 'r');
  other.say('chat.join', 'r');
  slow.read();
  other.read();
  slow.bufferedAmount = 1024 * 1024 + 1;
  other.say('chat.message', 'r', { message: 'hello' });
  other.say('chat.message', 'r', { message: 'again' });
  assert.deepEqual(slow.closedWith, { code: 4005, reason: 'too slow' });
  assert.deepEqual(other.types(), ['chat.message', 'chat.message']);
  assert.equal(logged.filter((line) => line === 'slow reader cut').length, 1);
});

test('40 messages a second with a burst of 60, each refusal counted, the tenth ends the socket', () => {
  const { connect, clock } = memoryRelay({ heartbeatSeconds: 60 });
  const client = connect({}, 'client');
  client.read();
  for (let index = 0; index < LIMITS.messageBurst; index += 1) client.say('utils.generateRoomID');
  assert.ok(client.read().every(({ type }) => type === 'utils.generateRoomID'));
  client.say('utils.generateRoomID');
  const [refusal] = client.read();
  assert.deepEqual([refusal?.data.error, refusal?.data.code], ['Rate limit exceeded', 'rate-limited']);
  clock.advance(1_000);
  for (let index = 0; index < LIMITS.messagesPerSecond; index += 1) client.say('utils.generateRoomID');
  assert.ok(client.read().every(({ type }) => type === 'utils.generateRoomID'));
  for (let index = 0; index < 8; index += 1) client.say('utils.generateRoomID');
  assert.equal(client.closedWith, null);
  client.say('utils.generateRoomID');
  assert.deepEqual(client.closedWith, { code: 1008, reason: 'Too many protocol errors' });
});

test('a fresh token that opens fewer rooms takes its bearer out of the others', () => {
  const { connect } = memoryRelay({ prefixes: { room: 'p', e2ee: 'e', file: 'f' } });
  const ann = connect({}, 'ann');
  const bob = connect({}, 'bob');
  ann.say('chat.join', 'p:one');
  ann.say('chat.join', 'p:two');
  bob.say('chat.join', 'p:two');
  bob.read();
  ann.end(1006);
  const back = connect({ rooms: ['one'] }, 'ann');
  assert.deepEqual(bob.types(), ['room.left', 'room.users']);
  back.read();
  back.say('chat.join', 'p:two');
  assert.equal(back.read()[0]?.data.code, 'not-admitted');
  back.say('chat.join', 'p:one');
  assert.equal(back.read()[0]?.data.resumed, true);
  back.say('chat.join', 'one');
  assert.equal(back.read()[0]?.data.code, 'not-admitted', 'the bare name is another room on the wire');
});

test('stopping tells nobody that anybody left, and leaves no timer', () => {
  const { connect, clock, core } = memoryRelay();
  const ann = connect({}, 'ann');
  const bob = connect({}, 'bob');
  const plain = connect({});
  const lost = connect({}, 'lost');
  for (const socket of [ann, bob, plain, lost]) socket.say('chat.join', 'r');
  lost.end(1006);
  for (const socket of [ann, bob, plain]) socket.read();
  core.stop();
  for (const socket of [ann, bob, plain]) {
    assert.deepEqual(socket.closedWith, { code: 1012, reason: 'service restart' });
    assert.deepEqual(socket.types(), []);
  }
  assert.equal(clock.size, 0);
});
