/**
 * Frames that nobody honest sends: never an exception, never a word of them to anybody else, never a growth without
 * end. `PM_FULL=1` sends a million.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { REASONS } from '../../src/core/errors.ts';
import { HOST_DATA } from '../../src/core/protocol/host-message.ts';
import { LIMITS } from '../../src/core/protocol/limits.ts';
import { RELAY_DATA } from '../../src/core/protocol/schema.ts';
import { memoryRelay, type MemorySocket } from '../support/memory-relay.ts';
import { startRelayProcess } from '../support/relay.ts';
import { signIn, WireClient } from '../support/wire-client.ts';

const FULL = process.env['PM_FULL'] === '1';
const RUNS = FULL ? 200_000 : 20_000;
/** Messages that are thrown at a relay over sockets. */
const FLOOD = FULL ? 1_000_000 : 50_000;

const TYPES = [
  ...new Set([...Object.keys(RELAY_DATA), ...Object.keys(HOST_DATA), 'chat.join', 'chat.leave']),
];
const CODES = ['protocol', 'not-admitted', 'rate-limited', 'room-full', 'room-locked', 'password-needed'];
/** What members may say to each other. */
const FORWARDED = ['chat.message', 'chat.typing', 'webrtc.offer', 'webrtc.answer', 'webrtc.iceCandidate'];
const PROTOTYPE = ['__proto__', 'constructor', 'prototype'];

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    '',
    ' ',
    'r',
    'system',
    [],
    {},
    'null',
    '\u0000',
    '\ud800',
  ),
  fc.string({ maxLength: 200 }),
  fc.jsonValue({ maxDepth: 4 }),
);
const key = fc.oneof(
  fc.constantFrom(
    'to',
    'sdp',
    'candidate',
    'message',
    'id',
    'typing',
    'offers',
    'conn',
    'username',
    'password',
  ),
  fc.constantFrom(
    'userID',
    'on',
    'reason',
    'capacity',
    'spoken',
    'room',
    'from',
    'type',
    'data',
    ...PROTOTYPE,
  ),
  fc.string({ maxLength: 20 }),
);
const data = fc.oneof(odd, fc.dictionary(key, odd, { maxKeys: 6 }));
const type = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...TYPES) }, { weight: 1, arbitrary: odd });
const room = fc.oneof({ weight: 6, arbitrary: fc.constant('r') }, { weight: 1, arbitrary: odd });

