/**
 * Eight people on one machine: in one storm, and one after the other, with somebody leaving and coming back, and a
 * screen shared in the middle. What the page sends reaches all, and everybody is heard by everybody, two at a time: each
 * end of one stream of sound costs a twentieth of a processor, so that all fifty-six would need three.
 */
import assert from 'node:assert/strict';
import { DRAWN_SCREEN } from '../support/e2e/drawn-screen.ts';
import { expectConnected, expectOthers } from '../support/e2e/expect.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { settled, until } from '../support/e2e/until.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();
const KINDS: readonly Kind[] = [
  'chromium',
  'firefox',
  'chromium',
  'chromium',
  'chromium',
  'firefox',
  'chromium',
  'chromium',
];
/** How many speak at a time, and who has the camera on: as far as two processors allow. */
const SPEAKERS = 2;
const FILMED = 1;
const PATIENCE = { timeout: 120_000 };

/** Two processes of Chromium and one of Firefox: what is tested is the mesh, not the start of browsers. */
async function visit(stage: Stage, index: number): Promise<Visitor> {
  const camera = index < FILMED ? '' : 'camera-off';
  const mic = index < SPEAKERS ? '' : 'mic-off';
  const kind = KINDS[index] ?? 'chromium';
  return stage.visit(
    kind,
    stage.roomPage({ attributes: `autojoin ${camera} ${mic} display-name="P${String(index)}"` }),
    {
      process: kind === 'chromium' ? index % 2 : 0,
      who: `P${String(index)}-${kind}`,
      viewport: { width: 480, height: 360 },
      scripts: [DRAWN_SCREEN],
      flags: ['--use-fake-device-for-media-stream=fps=5'],
    },
  );
}

/** Everybody hears those who speak, by the packets: to decode everything loudly would measure the machine. */
async function areHeard(people: readonly Visitor[], speakers: readonly Visitor[]): Promise<void> {
  const heard = (): Promise<number> => e2e.audioStreamsFlowing(800);
  await Promise.all(
    people.map((visitor) =>
      settled(
        `${visitor.who} hears ${speakers.map(({ who }) => who).join(' and ')}`,
        async () => {
          const streams = await visitor.run(heard);
          const wanted = speakers.length - (speakers.includes(visitor) ? 1 : 0);
          return streams === wanted ? null : `${String(streams)} streams of ${String(wanted)}`;
        },
        PATIENCE,
      ),
    ),
  );
}

/** The word goes round until everybody was heard by all the others. */
async function everybodyHearsEverybody(people: readonly Visitor[]): Promise<void> {
  for (let first = 0; first < people.length; first += SPEAKERS) {
    const speakers = people.slice(first, first + SPEAKERS);
    for (const visitor of people)
      await visitor.run((on) => e2e.room('pm-room').toggleMic(on), speakers.includes(visitor));
    await areHeard(people, speakers);
  }
}

/** One shows the screen to all, and stops. */
async function oneShares(people: readonly Visitor[]): Promise<void> {
  const [sharer] = people;
  assert.ok(sharer);
  const shown = async (wanted: string): Promise<void> => {
    for (const visitor of people.slice(1))
      await settled(
        `${visitor.who} has the screen of ${sharer.who} as ${wanted}`,
        async () => {
          const { participants } = await visitor.summary();
          const state = participants.find(({ name }) => name === 'P0')?.sources.screen.state ?? 'nobody';
          return state === wanted ? null : state;
        },
        PATIENCE,
      );
  };
  await sharer.run(() => e2e.room('pm-room').toggleScreen(true));
  await shown('on');
  await sharer.run(() => e2e.room('pm-room').toggleScreen(false));
  await shown('off');
}

/** Everybody says one thing to all over their own channels, again where a connection was made anew; all of it arrives. */
async function dataReachesAll(people: readonly Visitor[], topic: string): Promise<void> {
  await Promise.all(
    people.map((visitor, index) =>
      until(`${visitor.who} has sent data to all`, async () => {
        await visitor.run((given, from) => e2e.room('pm-room').sendData(given, { from }), topic, index);
        return true;
      }),
    ),
  );
  await Promise.all(
    people.map((visitor, index) =>
      settled(
        `${visitor.who} got everybody's data`,
        async () => {
          const events = await visitor.events('pm-data');
          const from = new Set(
            events
              .map(({ detail }) => detail as { topic: string; data: { from: number } })
              .filter((detail) => detail.topic === topic)
              .map(({ data }) => data.from),
          );
          return from.size === people.length - 1 && !from.has(index) ? null : `${String(from.size)} messages`;
        },
        PATIENCE,
      ),
    ),
  );
}

test('eight people come in one storm; one leaves, comes back, and one shares', async (stage) => {
  const people = await Promise.all(KINDS.map((_kind, index) => visit(stage, index)));
  await expectConnected(people, PATIENCE);
  await everybodyHearsEverybody(people);
  await dataReachesAll(people, 'storm');
  await oneShares(people);

  const gone = people.pop();
  assert.ok(gone);
  await gone.close();
  for (const visitor of people) await expectOthers(visitor, people.length - 1);
  people.push(await visit(stage, KINDS.length - 1));
  await expectConnected(people, PATIENCE);
  await everybodyHearsEverybody(people);
  await dataReachesAll(people, 'again');
});

test('eight people come one by one', async (stage) => {
  const people: Visitor[] = [];
  for (const index of KINDS.keys()) {
    people.push(await visit(stage, index));
    await expectConnected(people, PATIENCE);
  }
  await everybodyHearsEverybody(people);
  await dataReachesAll(people, 'queue');
});
