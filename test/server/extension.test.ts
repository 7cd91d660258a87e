/** Section 6 of the wire protocol: what extended clients get beyond the original, against the real relay. */
import assert from 'node:assert/strict';
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { mintToken } from '../../demo-server/src/mint.ts';
import { decodeRelayMessage } from '../../src/core/protocol/codec.ts';
import { shapeUserId } from '../../src/core/protocol/identity.ts';
import { startRelayProcess, TEST_SECRET, type RelayProcess } from '../support/relay.ts';
import { newSession, WireClient, type Frame, type WireOptions } from '../support/wire-client.ts';

const TURN_SECRET = 'turn secret';

let relay: RelayProcess;
const clients: WireClient[] = [];

before(async () => {
  relay = await startRelayProcess({
    PM_TURN_URLS: 'stun:turn.test:3478 turn:turn.test:3478?transport=udp',
    PM_TURN_SECRET: TURN_SECRET,
    PM_TURN_TTL: '60',
    PM_LOG_LEVEL: 'debug',
  });
});
after(async () => {
  await Promise.all(clients.map((client) => client.cut()));
  await relay.close();
  assert.doesNotMatch(relay.stderr, /eyJ|session=/, 'neither token nor session in the log');
});

async function open(options: WireOptions = {}, at = relay): Promise<WireClient> {
  const client = await WireClient.open(at, { ext: true, ...options });
  clients.push(client);
  return client;
}

async function joined(room: string, options: WireOptions = {}, data: object = {}): Promise<WireClient> {
  const client = await open(options);
  await client.join(room, data);
  return client;
}

/** Breaks the connection and waits until the relay knows: what is sent to a dead socket before that is lost. */
async function lose(client: WireClient): Promise<void> {
  await client.cut();
  const noticed = `"user":"${client.userID}","code":1006,"msg":"socket closed"`;
  while (!relay.stderr.includes(noticed)) await new Promise((resolve) => setTimeout(resolve, 10));
}

const room = () => `room ${randomUUID()}`;
const order = (client: WireClient, from = 0) => client.frames.slice(from).map(({ type }) => type);
const seqs = ({ data }: Frame) =>
  data.users.map(({ userID, seq }: { userID: string; seq: number }) => [userID, seq]);

describe('welcome', () => {
  test('is the first frame, as text, and fits the schema that clients check it with', async () => {
    const client = await open({ username: 'Ann' });
    const welcome = client.frames[0]!;
    assert.equal(welcome.binary, false);
    const { data } = decodeRelayMessage(JSON.stringify(welcome)) as { data: any };
    assert.equal(data.protocol, 1);
    assert.deepEqual(data.self, { userID: client.userID, username: 'Ann', role: 'guest' });
    assert.deepEqual([data.heartbeatSeconds, data.graceSeconds], [3, 30]);
    assert.deepEqual(data.prefixes, {
      room: '',
      e2ee: 'your_e2ee_wire_prefix',
      file: 'your_webrtc_file_channel_label',
    });
    assert.equal(data.limits.frameBytes, 65_536);
  });

  test('brings TURN credentials that the TURN server can check, and STUN without', async () => {
    const client = await open();
    const [stun, turn] = client.frames[0]!.data.iceServers;
    assert.deepEqual(stun, { urls: ['stun:turn.test:3478'] });
    assert.deepEqual(turn.urls, ['turn:turn.test:3478?transport=udp']);
    const [expiry, user] = turn.username.split(':');
    assert.equal(user, client.userID);
    assert.ok(Math.abs(Number(expiry) - Date.now() / 1000 - 60) < 30);
    assert.equal(turn.credential, createHmac('sha1', TURN_SECRET).update(turn.username).digest('base64'));
  });

  test('names the role of the token', async () => {
    const token = await mintToken({ username: 'Ann', role: 'host' }, TEST_SECRET);
    const client = await joined(room(), { token });
    assert.equal(client.frames[0]!.data.self.role, 'host');
    assert.equal(client.frames[1]!.data.users[0].role, 'host');
  });
});

