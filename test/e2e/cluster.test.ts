/** Two relays and a real Redis: one call over both, whichever of the three ends. */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { pause, until } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';
import { whyNoRedis } from '../support/lab/programs.mjs';
import { startRedis } from '../support/redis.ts';
import { startRelayProcess } from '../support/relay.ts';

const test = scenarios();
/** Sockets that cannot be opened are told to the console by the browser itself. */
const allow = [
  /WebSocket connection to .* failed/,
  /ERR_CONNECTION_REFUSED/,
  /can.t establish a connection/i,
  /Cross-Origin Request Blocked/,
  /was interrupted while the page was loading/,
];

async function cluster(stage: Stage) {
  const redis = await startRedis();
  stage.later(() => redis.stop());
  const nodes = [
    await startRelayProcess({ PM_REDIS_URL: redis.url }),
    await startRelayProcess({ PM_REDIS_URL: redis.url }),
  ] as const;
  for (const node of nodes) {
    stage.later(() => node.close());
    await until('a node that is ready', async () => (await fetch(`${node.url}/ready`)).ok);
  }
  /** A page whose room lists both, this one first. */
  const page = (first: 0 | 1) => {
    const { url } = nodes[first];
    const wsUrl = [nodes[first], nodes[1 - first]!].map((node) => node.wsUrl).join(' ');
    return stage.roomPage({ via: { url, wsUrl } });
  };
  return { redis, nodes, page };
}

const ids = async (visitor: Visitor): Promise<string[]> =>
  (await visitor.summary()).participants.map((each) => each.id);
const made = (visitor: Visitor): Promise<number> => visitor.run(() => e2e.made().peerConnections);

/** Everybody's pictures move on in a second and a half. */
async function picturesMove(people: readonly Visitor[]): Promise<void> {
  const frames = await Promise.all(
    people.map((each) => each.run((ms) => e2e.remoteMedia('pm-room', ms), 1_500)),
  );
  const counts = frames.map((media) => media.map(({ pictures }) => pictures.frames));
  assert.ok(
    counts.flat().length >= people.length && counts.flat().every((count) => count > 5),
    `a picture stood still: ${JSON.stringify(counts)}`,
  );
}

test('people at two relays hold a call; one relay is killed: its people are at the other, and no picture stops', async (stage) => {
  const why = whyNoRedis();
  if (why) return stage.report(`SKIPPED: ${why}`);
  const { nodes, page } = await cluster(stage);
  const people = [
    await stage.visit('chromium', page(0), { allow }),
    await stage.visit('firefox', page(1), { allow }),
  ];
  await expectEveryoneSeesEveryone(people);
  const before = await Promise.all(
    people.map(async (each) => ({ ids: await ids(each), made: await made(each) })),
  );

  const killed = Date.now();
  await nodes[0].kill('SIGKILL');
  const [moved] = people;
  assert.ok(moved);
  await moved.state('reconnecting');
  await moved.state('joined');
  stage.report(`in the room again by the other relay ${String(Date.now() - killed)} ms after the kill`);
  await picturesMove(people);
  await expectEveryoneSeesEveryone(people);
  for (const [index, visitor] of people.entries()) {
    assert.deepEqual(await ids(visitor), before[index]?.ids, `${visitor.who}: other ids`);
    assert.deepEqual(await visitor.events('pm-participant-left'), [], `${visitor.who}: somebody left`);
    assert.equal(await made(visitor), before[index]?.made, `${visitor.who}: a connection was made anew`);
  }
  // Signalling spans what is left: somebody new meets both.
  const newcomer = await stage.visit('chromium', page(1), { allow });
  await expectEveryoneSeesEveryone([...people, newcomer]);
});

test('Redis is away for ten seconds: the call goes on, and then all is as before', async (stage) => {
  const why = whyNoRedis();
  if (why) return stage.report(`SKIPPED: ${why}`);
  const { redis, nodes, page } = await cluster(stage);
  const people = [
    await stage.visit('chromium', page(0), { allow }),
    await stage.visit('firefox', page(1), { allow }),
  ];
  await expectEveryoneSeesEveryone(people);
  const before = await Promise.all(people.map(made));
  await redis.stop();
  await pause(5_000);
  await picturesMove(people);
  await pause(5_000);
  await picturesMove(people);
  await redis.start();
  for (const node of nodes)
    await until('a node that is ready again', async () => (await fetch(`${node.url}/ready`)).ok);
  const newcomer = await stage.visit('chromium', page(1), { allow });
  await expectEveryoneSeesEveryone([...people, newcomer]);
  for (const [index, visitor] of people.entries()) {
    assert.deepEqual(await visitor.events('pm-participant-left'), [], `${visitor.who}: somebody left`);
    assert.ok(
      (await made(visitor)) <= (before[index] ?? 0) + 1,
      `${visitor.who}: a connection was made anew`,
    );
  }
});
