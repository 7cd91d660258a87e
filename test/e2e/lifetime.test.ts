/** What a room holds, and that it lets go of it: moving keeps the call, removing ends it, fifty joins leave nothing. */
import assert from 'node:assert/strict';
import type { CDPSession } from 'puppeteer-core';
import { expectEveryoneSeesEveryone, expectOthers } from '../support/e2e/expect.ts';
import type { Counts } from '../support/e2e/page/counters.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { settled } from '../support/e2e/until.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();
const ROUNDS = 50;
const WARM_UP = 6;

const kinds: Kind[] = ['chromium', 'firefox'];

for (const kind of kinds) {
  test(`${kind}: moving the element keeps the call, removing it ends everything`, async (stage) => {
    const peer = await stage.visit('chromium', stage.roomPage(), { process: 1 });
    await peer.state('joined');
    const url = stage.roomPage({ around: '<section id="elsewhere" style="height:90vh"></section>' });
    const mover = await stage.visit(kind, url);
    await expectEveryoneSeesEveryone([peer, mover]);
    const made = await mover.run(() => e2e.made());

    // As frameworks do it: taken out and put in elsewhere, in one task.
    await mover.run(() => document.querySelector('#elsewhere')?.append(e2e.room('pm-room')));
    await expectEveryoneSeesEveryone([peer, mover]);
    // As new platforms do it: moved in one step, where that exists.
    const moved = await mover.run(() => {
      const body = document.body as HTMLElement & { moveBefore?(node: Node, before: Node | null): void };
      body.moveBefore?.(e2e.room('pm-room'), document.body.firstChild);
      return Boolean(body.moveBefore);
    });
    if (moved) await expectEveryoneSeesEveryone([peer, mover]);
    assert.deepEqual(await mover.run(() => e2e.made()), made, 'moving made something anew');
    assert.deepEqual(await peer.events('pm-participant-left'), []);

    await mover.run(() => e2e.room('pm-room').remove());
    await settled('everything is released', async () => {
      const { peerConnections, tracks, sockets } = await mover.run(() => e2e.counts());
      const left = peerConnections + tracks + sockets;
      return left ? JSON.stringify({ peerConnections, tracks, sockets }) : null;
    });
    await expectOthers(peer, 0);
  });
}

/** What Chromium's own bookkeeping says after a collection of garbage: nodes and listeners, also those out of reach. */
async function domCounters(session: CDPSession): Promise<{ nodes: number; jsEventListeners: number }> {
  for (let pass = 0; pass < 3; pass++) await session.send('HeapProfiler.collectGarbage');
  return session.send('Memory.getDOMCounters');
}

async function rounds(visitor: Visitor, count: number): Promise<void> {
  await visitor.run(async (times) => {
    for (let round = 0; round < times; round++) {
      const room = e2e.room('pm-room');
      await room.join();
      // Some leave as soon as they are in, some once they are connected with somebody.
      const connected = (): boolean => room.participants.some((each) => each.link === 'connected');
      for (let waited = 0; round % 2 && !connected() && waited < 200; waited++) await e2e.pause(50);
      await room.leave();
      await e2e.pause(20);
    }
  }, count);
}

/** The counts once what ends by itself (closing sockets, short timers) has ended. */
async function quiet(visitor: Visitor): Promise<Counts> {
  let last = '';
  await settled(
    `${visitor.who} comes to rest`,
    async () => {
      const now = JSON.stringify(await visitor.run(() => e2e.counts()));
      const calm = now === last;
      last = now;
      return calm ? null : now;
    },
    { every: 1_500 },
  );
  return JSON.parse(last) as Counts;
}

for (const kind of kinds) {
  test(`${kind}: nothing is left over after ${String(ROUNDS)} rounds of join and leave`, async (stage) => {
    const peer = await stage.visit('chromium', stage.roomPage(), { process: 1 });
    await peer.state('joined');
    const visitor = await stage.visit(kind, stage.roomPage({ attributes: '' }));
    await visitor.state('lobby');
    // What is made once and kept (styles, the five lines that a screen reader may read again) is made in the first rounds.
    await rounds(visitor, WARM_UP);
    const before = await quiet(visitor);
    const session = kind === 'chromium' ? await visitor.page.createCDPSession() : null;
    const nodesBefore = session && (await domCounters(session));
    assert.deepEqual(
      { peerConnections: before.peerConnections, tracks: before.tracks, sockets: before.sockets },
      { peerConnections: 0, tracks: 0, sockets: 0 },
      'already after the first rounds something is open',
    );

    await rounds(visitor, ROUNDS);
    const after = await quiet(visitor);
    const made = await visitor.run(() => e2e.made());
    stage.report(`${JSON.stringify(after)} after ${JSON.stringify(made)}`);
    assert.deepEqual(after, before, (await visitor.run(() => e2e.leftovers())).join('\n'));
    assert.ok(
      made.peerConnections > ROUNDS,
      `only ${String(made.peerConnections)} connections were ever made`,
    );
    if (session && nodesBefore) {
      const nodesAfter = await domCounters(session);
      stage.report(`${JSON.stringify(nodesBefore)} became ${JSON.stringify(nodesAfter)}`);
      // Fifty leaks of a single node or listener would show; a few come and go with the garbage collector.
      assert.ok(nodesAfter.nodes < nodesBefore.nodes + ROUNDS / 2, 'nodes are left over');
      assert.ok(
        nodesAfter.jsEventListeners < nodesBefore.jsEventListeners + ROUNDS / 2,
        'listeners are left over',
      );
      await session.detach();
    }
    // And the room still works.
    await visitor.run(() => e2e.room('pm-room').join());
    await expectEveryoneSeesEveryone([peer, visitor]);
  });
}
