/**
 * Files between separate browsers: to three at once through an ICE restart, and on over a new link after the old one
 * died. 8 MiB, or 100 MiB with PM_FULL=1.
 */
import assert from 'node:assert/strict';
import { expectConnected } from '../support/e2e/expect.ts';
import type { RoomElement } from '../support/e2e/page/index.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { settled, until } from '../support/e2e/until.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';

const SIZE = (process.env['PM_FULL'] ? 100 : 8) * 1_048_576;
const TIMEOUT = process.env['PM_FULL'] ? 240_000 : 120_000;
/** What may lie in one channel's buffer: the mark, and the chunk that reached it. */
const MOST_BUFFERED = 400_000;

interface Bench {
  room: RoomElement;
  hash: string;
  buffered: number;
}
declare const filesBench: Bench;

const test = scenarios();

/** Makes a page take every file, and watch what its channels hold back. */
function prepare(visitor: Visitor): Promise<void> {
  return visitor.run(() => {
    const room = e2e.room('pm-room');
    const bench: Bench = { room, hash: '', buffered: 0 };
    Object.assign(globalThis, { filesBench: bench });
    room.addEventListener('pm-file', (event) => {
      const { state, outgoing, id } = event.detail;
      if (state === 'offered' && !outgoing) void room.acceptFile(id);
    });
    const send = RTCDataChannel.prototype.send as (this: RTCDataChannel, data: string) => void;
    RTCDataChannel.prototype.send = function (this: RTCDataChannel, data: unknown) {
      send.call(this, data as string);
      if (this.label === 'pm:file') bench.buffered = Math.max(bench.buffered, this.bufferedAmount);
    };
  });
}

/** Sends a file whose bytes differ everywhere; answers its SHA-256. */
function sendFrom(visitor: Visitor): Promise<string> {
  return visitor.run(async (size) => {
    const words = new Uint32Array(size / 4);
    for (let index = 0, value = 7; index < words.length; index += 1)
      words[index] = value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    await filesBench.room.sendFile(new File([words], 'numbers.bin'));
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', words))].join();
  }, SIZE);
}

const files = (visitor: Visitor) =>
  visitor.run(() => filesBench.room.snapshot.files.map(({ state, bytes, code }) => ({ state, bytes, code })));

async function meet(stage: Stage, kinds: readonly Kind[]): Promise<Visitor[]> {
  const url = stage.roomPage({ attributes: 'autojoin mic-off camera-off' });
  const people: Visitor[] = [];
  for (const kind of kinds) people.push(await stage.visit(kind, url));
  await expectConnected(people);
  for (const visitor of people) await prepare(visitor);
  return people;
}

const part = (visitor: Visitor) =>
  until(`${visitor.who} has a part`, async () => ((await files(visitor))[0]?.bytes ?? 0) > SIZE / 5, {
    timeout: TIMEOUT,
    every: 20,
  });

async function expectEqual(receiver: Visitor, hash: string): Promise<void> {
  await settled(
    `${receiver.who} has the file`,
    async () => {
      const [file] = await files(receiver);
      return file?.state === 'done' ? null : JSON.stringify(file ?? 'nothing');
    },
    { timeout: TIMEOUT },
  );
  const got = await receiver.run(async () => {
    const { blob } = filesBench.room.snapshot.files[0]!;
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob!.arrayBuffer()))].join();
  });
  assert.equal(got, hash, `${receiver.who}: another hash`);
}

for (const kind of ['chromium', 'firefox'] as const) {
  test(`${kind} sends to three at once, through an ICE restart`, async (stage) => {
    const people = await meet(stage, [kind, 'chromium', 'chromium', 'firefox']);
    const [sender, ...receivers] = people as [Visitor, ...Visitor[]];
    const hash = await sendFrom(sender);
    await part(receivers[0]!);
    const fragments = () =>
      sender.run(() =>
        e2e.peerConnections
          .filter(({ connectionState }) => connectionState === 'connected')
          .map(({ localDescription }) => /ice-ufrag:(\S+)/.exec(localDescription?.sdp ?? '')?.[1]),
      );
    const before = await fragments();
    await sender.run(() => {
      for (const each of e2e.peerConnections) if (each.connectionState === 'connected') each.restartIce();
    });
    for (const receiver of receivers) await expectEqual(receiver, hash);
    await until('the restarts are over', async () => {
      const after = await fragments();
      return after.length === 3 && after.every((each) => !before.includes(each));
    });
    await until(
      'the sender knows',
      async () => (await files(sender)).filter(({ state }) => state === 'done').length === 3,
    );
    const buffered = await sender.run(() => filesBench.buffered);
    stage.report(`${sender.who}: at most ${String(buffered)} bytes in the buffer of a channel`);
    assert.ok(buffered > 0 && buffered <= MOST_BUFFERED, `${String(buffered)} bytes were buffered`);
  });
}

for (const [from, to] of [
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
] as const) {
  test(`${from} to ${to}: a transfer goes on over the link that replaces a dead one`, async (stage) => {
    const [sender, receiver] = (await meet(stage, [from, to])) as [Visitor, Visitor];
    const hash = await sendFrom(sender);
    await part(receiver);
    // Behind the call's back, as when the browser's network process dies.
    await sender.run(() => {
      for (const each of e2e.peerConnections) each.close();
    });
    await expectEqual(receiver, hash);
    await until('the sender knows', async () => (await files(sender))[0]?.state === 'done');
  });
}