describe('identity', () => {
  test('is the first half of SHA-256(session), the same under a fresh token', async () => {
    const session = newSession();
    const expected = shapeUserId(createHash('sha256').update(session).digest());
    for (const username of ['Ann', 'Bob']) {
      const client = await open({ session, username });
      assert.equal(client.userID, expected);
      await client.close();
    }
  });

  for (const session of ['', 'short', 'x'.repeat(129), 'with spaces in it, but long enough']) {
    test(`the session ${JSON.stringify(session.slice(0, 40))} → 400`, async () => {
      await assert.rejects(WireClient.open(relay, { ext: true, session }), /400/);
    });
  }

  test('two live sockets of one account are two members', async () => {
    const token = await mintToken({ username: 'Ann', account: 'a7' }, TEST_SECRET);
    const id = room();
    await joined(id, { token });
    const second = await joined(id, { token });
    assert.equal(new Set(second.listed).size, 2);
  });

  test('the same session again replaces the older socket; nobody sees a leave', async () => {
    const id = room();
    const witness = await joined(id);
    const first = await joined(id);
    await witness.settle();
    const seen = witness.frames.length;
    const second = await open({ session: first.session });
    assert.deepEqual(await first.closed, { code: 4001, reason: 'replaced' });
    assert.equal((await second.join(id)).data.resumed, true);
    await witness.settle();
    assert.deepEqual(order(witness, seen), ['utils.generateRoomID']);
  });
});

describe('names', () => {
  test('a guest sets its own; blank is Guest; over the limit is refused', async () => {
    const id = room();
    const client = await open({ username: 'Ann' });
    const nameAfter = async (data: object) => (await client.join(id, data)).data.users[0].username;
    assert.equal(await nameAfter({}), 'Ann');
    assert.equal(await nameAfter({ username: ' Zoë ' }), 'Zoë');
    assert.equal(await nameAfter({ username: '  ' }), 'Guest');
    const error = await client.refused('chat.join', id, { username: 'x'.repeat(33) });
    assert.deepEqual(error, {
      error: 'Username too long (maximum is 32 characters)',
      code: 'protocol',
      type: 'chat.join',
      room: id,
    });
  });

  test('a changed name is told to the others', async () => {
    const id = room();
    const ann = await joined(id);
    const bob = await joined(id, { username: 'Bob' });
    await ann.next('room.users');
    await bob.join(id, { username: 'Bobby' });
    assert.equal((await ann.next('room.users')).data.users[1].username, 'Bobby');
  });

  test('an account keeps the name of its token', async () => {
    const token = await mintToken({ username: 'Dr. Ann', account: 'a7' }, TEST_SECRET);
    const client = await joined(room(), { token }, { username: 'Somebody else' });
    assert.equal(client.frames[1]!.data.users[0].username, 'Dr. Ann');
  });
});

