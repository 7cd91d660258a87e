/** Two participants on the mesh alone, hundreds of seeds: whatever the interleaving, they end in agreement. */
import { assert } from '@open-wc/testing';
import { faults, MeshRoom, NOTHING_LEFT, type Member } from '../support/fake-platform/mesh-room.ts';
import type { FakePeerConnection } from '../support/fake-platform/index.ts';

const PAIR = ['a', 'b'] as const;

async function forSeeds(count: number, body: (seed: number) => Promise<void>): Promise<void> {
  for (let seed = 1; seed <= count; seed += 1) {
    try {
      await body(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}

function only(member: Member | undefined): FakePeerConnection {
  const [pc] = member?.connections ?? [];
  if (!pc) throw new Error('no connection');
  return pc;
}

async function assertWell(room: MeshRoom): Promise<void> {
  assert.deepEqual(faults(room), []);
  for (const member of room.members) {
    for (const pc of member.connections) {
      const arriving = pc.getTransceivers().map(({ receiver }) => receiver.meter.flowing);
      assert.deepEqual(arriving.slice(0, 2), [true, true], `${member.name} gets sound and picture`);
    }
  }
  assert.equal(await room.leave(), NOTHING_LEFT);
}

/**
 * Opens the screen sections on both sides, so that every later wish can be met: two Firefox that each want to send what
 * the other does not take go on offering for ever (see the conformance test on answers that may not send).
 */
async function openAll(room: MeshRoom): Promise<void> {
  for (const { connections } of room.members) {
    for (const pc of connections)
      for (const each of pc.getTransceivers().slice(2)) each.direction = 'recvonly';
  }
  await room.world.run(2_000);
}

/** Some change that needs negotiation, at a random moment within `window` ms. */
function disturb(room: MeshRoom, member: Member, window: number): void {
  const { world } = room;
  for (const pc of member.connections) {
    world.scheduler.schedule('work', world.random.between(0, window), member.name, () => {
      if (pc.signalingState === 'closed') return;
      const transceiver = pc.getTransceivers()[world.random.integer(2, 3)];
      if (!transceiver || world.random.chance(0.3)) pc.restartIce();
      else transceiver.direction = transceiver.direction === 'sendrecv' ? 'recvonly' : 'sendrecv';
    });
  }
}

describe('Negotiation of two', () => {
  it('joins: four slots and one data section, sound and picture both ways, nothing left', async () => {
    await forSeeds(150, async (seed) => {
      const room = await MeshRoom.connected({ seed }, PAIR);
      await room.world.run(500);
      for (const [member, other] of [
        ['a', 'b'],
        ['b', 'a'],
      ] as const) {
        const sources = room.members.find(({ name }) => name === member)?.sources.get(other);
        assert.sameMembers([...(sources ?? [])], ['mic', 'camera']);
      }
      await assertWell(room);
    });
  });

  it('sends what was published before the link was opened', async () => {
    await forSeeds(30, async (seed) => {
      const room = new MeshRoom({ seed });
      const [a, b] = [await room.add('a'), await room.add('b')];
      for (const member of [a, b]) member.publishAll();
      room.introduce(a, b, false);
      room.introduce(b, a, true);
      await room.world.when(() => room.isWhole(), 'connected', 10_000);
      await room.world.run(500);
      await assertWell(room);
    });
  });

  it('both renegotiate at once, again and again', async () => {
    await forSeeds(200, async (seed) => {
      const room = await MeshRoom.connected({ seed }, PAIR);
      await openAll(room);
      for (let round = 0; round < 5; round += 1) {
        for (const member of room.members) disturb(room, member, 200);
        await room.world.run(room.world.random.between(0, 300));
      }
      await room.world.run(3_000);
      await assertWell(room);
    });
  });

  it('never stays out of stable for two seconds', async () => {
    await forSeeds(100, async (seed) => {
      const room = await MeshRoom.connected({ seed }, PAIR);
      await openAll(room);
      const { world } = room;
      for (let round = 0; round < 10; round += 1) {
        for (const member of room.members) disturb(room, member, 30);
        await world.run(40);
        const stable = () => room.members.every((member) => only(member).signalingState === 'stable');
        await world.when(stable, 'both stable', 2_000);
      }
      await world.run(1_000);
      await assertWell(room);
    });
  });

  it('a prepared offer, gathered ahead, becomes the link', async () => {
    await forSeeds(50, async (seed) => {
      const room = new MeshRoom({ seed });
      const { world } = room;
      const [a, b] = [await room.add('a'), await room.add('b')];
      for (const member of [a, b]) member.publishAll();
      const prepared = await world.until(b.transport.prepare(3), 'prepared offers');
      await world.run(world.random.between(0, 5_000));
      const [dealt] = prepared;
      assert.lengthOf(prepared, 3);
      if (!dealt) return;
      room.introduce(a, b, false);
      b.transport.assign(dealt.conn, { id: 'a', ext: true, initiator: true, polite: true });
      b.transport.discardPrepared();
      room.wire.send('b', 'a', { kind: 'offer', payload: dealt.sdp, conn: dealt.conn, offer: dealt.offer });
      await world.when(() => room.isWhole(), 'connected', 10_000);
      // Those that nobody was dealt are closed a while later.
      await world.run(2_500);
      await assertWell(room);
    });
  });

  it('one leaves, the other is told and can be left alone', async () => {
    await forSeeds(60, async (seed) => {
      const room = await MeshRoom.connected({ seed }, PAIR);
      const [a, b] = room.members;
      await room.world.run(500);
      a?.leave();
      await room.world.when(() => (b?.byes.length ?? 0) > 0, 'the farewell', 2_000);
      b?.transport.disconnect('a');
      assert.lengthOf(b?.connections ?? [], 0);
      assert.equal(await room.leave(), NOTHING_LEFT);
    });
  });

  it('leaves in the middle of anything without a trace or an error', async () => {
    await forSeeds(200, async (seed) => {
      const room = new MeshRoom({ seed });
      for (const name of PAIR) room.join(await room.add(name));
      await room.world.run(room.world.random.between(0, 400));
      for (const member of room.members) disturb(room, member, 50);
      await room.world.run(room.world.random.between(0, 100));
      const errors = room.members.flatMap((member) => member.errors);
      assert.deepEqual(errors, []);
      assert.equal(await room.leave(), NOTHING_LEFT);
    });
  });
});
