/** Every type of message from everybody who must not send it: refused with its code, and nobody else hears of it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { HOST_DATA } from '../../src/core/protocol/host-message.ts';
import { RELAY_DATA } from '../../src/core/protocol/schema.ts';
import { mintToken, type MintClaims } from '../../demo-server/src/mint.ts';
import { startRelayProcess, TEST_SECRET, type RelayProcess } from '../support/relay.ts';
import { WireClient } from '../support/wire-client.ts';

const ROOM = 'math';
let relay: RelayProcess;
let host: WireClient;
let witness: WireClient;
const clients: WireClient[] = [];

async function open(claims: Partial<MintClaims> = {}, ext = true): Promise<WireClient> {
  const token = await mintToken({ username: 'Somebody', ...claims }, TEST_SECRET);
  const client = await WireClient.open(relay, { token, ext });
  clients.push(client);
  return client;
}

before(async () => {
  relay = await startRelayProcess();
  host = await open({ role: 'host' });
  witness = await open();
  for (const client of [host, witness]) await client.join(ROOM);
});
after(async () => {
  await Promise.all(clients.map((client) => client.cut()));
  await relay.close();
});

/** What a member may send in its room. */
const MEMBER: Record<string, () => object> = {
  'chat.message': () => ({ message: 'hello', id: 'm1' }),
  'chat.typing': () => ({ typing: true }),
  'webrtc.offer': () => ({ sdp: 'v=0', to: witness.userID, conn: 'c1' }),
  'webrtc.answer': () => ({ sdp: 'v=0', to: witness.userID, conn: 'c1' }),
  'webrtc.iceCandidate': () => ({ candidate: '{}', to: witness.userID, conn: 'c1' }),
};
/** What a host may. */
const HOSTS: Record<keyof typeof HOST_DATA, () => object> = {
  'room.lock': () => ({ on: true }),
  'room.lobby': () => ({ on: true }),
  'room.password': () => ({ password: 'mine now' }),
  'room.admit': () => ({ userID: witness.userID }),
  'room.refuse': () => ({ userID: witness.userID }),
  'room.remove': () => ({ userID: witness.userID }),
  'room.mute': () => ({ userID: witness.userID }),
  'room.end': () => ({}),
};
/** What only the relay says. */
const RELAYS = Object.keys(RELAY_DATA).filter(
  (type) =>
    !(type in MEMBER) &&
    !(type in HOSTS) &&
    !['relay.ping', 'relay.pong', 'utils.generateRoomID'].includes(type),
);

/** Nobody in the room has heard a thing, and both still get through to each other. */
async function undisturbed(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50)); // within the rate
  for (const client of [host, witness]) await client.settle();
  const heard = [...host.frames, ...witness.frames].filter(({ type }) => type !== 'utils.generateRoomID');
  assert.deepEqual(heard, []);
}

async function refusesAll(intruder: WireClient, types: Record<string, () => object>): Promise<void> {
  for (const client of [host, witness]) await client.settle(); // its own coming and going they have heard
  for (const [type, data] of Object.entries(types)) {
    for (const client of [host, witness]) client.clear();
    const { code, type: answered, room } = await intruder.refused(type, ROOM, data());
    assert.deepEqual([code, answered, room], ['not-admitted', type, ROOM]);
    await undisturbed();
  }
}

const intruders: [string, () => Promise<WireClient>][] = [
  ['an outsider', () => open()],
  [
    'an outsider who is host elsewhere',
    async () => {
      const client = await open({ role: 'host', room: 'art' });
      await client.join('art');
      return client;
    },
  ],
  [
    'a guest of another room',
    async () => {
      const client = await open({ room: 'art' });
      assert.equal((await client.refused('chat.join', ROOM, {})).code, 'not-admitted');
      await client.join('art');
      return client;
    },
  ],
  [
    'a removed member',
    async () => {
      const client = await open();
      await client.join(ROOM);
      host.send('room.remove', ROOM, { userID: client.userID });
      assert.equal((await client.next('room.left')).data.reason, 'removed');
      assert.equal((await client.refused('chat.join', ROOM, {})).code, 'not-admitted');
      await witness.take(({ type, data }) => type === 'room.left' && data.userID === client.userID);
      await witness.next('room.users');
      return client;
    },
  ],
  [
    'a member who left',
    async () => {
      const client = await open();
      await client.join(ROOM);
      client.send('chat.leave', ROOM, {});
      await client.settle();
      return client;
    },
  ],
];