describe('joining', () => {
  test('room.users to the others first, then room.joined; seq is the order of joining', async () => {
    const id = room();
    const ann = await joined(id);
    const bob = await joined(id);
    assert.deepEqual(order(bob), ['relay.welcome', 'room.joined']);
    const answer = bob.frames[1]!;
    assert.deepEqual(seqs(answer), [
      [ann.userID, 1],
      [bob.userID, 2],
    ]);
    assert.deepEqual([answer.data.seq, answer.data.resumed, answer.data.dealt], [2, false, []]);
    assert.ok(answer.data.users.every((user: { ext?: number }) => user.ext === 1));
    assert.deepEqual(seqs(await ann.next('room.users')), seqs(answer));
  });

  test('offers are dealt one each, the longest present first, to extended members who are there', async () => {
    const id = room();
    const ann = await joined(id);
    const plain = await WireClient.open(relay);
    clients.push(plain);
    await plain.join(id);
    const away = await joined(id);
    await lose(away);
    const bob = await joined(id);
    const offers = ['a', 'b', 'c'].map((conn) => ({ sdp: `sdp ${conn}`, conn, candidates: [conn] }));
    const cat = await joined(id, {}, { offers });
    assert.deepEqual(cat.frames[1]!.data.dealt, [ann.userID, bob.userID, null]);
    for (const [member, conn] of [
      [ann, 'a'],
      [bob, 'b'],
    ] as const) {
      const offer = await member.next('webrtc.offer');
      assert.equal(offer.from, cat.userID);
      assert.deepEqual(offer.data, { sdp: `sdp ${conn}`, conn, candidates: [conn], to: member.userID });
      const types = order(member);
      assert.ok(types.lastIndexOf('room.users') < types.indexOf('webrtc.offer'), 'the list comes first');
    }
    await plain.settle();
    assert.equal(plain.all('webrtc.offer').length, 0);
  });

  for (const [title, data] of [
    ['four offers', { offers: Array.from({ length: 4 }, () => ({ sdp: 'x', conn: 'c' })) }],
    ['an offer without conn', { offers: [{ sdp: 'x' }] }],
    ['a capacity of one', { capacity: 1 }],
    ['a name that is no text', { username: 7 }],
    ['data that is no object', [] as object],
  ] as const) {
    test(`${title} → Invalid join payload`, async () => {
      const client = await open();
      const { error, code } = await client.refused('chat.join', room(), data);
      assert.deepEqual([error, code], ['Invalid join payload', 'protocol']);
    });
  }

  test('plain and extended members see one another', async () => {
    const id = room();
    const ext = await joined(id, { username: 'Ext' });
    const plain = await WireClient.open(relay, { username: 'Plain' });
    clients.push(plain);
    const { data, binary } = await plain.join(id);
    assert.equal(binary, true);
    assert.deepEqual(data.users, [
      { userID: ext.userID, username: 'Ext', ext: 1, seq: 1, role: 'guest' },
      { userID: plain.userID, username: 'Plain' },
    ]);
    assert.deepEqual((await ext.next('room.users')).data, data);
    plain.send('webrtc.offer', id, { sdp: 'x', to: ext.userID });
    assert.equal((await ext.next('webrtc.offer')).from, plain.userID);
    ext.send('webrtc.answer', id, { sdp: 'y', to: plain.userID, conn: 'c' });
    assert.deepEqual((await plain.next('webrtc.answer')).data, { sdp: 'y', to: plain.userID, conn: 'c' });
    await plain.cut();
    assert.deepEqual((await ext.next('room.left')).data, { userID: plain.userID, reason: 'user' });
  });

  test('a token with rooms admits to these alone', async () => {
    const token = await mintToken({ username: 'Ann', room: ['math', ' art '] }, TEST_SECRET);
    const client = await open({ token });
    await client.join('math');
    await client.join('art');
    const { error, code, room: where } = await client.refused('chat.join', 'music');
    assert.deepEqual([error, code, where], ['Not admitted to this room', 'not-admitted', 'music']);
    const plain = await WireClient.open(relay, { token });
    clients.push(plain);
    assert.deepEqual(await plain.refused('chat.join', 'music'), { error: 'Not admitted to this room' });
  });
});

describe('capacity', () => {
  test('the smallest capacity of those present counts, the joiner included', async () => {
    const id = room();
    const ann = await joined(id, {}, { capacity: 3 });
    const bob = await joined(id);
    const picky = await open();
    const refusal = await picky.refused('chat.join', id, { capacity: 2 });
    assert.deepEqual(refusal, { error: 'Room is full', code: 'room-full', type: 'chat.join', room: id });
    const cat = await joined(id);
    const plain = await WireClient.open(relay);
    clients.push(plain);
    assert.deepEqual(await plain.refused('chat.join', id), { error: 'Room is full' });
    await ann.close();
    await cat.next('room.left');
    await plain.join(id); // the limit went with its bearer
    assert.equal(plain.listed.length, 3);
    await bob.settle();
  });

  test('members held in their grace count, and get back in', async () => {
    const id = room();
    await joined(id, {}, { capacity: 2 });
    const bob = await joined(id);
    await bob.cut();
    const cat = await open();
    assert.equal((await cat.refused('chat.join', id)).code, 'room-full');
    const back = await open({ session: bob.session });
    assert.equal((await back.join(id)).data.resumed, true);
  });

  test('asking for a place again and again is no protocol error', async () => {
    const id = room();
    await joined(id, {}, { capacity: 2 });
    await joined(id);
    const cat = await open();
    for (let index = 0; index < 12; index += 1)
      assert.equal((await cat.refused('chat.join', id)).code, 'room-full');
    await cat.settle();
  });
});