/** An object whose keys stand twice, in the order given: JSON.parse takes the last one. */
const twice = (pairs: readonly (readonly [string, unknown])[]) =>
  `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? 'null'}`).join()}}`;

const nested = (depth: number) =>
  `{"type":"chat.message","room":"r","data":${'['.repeat(depth)}${']'.repeat(depth)}}`;

const frame: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type, room, data, from: odd }).map((value) => JSON.stringify(value)) },
  {
    weight: 3,
    arbitrary: fc
      .array(fc.tuple(fc.constantFrom('type', 'room', 'data', 'from', ...PROTOTYPE), fc.oneof(data, type)), {
        maxLength: 8,
      })
      .map(twice),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 5_000 }).map(nested) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 60_000, max: 140_000 })
      .map((length) => `{"type":"chat.message","room":"r","data":{"message":"${'x'.repeat(length)}"}}`),
  },
);

describe('whatever arrives', () => {
  for (const ext of [true, false]) {
    test(`from ${ext ? 'an extended' : 'an original'} client: an answer at most, and to others only what a member may say`, () => {
      const relay = memoryRelay({ heartbeatSeconds: 1e6, joinSeconds: 1e6, graceSeconds: 0 });
      const witness = relay.connect({}, 'witness');
      witness.say('chat.join', 'r');
      let attacker: MemorySocket | null = null;
      let count = 0;
      const fresh = (): MemorySocket => {
        const socket = relay.connect({}, ext ? `attacker${(count += 1)}` : undefined);
        socket.say('chat.join', 'r');
        socket.read();
        witness.read();
        return socket;
      };
      fc.assert(
        fc.property(frame, (bytes) => {
          if (
            !attacker ||
            attacker.closedWith ||
            !relay.core.rooms.isPresent('r', attacker.connection.person.key)
          ) {
            attacker?.end(1000);
            attacker = fresh();
          }
          const { userID } = attacker.connection.person;
          relay.clock.advance(1_000 / LIMITS.messagesPerSecond); // within the rate
          attacker.connection.receive(bytes);
          for (const answer of attacker.read()) {
            if (answer.type !== 'general.error') continue;
            assert.equal(answer.from, 'system');
            if (ext) assert.ok(CODES.includes(answer.data.code), `unknown: ${JSON.stringify(answer)}`);
            else assert.deepEqual(Object.keys(answer.data), ['error']);
          }
          for (const heard of witness.read()) {
            if (heard.type === 'room.left') assert.ok(REASONS.includes(heard.data.reason));
            else if (heard.type === 'room.users') assert.ok(heard.data.users.length <= 3);
            else {
              assert.ok(FORWARDED.includes(heard.type), heard.type);
              assert.equal(heard.from, userID);
              assert.equal(heard.room, 'r');
            }
          }
          assert.equal(witness.closedWith, null);
          assert.equal(Object.keys(Object.prototype).length, 0, 'no prototype was touched');
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
      // Rooms that it made up end with it.
      attacker!.end(1000);
      witness.end(1000);
      relay.clock.advance(1_000);
      assert.equal(relay.core.rooms.size, 0);
      assert.equal(relay.core.size, 0);
    });
  }
});

test(`${FLOOD.toLocaleString('en')} hostile messages over sockets: an honest call beside them is undisturbed, and nothing grows`, async () => {
  await using relay = await startRelayProcess({
    PM_METRICS: 'on',
    PM_SOCKETS_PER_ACCOUNT: '0',
    PM_LOG_LEVEL: 'warn',
  });
  const memory = async () => {
    const text = await (await fetch(`${relay.url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]) / 1e6;
  };
  const samples = fc.sample(frame, { numRuns: 2_000, seed: 4 });
  await using ann = await WireClient.open(relay, { ext: true });
  await using bob = await WireClient.open(relay, { ext: true });
  for (const client of [ann, bob]) await client.join('honest');
  let at = 0;
  let sent = 0;
  const attack = async (messages: number) => {
    const { accessToken: token } = await signIn(relay.url);
    for (let own = 0; own < messages;) {
      const attacker = await WireClient.open(relay, { token, ext: at % 2 === 0 }).catch(() => null);
      if (!attacker) continue;
      // Its tenth error ends it; what it says after that is read no more.
      for (let count = 0; count < 100; count += 1) {
        attacker.sendRaw(samples[(at += 1) % samples.length]!);
        sent += 1;
        own += 1;
      }
      await Promise.race([attacker.closed, new Promise((resolve) => setTimeout(resolve, 100))]);
      await attacker.cut();
    }
  };
  await attack(FLOOD / 10); // until everything that is made once has been made
  const before = await memory();
  let flooding = true;
  let said = 0;
  const honest = (async () => {
    while (flooding) {
      said += 1;
      ann.send('webrtc.iceCandidate', 'honest', { candidate: `{"n":${said}}`, to: bob.userID, conn: 'c' });
      const { data } = await bob.next('webrtc.iceCandidate');
      assert.equal(data.candidate, `{"n":${said}}`);
      bob.clear();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  await Promise.all(Array.from({ length: 8 }, () => attack((FLOOD * 9) / 10 / 8)));
  flooding = false;
  await honest;
  assert.ok(said >= 3, `${said} honest messages`);
  assert.ok(sent >= FLOOD);
  const after = await memory();
  assert.ok(after - before < 50, `${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after`);
  assert.deepEqual(ann.all('room.left'), []);
  assert.doesNotMatch(relay.stderr, /"level":(50|60)/, 'nothing went wrong inside');
});
