/** Several relays and a real Redis: one room over all of them, whatever ends. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { mintToken } from '../../demo-server/src/mint.ts';
import { whyNoRedis } from '../support/lab/programs.mjs';
import { startRedis, type Redis } from '../support/redis.ts';
import { runRelay, startRelayProcess, TEST_SECRET, type RelayProcess } from '../support/relay.ts';
import { signIn, WireClient, type WireOptions } from '../support/wire-client.ts';

const skip = whyNoRedis() || false;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(check: () => unknown, what: string, patience = 20_000): Promise<void> {
  for (const end = Date.now() + patience; !(await check()); await pause(20))
    assert.ok(Date.now() < end, what);
}
const readyStatus = async (relay: RelayProcess) => (await fetch(`${relay.url}/ready`)).status;

/** Nodes on one Redis, and people at them. */
class Nodes {
  readonly clients: WireClient[] = [];
  readonly relays: RelayProcess[] = [];
  constructor(readonly redis: Redis) {}

  async start(given: Record<string, string> = {}): Promise<RelayProcess> {
    const relay = await startRelayProcess({ PM_REDIS_URL: this.redis.url, ...given });
    this.relays.push(relay);
    await until(async () => (await readyStatus(relay)) === 200, 'a node that is ready');
    return relay;
  }

  async open(relay: RelayProcess, options: WireOptions = {}): Promise<WireClient> {
    const client = await WireClient.open(relay, { ext: true, ...options });
    this.clients.push(client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((client) => client.cut()));
    await Promise.all(this.relays.map((relay) => relay.close()));
  }
}

/** A signal gets through, and says who sent it. */
async function reaches(from: WireClient, to: WireClient, room: string): Promise<void> {
  const sdp = `v=0 ${randomUUID()}`;
  from.send('webrtc.offer', room, { sdp, to: to.userID, conn: 'c' });
  const frame = await to.take(({ type, data }) => type === 'webrtc.offer' && data.sdp === sdp, sdp);
  assert.equal(frame.from, from.userID);
}

const nobodyLeft = (...clients: WireClient[]) => {
  for (const client of clients) assert.deepEqual(client.all('room.left'), []);
};

