/**
 * Both sides renegotiate at once, again and again, while signalling takes from 0 to 200 ms: nobody gets stuck. What
 * renegotiates are the live connections of real rooms: their screen sections are opened and closed on both sides.
 */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { settled } from '../support/e2e/until.ts';
import type { DelayProxy } from '../support/e2e/delay-proxy.ts';
import type { Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();
const ROUNDS = 300;
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
  /** What is missing from that; null when nothing is. */
  missing(): string | null;
  /** Looks since the flip at which something was missing: a page that gets no processor counts no time. */
  open: number;
  longest: number;
}

declare const watched: Watched;

const watch = (sections: number[], every: number): void => {
  const [pc] = e2e.peerConnections.filter((each) => each.connectionState === 'connected');
  if (!pc) throw new Error('no connection');
  const state: Watched = {
    pc,
    target: null,
    missing() {
      const now = sections.map((section) => pc.getTransceivers()[section]?.currentDirection ?? 'none');
      if (pc.signalingState === 'stable' && now.every((each) => each === this.target)) return null;
      return `${pc.signalingState}, sections ${now.join()} instead of ${String(this.target)}`;
    },
    open: 0,
    longest: 0,
  };
  void (async () => {
    while (pc.signalingState !== 'closed') {
      state.open = !state.target || !state.missing() ? 0 : state.open + 1;
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

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

async function pair(stage: Stage, proxy: DelayProxy, index: number): Promise<Visitor[]> {
  const url = stage.site.add(
    `<!doctype html><title>Pair</title><link rel="icon" href="data:,">
     <script type="module" src="${proxy.url}/pm-elements.js"></script>
     <pm-room room="${stage.room}-${String(index)}" relay="${proxy.wsUrl}" camera-off mic-off autojoin></pm-room>`,
  );
  const kinds = index % 2 ? (['firefox', 'chromium'] as const) : (['chromium', 'firefox'] as const);
  const people: Visitor[] = [];
  // One process of each browser: what is separate here is the browser's making.
  for (const kind of kinds)
    people.push(await stage.visit(kind, url, { process: 0, who: `${kind}-pair-${String(index)}` }));
  await Promise.all(
    people.map((each) =>
      settled(
        `${each.who} is connected`,
        async () => {
          const { participants } = await each.summary();
          return participants.some(({ link }) => link === 'connected') ? null : JSON.stringify(participants);
        },
        { timeout: 60_000 },
      ),
    ),
  );
  for (const each of people) await each.run(watch, SECTIONS, LOOK);
  return people;
}

async function play(people: readonly Visitor[], rounds: number): Promise<void> {
  let open = false;
  for (let round = 0; round < rounds; round++) {
    open = !open;
    const direction = open ? 'sendrecv' : 'inactive';
    const first = pick([
      [2, 3],
      [3, 2],
    ]);
    await Promise.all(people.map((each) => each.run(flip, first, direction)));
    await Promise.all(
      people.map((each) =>
        settled(`${each.who} agrees in round ${String(round)}`, () => each.run(() => watched.missing()), {
          timeout: 30_000,
          every: 20,
        }),
      ),
    );
  }
}

test(`${String(ROUNDS)} rounds of both sides renegotiating at once, Chromium with Firefox`, async (stage) => {
  const proxy = await stage.proxy();
  const pairs: Visitor[][] = [];
  for (let index = 0; index < PAIRS; index++) pairs.push(await pair(stage, proxy, index));

  // Two legs to the relay and from it: 0 to 200 ms for every message.
  proxy.delay = [0, 100];
  const started = Date.now();
  const before = proxy.frames.length;
  await Promise.all(pairs.map((people) => play(people, Math.ceil(ROUNDS / PAIRS))));
  proxy.delay = 0;

  const seen = await Promise.all(pairs.flat().map((each) => each.run(() => watched.longest)));
  const longest = Math.max(...seen) * LOOK;
  // An offer without an answer was given up for the other side's: the glare that this test is about.
  const sent = (type: string): number =>
    proxy.frames.slice(before).filter((frame) => frame.direction === 'up' && frame.type === type).length;
  const collisions = sent('webrtc.offer') - sent('webrtc.answer');
  stage.report(
    `${String(ROUNDS)} rounds in ${String(Math.round((Date.now() - started) / 1000))} s, ` +
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
});
