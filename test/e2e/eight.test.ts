/**
 * Eight people on one machine: in one storm, and one after the other, with somebody leaving and coming back. Everybody
 * hears everybody and what the page sends reaches all; pictures are small and few, since two processors encode for all.
 */
import assert from 'node:assert/strict';
import { expectOthers } from '../support/e2e/expect.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { settled } from '../support/e2e/until.ts';
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
/** Who has the camera on: as far as two processors allow. */
const FILMED = 2;
const PATIENCE = { timeout: 120_000 };

/** Two processes of Chromium and one of Firefox: what is tested is the mesh, not the start of browsers. */
async function visit(stage: Stage, index: number): Promise<Visitor> {
  const camera = index < FILMED ? '' : 'camera-off';
  const kind = KINDS[index] ?? 'chromium';
  return stage.visit(
    kind,
    stage.roomPage({ attributes: `autojoin ${camera} display-name="P${String(index)}"` }),
    {
      process: kind === 'chromium' ? index % 2 : 0,
      who: `P${String(index)}-${kind}`,
      viewport: { width: 480, height: 360 },
      flags: ['--use-fake-device-for-media-stream=fps=5'],
    },
  );
}

async function everybodyIsConnected(people: readonly Visitor[]): Promise<void> {
  await Promise.all(
    people.map((visitor) =>
      settled(
        `${visitor.who} is connected with everybody`,
        async () => {
          const { participants } = await visitor.summary();
          const linked = participants.filter(({ self, link }) => !self && link === 'connected').length;
          return linked === people.length - 1 ? null : `${String(linked)} of ${String(people.length - 1)}`;
        },
        PATIENCE,
      ),
    ),
  );
}

/** Sound by its packets: eight decoders of everything would measure the machine. */
async function everybodyHearsEverybody(people: readonly Visitor[]): Promise<void> {
  const heard = (): Promise<number> => e2e.audioStreamsFlowing(800);
  await Promise.all(
    people.map((visitor) =>
      settled(
        `${visitor.who} hears everybody`,
        async () => {
          const streams = await visitor.run(heard);
          return streams >= people.length - 1 ? null : `${String(streams)} streams`;
        },
        PATIENCE,
      ),
    ),
  );
}

/** Everybody says one thing to all over their own channels; all of it arrives. */
async function dataReachesAll(people: readonly Visitor[], topic: string): Promise<void> {
  await Promise.all(
    people.map((visitor, index) =>
      visitor.run((given, from) => e2e.room('pm-room').sendData(given, { from }), topic, index),
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
  await everybodyIsConnected(people);
  await everybodyHearsEverybody(people);
  await dataReachesAll(people, 'storm');

  const gone = people.pop();
  assert.ok(gone);
  await gone.close();
  for (const visitor of people) await expectOthers(visitor, people.length - 1);
  people.push(await visit(stage, KINDS.length - 1));
  await everybodyIsConnected(people);
  await everybodyHearsEverybody(people);
  await dataReachesAll(people, 'again');
});

test('eight people come one by one', async (stage) => {
  const people: Visitor[] = [];
  for (const index of KINDS.keys()) {
    people.push(await visit(stage, index));
    await everybodyIsConnected(people);
  }
  await everybodyHearsEverybody(people);
  await dataReachesAll(people, 'queue');
});