describe('a cluster', { skip }, () => {
  let redis: Redis;
  before(async () => {
    redis = await startRedis();
  });
  after(async () => {
    await redis.stop();
  });

  test('people at two nodes are in one room: lists, signals, chat, order, leaving; original clients too', async () => {
    await using nodes = new Nodes(redis);
    const [a, b] = [await nodes.start(), await nodes.start()];
    const room = randomUUID();
    const ann = await nodes.open(a, { username: 'Ann' });
    const bob = await nodes.open(b, { username: 'Bob' });
    const old = await nodes.open(b, { username: 'Old', ext: false });
    const first = await ann.join(room);
    const second = await bob.join(room);
    assert.deepEqual([first.data.seq, second.data.seq], [1, 2]);
    assert.deepEqual(
      second.data.users.map(({ username }: { username: string }) => username),
      ['Ann', 'Bob'],
    );
    await old.join(room);
    await until(() => ann.listed.length === 3 && bob.listed.length === 3 && old.listed.length === 3, 'lists');
    await reaches(ann, bob, room);
    await reaches(bob, ann, room);
    await reaches(old, ann, room);
    await reaches(ann, old, room);
    bob.send('chat.message', room, { message: 'hello', id: 'm' });
    for (const client of [ann, bob, old]) assert.equal((await client.next('chat.message')).from, bob.userID);
    assert.equal((await bob.refused('room.end', room, {})).code, 'not-admitted');
    assert.equal((await bob.refused('chat.message', 'elsewhere', { message: 'x' })).code, 'not-admitted');
    await bob.close();
    const { data } = await ann.next('room.left');
    assert.deepEqual(data, { userID: bob.userID, reason: 'user' });
    await until(() => old.listed.length === 2, 'the list of the original client');
  });

  test('offers of a join are dealt to members at other nodes; hosts rule from any node', async () => {
    await using nodes = new Nodes(redis);
    const [a, b] = [await nodes.start(), await nodes.start()];
    const room = randomUUID();
    const ann = await nodes.open(a);
    const token = await mintToken({ username: 'Tea', role: 'host' }, TEST_SECRET);
    const host = await nodes.open(b, { token });
    await ann.join(room);
    const { data } = await host.join(room, { offers: [{ sdp: 'v=0 prepared', conn: 'c1' }] });
    assert.deepEqual(data.dealt, [ann.userID]);
    assert.equal((await ann.next('webrtc.offer')).data.sdp, 'v=0 prepared');
    host.send('room.lobby', room, { on: true });
    assert.equal((await ann.next('room.rules')).data.lobby, true);
    const cat = await nodes.open(b, { username: 'Cat' });
    cat.send('chat.join', room, {});
    await cat.next('room.waiting');
    await host.take(({ type, data }) => type === 'room.waiting' && data.users[0]?.username === 'Cat');
    host.send('room.admit', room, { userID: cat.userID });
    await cat.next('room.admitted');
    await cat.join(room);
    host.send('room.remove', room, { userID: ann.userID });
    assert.equal((await ann.next('room.left')).data.reason, 'removed');
    assert.equal((await ann.refused('chat.join', room, {})).code, 'not-admitted');
  });

  test('a session comes back at another node, and nobody sees it leave', async () => {
    await using nodes = new Nodes(redis);
    const [a, b] = [await nodes.start(), await nodes.start()];
    const room = randomUUID();
    const ann = await nodes.open(a);
    const bob = await nodes.open(b);
    await ann.join(room);
    await bob.join(room);
    await bob.cut();
    const back = await nodes.open(a, { session: bob.session });
    const { data } = await back.join(room);
    assert.deepEqual([data.resumed, data.seq], [true, 2]);
    await reaches(ann, back, room);
    // Half open this time: the old socket learns that it was replaced.
    const again = await nodes.open(b, { session: bob.session });
    assert.equal((await again.join(room)).data.resumed, true);
    assert.equal((await back.closed).code, 4001);
    await reaches(ann, again, room);
    nobodyLeft(ann);
  });

  test('the owner of a room is killed: its people come to the other node in time, nobody has left, rules hold', async () => {
    await using nodes = new Nodes(redis);
    const [a, b] = [await nodes.start(), await nodes.start()];
    const room = randomUUID();
    const token = await mintToken({ username: 'Tea', role: 'host' }, TEST_SECRET);
    const ann = await nodes.open(a, { token });
    const bob = await nodes.open(b);
    const cat = await nodes.open(b);
    await ann.join(room);
    for (const client of [bob, cat]) await client.join(room);
    ann.send('room.lock', room, { on: true });
    await bob.next('room.rules');
    await pause(100); // Redis is told beside
    await a.kill('SIGKILL');
    const killed = Date.now();
    const back = await nodes.open(b, { session: ann.session, token });
    const { data } = await back.join(room);
    assert.ok(Date.now() - killed < 5_000, `back after ${Date.now() - killed} ms`);
    assert.equal(data.users.length, 3);
    for (const [from, to] of [
      [back, bob],
      [bob, back],
      [bob, cat],
    ] as const)
      await reaches(from, to, room);
    nobodyLeft(bob, cat, back);
    assert.equal((await (await nodes.open(b)).refused('chat.join', room, {})).code, 'room-locked');
  });

  test('what hosts decided holds where nobody was left when its node died', async () => {
    await using nodes = new Nodes(redis);
    const [a, b] = [await nodes.start(), await nodes.start()];
    const room = randomUUID();
    const token = await mintToken({ username: 'Tea', role: 'host' }, TEST_SECRET);
    const host = await nodes.open(a, { token });
    await host.join(room);
    host.send('room.lobby', room, { on: true });
    await host.next('room.rules');
    await pause(100); // Redis is told beside
    await a.kill('SIGKILL');
    const ann = await nodes.open(b);
    ann.send('chat.join', room, {});
    await ann.next('room.waiting');
    const back = await nodes.open(b, { session: host.session, token });
    await back.join(room);
    assert.equal((await back.next('room.waiting')).data.users.length, 1);
    const { code } = await ann.refused('chat.message', room, { message: 'x' });
    assert.equal(code, 'not-admitted');
  });

  test('another node than the owner is killed: its people take their places back', async () => {
    await using nodes = new Nodes(redis);
    const [a, b, c] = [await nodes.start(), await nodes.start(), await nodes.start()];
    const room = randomUUID();
    const ann = await nodes.open(a);
    const bob = await nodes.open(b);
    const cat = await nodes.open(c);
    for (const client of [ann, bob, cat]) await client.join(room);
    await b.kill('SIGKILL');
    const back = await nodes.open(c, { session: bob.session });
    const { data } = await back.join(room);
    assert.deepEqual([data.resumed, data.seq], [true, 2]);
    await reaches(ann, back, room);
    nobodyLeft(ann, cat);
  });

  test('whoever does not come back from a killed node is gone after the grace', async () => {
    await using nodes = new Nodes(redis);
    const grace = { PM_GRACE_SECONDS: '1' };
    const [a, b] = [await nodes.start(grace), await nodes.start(grace)];
    const room = randomUUID();
    const ann = await nodes.open(a);
    const bob = await nodes.open(b);
    for (const client of [ann, bob]) await client.join(room);
    await b.kill('SIGKILL');
    assert.deepEqual((await ann.next('room.left')).data, { userID: bob.userID, reason: 'relay-gone' });
  });

  test('two nodes learn of a third one’s death by themselves, and go on together without it', async () => {
    await using nodes = new Nodes(redis);
    const [a, b, c] = [await nodes.start(), await nodes.start(), await nodes.start()];
    const room = randomUUID();
    const ann = await nodes.open(a);
    const bob = await nodes.open(b);
    const cat = await nodes.open(c);
    for (const client of [ann, bob, cat]) await client.join(room);
    await a.kill('SIGKILL');
    await pause(3_000);
    await reaches(bob, cat, room);
    await reaches(cat, bob, room);
    const dan = await nodes.open(c);
    assert.equal((await dan.join(room)).data.users.length, 3);
    nobodyLeft(bob, cat);
  });

  test('a node that is told to end hands its rooms over', async () => {
    await using nodes = new Nodes(redis);
    const [a, b] = [await nodes.start(), await nodes.start()];
    const room = randomUUID();
    const ann = await nodes.open(a);
    const bob = await nodes.open(b);
    for (const client of [ann, bob]) await client.join(room);
    const told = ann.closed;
    await a.kill('SIGTERM');
    assert.equal((await told).code, 1012);
    const back = await nodes.open(b, { session: ann.session });
    assert.equal((await back.join(room)).data.users.length, 2);
    await reaches(back, bob, room);
    nobodyLeft(bob, back);
  });

  test('limits hold over all nodes, and presence is told by any', async () => {
    await using nodes = new Nodes(redis);
    const given = { PM_SOCKETS_PER_ACCOUNT: '2', PM_SIGN_IN_RATE: '2', PM_PRESENCE: 'on' };
    const [a, b] = [await nodes.start(given), await nodes.start(given)];
    const token = await mintToken({ username: 'Ann', account: randomUUID() }, TEST_SECRET);
    const ann = await nodes.open(a, { token });
    await nodes.open(b, { token });
    await pause(100); // Redis is told beside
    for (const relay of [a, b]) await assert.rejects(WireClient.open(relay, { token, ext: true }), /429/);
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, index) =>
        signIn((index % 2 ? a : b).url).then(
          () => 200,
          () => 429,
        ),
      ),
    );
    const admitted = statuses.filter((status) => status === 200).length;
    assert.ok(admitted >= 5 && admitted <= 15, `${admitted} of 40 for both nodes together`);
    const room = randomUUID();
    await ann.join(room);
    for (const relay of [a, b]) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${relay.url}/rooms/${room}`, { headers });
      assert.deepEqual(await answer.json(), { room, participants: [{ name: 'Ann', role: 'guest' }] });
    }
  });

  test('without the same secret no node of a cluster starts', async () => {
    const { code, stderr } = await runRelay(['--redis-url', redis.url]);
    assert.equal(code, 2);
    assert.match(stderr, /^PM_JWT_SECRET is missing: all relays of one PM_REDIS_URL need the same\.\n$/);
  });
});

describe('Redis is away', { skip }, () => {
  test('for ten seconds: rooms of one node go on, whoever comes is told to come again, and all heals', async () => {
    await using redis = await startRedis();
    await using nodes = new Nodes(redis);
    const [a, b] = [await nodes.start(), await nodes.start()];
    const [shared, own] = [randomUUID(), randomUUID()];
    const ann = await nodes.open(a);
    const bob = await nodes.open(b);
    const cat = await nodes.open(a);
    for (const client of [ann, bob, cat]) await client.join(shared);
    for (const client of [ann, cat]) await client.join(own);
    await redis.stop();
    await until(async () => (await readyStatus(a)) === 503 && (await readyStatus(b)) === 503, 'not ready');
    await reaches(ann, cat, own);
    await reaches(ann, cat, shared);
    const dan = await nodes.open(b);
    dan.send('chat.join', randomUUID(), {});
    assert.deepEqual(await dan.closed, { code: 1013, reason: 'try again later' });
    const { code } = await bob.refused('chat.message', shared, { message: 'x' });
    assert.equal(code, 'relay-unreachable');
    await pause(10_000);
    await redis.start();
    await until(async () => (await readyStatus(a)) === 200 && (await readyStatus(b)) === 200, 'ready again');
    await until(async () => {
      const sdp = randomUUID();
      bob.send('webrtc.offer', shared, { sdp, to: ann.userID, conn: 'c' });
      await pause(200);
      return ann.all('webrtc.offer').some(({ data }) => data.sdp === sdp);
    }, 'bob is heard again');
    await reaches(ann, bob, shared);
    const eve = await nodes.open(b);
    assert.equal((await eve.join(shared)).data.users.length, 4);
    nobodyLeft(ann, bob, cat);
  });

  test('at the start: the relay waits for it', async () => {
    await using redis = await startRedis();
    await redis.stop();
    await using relay = await startRelayProcess({ PM_REDIS_URL: redis.url });
    assert.equal(await readyStatus(relay), 503);
    await redis.start();
    await until(async () => (await readyStatus(relay)) === 200, 'ready');
    assert.match(relay.stderr, /Redis is away/);
    assert.doesNotMatch(relay.stderr, /redis:\/\//);
  });
});