describe('leaving', () => {
  const ways: [string, string, (client: WireClient, id: string) => void | Promise<void>][] = [
    ['chat.leave', 'user', (client, id) => client.send('chat.leave', id, {})],
    [
      'chat.leave with a reason',
      'page-hidden',
      (client, id) => client.send('chat.leave', id, { reason: 'page-hidden' }),
    ],
    [
      'a reason that is not its own to give',
      'user',
      (client, id) => client.send('chat.leave', id, { reason: 'removed' }),
    ],
    ['close code 1000', 'user', (client) => client.close(1000)],
    ['close code 1001', 'page-hidden', (client) => client.close(1001)],
  ];
  for (const [title, reason, leave] of ways) {
    test(`${title} → room.left {${reason}}, then room.users`, async () => {
      const id = room();
      const ann = await joined(id);
      const bob = await joined(id);
      await ann.next('room.users');
      const seen = ann.frames.length;
      await leave(bob, id);
      assert.deepEqual((await ann.next('room.left')).data, { userID: bob.userID, reason });
      assert.deepEqual(seqs(await ann.next('room.users')), [[ann.userID, 1]]);
      assert.deepEqual(order(ann, seen), ['room.left', 'room.users']);
    });
  }

  test('any other code holds the place, and the same session takes it back unseen', async () => {
    const id = room();
    const ann = await joined(id);
    const bob = await joined(id);
    await ann.next('room.users');
    await ann.settle();
    const seen = ann.frames.length;
    await bob.cut();
    const cut = await open({ session: bob.session, username: 'Bob' });
    const answer = await cut.join(id);
    assert.deepEqual([answer.data.resumed, answer.data.seq], [true, 2]);
    await cut.close(4000);
    const closed = await open({ session: bob.session });
    const offers = [{ sdp: 'x', conn: 'c' }];
    const again = await closed.join(id, { offers });
    assert.deepEqual([again.data.resumed, again.data.seq, again.data.dealt], [true, 2, [null]]);
    await ann.settle();
    assert.deepEqual(
      order(ann, seen).filter((type) => type !== 'room.users'), // the other's name changed: Guest, Bob
      ['utils.generateRoomID'],
    );
  });

  test('signals sent to a held member arrive after it is back', async () => {
    const id = room();
    const ann = await joined(id);
    const bob = await joined(id);
    await lose(bob);
    for (const candidate of ['1', '2', '3']) {
      ann.send('webrtc.iceCandidate', id, { candidate, to: bob.userID, conn: 'c' });
    }
    ann.send('chat.message', id, { message: 'still there?', id: 'm1' });
    await ann.settle();
    const back = await open({ session: bob.session });
    await back.join(id);
    await back.next('chat.message');
    assert.deepEqual(
      back.all('webrtc.iceCandidate').map(({ data }) => data.candidate),
      ['1', '2', '3'],
    );
    assert.deepEqual(order(back).slice(0, 3), ['relay.welcome', 'room.joined', 'webrtc.iceCandidate']);
  });
});

