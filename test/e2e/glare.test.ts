/**
 * Both sides renegotiate at once, again and again, while signalling takes from 0 to 200 ms: nobody gets stuck. What
 * renegotiates are the live connections of real rooms: their screen sections are opened and closed on both sides.
 *
 * PM_FULL=1 plays a thousand rounds in each pairing of browsers instead of a hundred, PM_GLARE_SEED the same delays
 * and orders again.
 */
import assert from 'node:assert/strict';
import { expectConnected, expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { settled } from '../support/e2e/until.ts';
import type { DelayProxy } from '../support/e2e/delay-proxy.ts';
import { Random } from '../support/fake-platform/random.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();
const ROUNDS = process.env['PM_FULL'] ? 1_000 : 100;
const SEED = Number(process.env['PM_GLARE_SEED'] ?? Date.now() % 1_000_000);
const PAIRINGS: readonly (readonly [Kind, Kind])[] = [
  ['chromium', 'firefox'],
  ['chromium', 'chromium'],
  ['firefox', 'firefox'],
];
/** For everything, in ms. */
const TIMEOUT = Math.max(300_000, ROUNDS * 2_000);
/** The sections of the screen, which nothing else flips. */
const SECTIONS = [2, 3];
/** Pairs at once. Their rounds are waiting most of the time. */
const PAIRS = 2;
/** No round may take longer in any page, in ms. It is counted in looks of the page, one every so many ms. */
const STUCK = 2_000;
const LOOK = 50;

/** The one connection of a page, and how far its negotiation is. */
interface Watched {
  readonly pc: RTCPeerConnection;
  /** What every flipped section should have come to; null before the first round. */
  target: RTCRtpTransceiverDirection | null;
  /** Looks since the flip at which it had not come to that: a page that gets no processor counts no time. */
  open: number;
  longest: number;
}

declare const watched: Watched;

const watch = (sections: number[], every: number): void => {
  const [pc] = e2e.peerConnections.filter((each) => each.connectionState === 'connected');
  if (!pc) throw new Error('no connection');
  const state: Watched = { pc, target: null, open: 0, longest: 0 };
  const agreed = (): boolean =>
    pc.signalingState === 'stable' &&
    sections.every((section) => pc.getTransceivers()[section]?.currentDirection === state.target);
  void (async () => {
    while (pc.signalingState !== 'closed') {
      state.open = !state.target || agreed() ? 0 : state.open + 1;
      state.longest = Math.max(state.longest, state.open);
      await e2e.pause(every);
    }
  })();
  Object.assign(globalThis, { watched: state });
};

/** Flips sections of the connection, the moment it is asked to. */
const flip = (sections: number[], direction: RTCRtpTransceiverDirection): void => {
  watched.target = direction;
  watched.open = 0;
  for (const section of sections) {
    const transceiver = watched.pc.getTransceivers()[section];
    if (!transceiver) throw new Error(`no section ${String(section)}`);
    transceiver.direction = direction;
  }
};

const agreed = (sections: number[], direction: RTCRtpTransceiverDirection): string | null => {
  const { pc } = watched;
  const now = sections.map((section) => pc.getTransceivers()[section]?.currentDirection ?? 'none');
  if (pc.signalingState === 'stable' && now.every((each) => each === direction)) return null;
  return `${pc.signalingState}, sections ${now.join()} instead of ${direction}`;
};

async function pair(
  stage: Stage,
  proxy: DelayProxy,
  index: number,
  pairing: readonly [Kind, Kind],
): Promise<Visitor[]> {
  const url = stage.site.add(
    `<!doctype html><title>Pair</title><link rel="icon" href="data:,">
     <script type="module" src="${proxy.url}/pm-elements.js"></script>
     <pm-room room="${stage.room}-${String(index)}" relay="${proxy.wsUrl}" camera-off mic-off autojoin></pm-room>`,
  );
  const kinds = index % 2 ? [...pairing].reverse() : pairing;
  const people: Visitor[] = [];
  // Few processes: what is separate here is the browser's making.
  for (const [side, kind] of kinds.entries()) {
    const who = `${kind}-pair-${String(index)}-${String(side)}`;
    people.push(await stage.visit(kind, url, { process: kinds[0] === kinds[1] ? side : 0, who }));
  }
  await expectConnected(people);
  for (const each of people) await each.run(watch, SECTIONS, LOOK);
  return people;
}

async function play(people: readonly Visitor[], rounds: number, random: Random): Promise<void> {
  let open = false;
  for (let round = 0; round < rounds; round++) {
    open = !open;
    const direction = open ? 'sendrecv' : 'inactive';
    const first = random.pick([
      [2, 3],
      [3, 2],
    ]);
    await Promise.all(people.map((each) => each.run(flip, first, direction)));
    await Promise.all(
      people.map((each) =>
        settled(`${each.who} agrees in round ${String(round)}`, () => each.run(agreed, SECTIONS, direction), {
          timeout: 30_000,
          every: 20,
        }),
      ),
    );
  }
}

async function rounds(stage: Stage, pairing: readonly [Kind, Kind]): Promise<void> {
  const random = new Random(SEED);
  const proxy = await stage.proxy({ random: () => random.next() });
  const pairs: Visitor[][] = [];
  for (let index = 0; index < PAIRS; index++) pairs.push(await pair(stage, proxy, index, pairing));

  // Two legs to the relay and from it: 0 to 200 ms for every message.
  proxy.delay = [0, 100];
  const started = Date.now();
  const before = proxy.frames.length;
  await Promise.all(
    pairs.map((people, index) => play(people, Math.ceil(ROUNDS / PAIRS), new Random(SEED + index + 1))),
  );
  proxy.delay = 0;

  const seen = await Promise.all(pairs.flat().map((each) => each.run(() => watched.longest)));
  const longest = Math.max(...seen) * LOOK;
  // An offer without an answer was given up for the other side's: the glare that this test is about.
  const sent = (type: string): number =>
    proxy.frames.slice(before).filter((frame) => frame.direction === 'up' && frame.type === type).length;
  const collisions = sent('webrtc.offer') - sent('webrtc.answer');
  stage.report(
    `seed ${String(SEED)}: ${String(ROUNDS)} rounds in ${String(Math.round((Date.now() - started) / 1000))} s, ` +
      `${String(collisions)} collisions, longest round about ${String(longest)} ms`,
  );
  assert.ok(collisions > ROUNDS / 4, `only ${String(collisions)} collisions: the rounds prove nothing`);
  assert.ok(longest <= STUCK, `a round took ${String(longest)} ms`);
  for (const visitor of pairs.flat()) assert.deepEqual(await visitor.events('pm-error'), [], visitor.who);

  // And every connection still carries a call: a rollback must not cost a picture.
  for (const people of pairs) {
    const devices = async (on: boolean): Promise<void> => {
      for (const visitor of people) {
        await visitor.run(async (given) => {
          const room = e2e.room('pm-room');
          await Promise.all([room.toggleCamera(given), room.toggleMic(given)]);
        }, on);
      }
    };
    await devices(true);
    await expectEveryoneSeesEveryone(people);
    await devices(false);
  }
}

for (const pairing of PAIRINGS) {
  const [one, other] = pairing;
  test(
    `${String(ROUNDS)} rounds of both sides renegotiating at once, ${one} with ${other} (seed ${String(SEED)})`,
    (stage) => rounds(stage, pairing),
    TIMEOUT,
  );
}
