/** Whatever the routers between two homes do, there is a way for the call, and it is the one that was expected. */
import assert from 'node:assert/strict';
import { expectConnected, expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { until } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';
import { figure, full, rounds } from '../support/faults/fault.ts';
import { selectedPath } from '../support/faults/path.ts';
import { labScenarios, type LabStage } from '../support/lab/lab-scenario.ts';
import type { NatKind } from '../support/lab/nat.ts';
import type { TurnServer } from '../support/lab/turn.ts';

const test = labScenarios({ a: 'port', b: 'port' });
const WHERE = 'Chromium, namespaces';

type Servers = readonly (keyof TurnServer['urls'])[];
const ALL: Servers = ['stun', 'udp', 'tcp', 'tls'];

interface Case {
  readonly a: NatKind;
  readonly b: NatKind;
  /** What the relay tells of. */
  readonly servers: Servers;
  readonly path: RegExp;
  /** R6 names a figure for symmetric routers. */
  readonly limit?: number;
  /** In `npm test` as well. */
  readonly quick?: true;
}

const cases: Case[] = [
  { a: 'open', b: 'open', servers: ALL, path: /^srflx-srflx$/, quick: true },
  { a: 'port', b: 'port', servers: ALL, path: /^srflx-srflx$/, quick: true },
  { a: 'open', b: 'symmetric', servers: ['stun'], path: /^(srflx|prflx)-(srflx|prflx)$/ },
  { a: 'port', b: 'symmetric', servers: ALL, path: /relay/ },
  { a: 'symmetric', b: 'symmetric', servers: ['stun', 'udp'], path: /relay\/udp/, limit: 1_000, quick: true },
  { a: 'symmetric', b: 'symmetric', servers: ['stun', 'tcp'], path: /relay\/tcp/, limit: 1_000, quick: true },
  { a: 'symmetric', b: 'symmetric', servers: ['stun', 'tls'], path: /relay\/tls/, limit: 1_000, quick: true },
  { a: 'udp-blocked', b: 'port', servers: ALL, path: /relay\/tcp/, quick: true },
  { a: 'udp-blocked', b: 'udp-blocked', servers: ALL, path: /relay\/tcp/ },
  { a: 'only-443', b: 'only-443', servers: ALL, path: /relay\/tls/, quick: true },
];

/** A relay that tells of these servers alone. */
async function relayFor(stage: LabStage, servers: Servers) {
  const relay =
    servers === ALL
      ? stage.relay
      : await stage.lab.startRelay({
          PM_TURN_URLS: servers.map((each) => stage.lab.turn.urls[each]).join(' '),
        });
  if (relay !== stage.relay) stage.later(() => relay.close());
  return relay;
}

/** From the first step of a connection to its keys, in ms, by the call's own timeline. */
const timeToConnect = (visitor: Visitor): Promise<number | null> =>
  visitor.run(() => {
    const room = e2e.room('pm-room');
    const other = room.participants.find((each) => !each.self);
    const steps = other ? room.call.timeline(other.id) : [];
    const at = (name: string) => steps.find(({ step }) => step === name)?.at;
    const [begin, end] = [at('signalling'), at('dtls')];
    return begin === undefined || end === undefined ? null : end - begin;
  });

for (const { a, b, servers, path, limit = null } of cases.filter(({ quick }) => full || quick)) {
  const turn = servers.filter((each) => each !== 'stun').join(', ');
  const fault = `NAT: ${a} and ${b}${turn ? `, TURN by ${turn}` : ''}`;
  test(fault, async (stage) => {
    stage.home('a').nat(a);
    stage.home('b').nat(b);
    const via = await relayFor(stage, servers);
    const people = [await stage.visitFrom('a', { via }), await stage.visitFrom('b', { via })];
    const [stays, returns] = people as [Visitor, Visitor];
    await expectEveryoneSeesEveryone(people);
    const paths = await Promise.all(people.map(selectedPath));
    stage.report(`${fault}: ${paths.join(', ')}`);
    assert.ok(
      paths.some((each) => path.test(each)),
      paths.join(),
    );
    for (let round = 0; round < rounds(limit === null ? 7 : 50); round++) {
      if (round) {
        await returns.run(() => e2e.room('pm-room').leave());
        await until('the other one is alone', async () => (await stays.summary()).participants.length === 1);
        await returns.run(() => e2e.room('pm-room').join());
        await expectConnected(people);
      }
      figure(
        stage,
        {
          goal: limit === null ? 'connected (its signalling to its keys)' : 'R6: through TURN within 1 s',
          fault,
          where: WHERE,
          limit,
        },
        await timeToConnect(returns),
      );
    }
  });
}

test('NAT: symmetric and symmetric without TURN is told as such', async (stage) => {
  stage.home('a').nat('symmetric');
  stage.home('b').nat('symmetric');
  const via = await relayFor(stage, ['stun']);
  const goal = {
    goal: 'R6: a plain error within 16 s',
    fault: 'NAT: symmetric and symmetric, no TURN',
    where: WHERE,
    limit: 16_000,
  };
  for (let round = 0; round < rounds(5); round++) {
    const people = [await stage.visitFrom('a', { via }), await stage.visitFrom('b', { via })];
    for (const each of people) {
      const told = await until(
        `${each.who} is told that TURN is needed`,
        async () =>
          (await each.events('pm-error')).find(
            ({ detail }) => (detail as { code: string }).code === 'turn-needed',
          ),
        { timeout: 60_000 },
      ).catch(() => null);
      // Counted from the moment when the other one was there.
      const [met] = await each.events('pm-participant-joined');
      figure(stage, goal, told && met ? told.at - met.at : null);
      assert.ok(told, `${each.who} was not told: ${JSON.stringify(await each.events('pm-error'))}`);
      assert.equal((await each.summary()).state, 'joined', 'the room itself goes on');
    }
    await Promise.all(people.map((each) => each.close()));
  }
});