describe('heartbeat', () => {
  test('the relay pings, and answers pings', async () => {
    const client = await open();
    client.send('relay.ping', undefined, {});
    await client.next('relay.pong');
    await new Promise<void>((resolve) => {
      client.socket.on('message', () => client.pings >= 2 && resolve());
    });
  });

  test('a half-open socket is cut within three heartbeats, its place held', async () => {
    await using quick = await startRelayProcess({ PM_HEARTBEAT_SECONDS: '1' });
    const id = room();
    const mute = await open({ mute: true }, quick);
    await mute.join(id);
    const since = Date.now();
    assert.equal((await mute.closed).code, 1006);
    assert.ok(Date.now() - since < 10_000);
    const back = await open({ session: mute.session }, quick);
    assert.equal((await back.join(id)).data.resumed, true);
  });
});

describe('errors', () => {
  test('carry a code, and what they answer', async () => {
    const client = await open();
    const id = room();
    const elsewhere = await client.refused('chat.message', id, { message: 'x', id: 'm1' });
    assert.deepEqual(elsewhere, {
      error: "You can't send a message to this room",
      code: 'not-admitted',
      type: 'chat.message',
      room: id,
      id: 'm1',
    });
    await client.join(id);
    const nobody = await client.refused('webrtc.offer', id, { sdp: 'x' });
    assert.deepEqual([nobody.error, nobody.code], ['Missing WebRTC recipient', 'protocol']);
  });
});

describe('the end of the relay', () => {
  test('SIGTERM: everyone gets 1012, nobody a leave, exit code 0', async () => {
    await using other = await startRelayProcess();
    const id = room();
    const ann = await open({}, other);
    const bob = await open({}, other);
    await ann.join(id);
    await bob.join(id);
    await ann.next('room.users');
    const ended = Promise.all([ann.closed, bob.closed]);
    assert.equal(await other.kill('SIGTERM'), 0);
    for (const { code } of await ended) assert.equal(code, 1012);
    assert.equal(ann.all('room.left').length + bob.all('room.left').length, 0);
  });

  test('SIGTERM with a client that never answers: still exit code 0', async () => {
    await using other = await startRelayProcess();
    const client = await open({}, other);
    client.socket.pause();
    assert.equal(await other.kill('SIGTERM'), 0);
  });

  test('kill -9 and a restart: the same session is the same id, seq in order of coming back', async () => {
    await using other = await startRelayProcess();
    const id = room();
    const ann = await open({}, other);
    const bob = await open({}, other);
    await ann.join(id);
    await bob.join(id);
    await other.kill('SIGKILL');
    await Promise.all([ann.closed, bob.closed]);
    await other.restart();
    const second = await open({ session: bob.session }, other);
    const first = await open({ session: ann.session }, other);
    assert.deepEqual([first.userID, second.userID], [ann.userID, bob.userID]);
    const answer = await second.join(id);
    assert.deepEqual([answer.data.resumed, answer.data.seq], [false, 1]);
    assert.deepEqual(seqs(await first.join(id)), [
      [bob.userID, 1],
      [ann.userID, 2],
    ]);
  });
});

test('a reader that never reads is cut, and the others go on', async () => {
  await using other = await startRelayProcess({ PM_HEARTBEAT_SECONDS: '60', PM_GRACE_SECONDS: '0' });
  const id = room();
  const members = await Promise.all(['Ann', 'Bob', 'Cat'].map((username) => open({ username }, other)));
  for (const member of members) await member.join(id);
  const [talker, reader, stalled] = members as [WireClient, WireClient, WireClient];
  stalled.socket.pause();
  let cut = false;
  const gone = reader.next('room.left').then((frame) => {
    cut = true;
    return frame;
  });
  for (let index = 0; !cut && index < 2_000; index += 1) {
    talker.send('chat.message', id, { message: 'x', pad: 'x'.repeat(60_000) });
    await talker.next('chat.message'); // its own echo: never faster than the relay
    talker.clear();
    await new Promise((resolve) => setTimeout(resolve, 30)); // within the rate
  }
  assert.deepEqual((await gone).data, { userID: stalled.userID, reason: 'relay-gone' });
  assert.match(other.stderr, /slow reader cut/);
  await reader.settle();
  stalled.socket.terminate();
});