for (const [who, come] of intruders) {
  describe(who, () => {
    test('what members send', async () => refusesAll(await come(), MEMBER));
    test('what hosts send', async () => refusesAll(await come(), HOSTS));
    test('leaving on behalf of the room changes nothing', async () => {
      const intruder = await come();
      for (const client of [host, witness]) await client.settle();
      for (const client of [host, witness]) client.clear();
      intruder.send('chat.leave', ROOM, { reason: 'host-ended' });
      await intruder.settle();
      await undisturbed();
    });
  });
}

describe('a member that is no host', () => {
  test('what hosts send', async () => {
    const member = await open();
    await member.join(ROOM);
    await refusesAll(member, HOSTS);
  });

  test('a role of its own making, in the join, in a message, in the address', async () => {
    const member = await open();
    const { data } = await member.join(ROOM, { role: 'host', ext: 1, seq: -1 });
    const self = data.users.find(({ userID }: { userID: string }) => userID === member.userID);
    assert.equal(self.role, 'guest');
    assert.ok(self.seq > 0);
    member.sendRaw(
      JSON.stringify({
        type: 'room.end',
        room: ROOM,
        role: 'host',
        from: host.userID,
        data: { role: 'host' },
      }),
    );
    assert.equal((await member.next('general.error')).data.code, 'not-admitted');
    const token = await mintToken({ username: 'Eve' }, 'a-secret-of-her-own-0123456789abcdef');
    await assert.rejects(WireClient.open(relay, { token, ext: true }), /401/);
  });
});

describe('a forged sender', () => {
  for (const from of ['system', 'the host', 'no text']) {
    test(`${from}: what arrives bears its own id`, async () => {
      const member = await open();
      await member.join(ROOM);
      const claimed = from === 'the host' ? host.userID : from === 'system' ? 'system' : { id: host.userID };
      for (const [type, data] of Object.entries(MEMBER)) {
        witness.clear();
        member.sendRaw(JSON.stringify({ type, room: ROOM, from: claimed, data: data() }));
        assert.equal((await witness.next(type)).from, member.userID, type);
      }
    });
  }
});

describe('what only the relay says', () => {
  for (const ext of [true, false]) {
    test(ext ? 'from an extended client' : 'from an original one', async () => {
      for (const type of RELAYS) {
        // The tenth error ends a socket: a fresh one each time.
        const member = await open({}, ext);
        await member.join(ROOM);
        for (const client of [host, witness]) {
          await client.settle();
          client.clear();
        }
        const { error, code } = await member.refused(type, ROOM, {
          userID: witness.userID,
          users: [],
          reason: 'removed',
        });
        assert.deepEqual([error, code], ['Invalid message type', ext ? 'protocol' : undefined], type);
        await undisturbed();
        await member.cut();
        if (!ext) await witness.take(({ type: seen }) => seen === 'room.left');
      }
    });
  }

  test('what hosts say, from an original client', async () => {
    const member = await open({ role: 'host' }, false);
    await member.join(ROOM);
    for (const [type, data] of Object.entries(HOSTS)) {
      assert.deepEqual(await member.refused(type, ROOM, data()), { error: 'Invalid message type' });
    }
  });
});

test('a signal to somebody who is not in the room reaches nobody, wherever they are', async () => {
  const elsewhere = await open();
  await elsewhere.join(randomUUID());
  const member = await open();
  await member.join(ROOM);
  elsewhere.clear();
  member.send('webrtc.offer', ROOM, { sdp: 'v=0', to: elsewhere.userID });
  await member.settle();
  await elsewhere.settle();
  assert.deepEqual(elsewhere.all('webrtc.offer'), []);
});
