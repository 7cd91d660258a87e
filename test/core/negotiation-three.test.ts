/** Three participants on the mesh: joins, renegotiation and leaving on three connections at once. */
import { assert } from '@open-wc/testing';
import { faults, MeshRoom, NOTHING_LEFT, type Member } from '../support/fake-platform/mesh-room.ts';

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

function everyoneHears(member: Member, room: MeshRoom): void {
  for (const other of room.members) {
    if (other === member) continue;
    assert.sameMembers(
      [...(member.sources.get(other.name) ?? [])],
      ['mic', 'camera'],
      `${member.name} of ${other.name}`,
    );
  }
  for (const pc of member.connections) {
    const arriving = pc.getTransceivers().map(({ receiver }) => receiver.meter.flowing);
    assert.deepEqual(arriving.slice(0, 2), [true, true], `${member.name} gets sound and picture`);
  }
}

describe('Negotiation of three', () => {
  it('joins one after the other, or all at once', async () => {
    await forSeeds(80, async (seed) => {
      const room = new MeshRoom({ seed });
      for (const name of ['c', 'a', 'b']) {
        room.join(await room.add(name));
        await room.world.run(room.world.random.between(0, 150));
      }
      await room.world.when(() => room.isWhole(), 'everybody connected', 20_000);
      await room.world.run(1_000);
      assert.deepEqual(faults(room), []);
      for (const member of room.members) everyoneHears(member, room);
      assert.equal(await room.leave(), NOTHING_LEFT);
    });
  });

  it('everybody restarts at once, on every connection', async () => {
    await forSeeds(60, async (seed) => {
      const room = await MeshRoom.connected({ seed }, ['a', 'b', 'c']);
      const { world } = room;
      for (let round = 0; round < 4; round += 1) {
        for (const { name, connections } of room.members) {
          for (const pc of connections) {
            world.scheduler.schedule('work', world.random.between(0, 200), name, () => pc.restartIce());
          }
        }
        await world.run(world.random.between(0, 250));
      }
      await world.run(3_000);
      assert.deepEqual(faults(room), []);
      for (const member of room.members) everyoneHears(member, room);
      assert.equal(await room.leave(), NOTHING_LEFT);
    });
  });

  it('one crashes without a word; the other two go on', async () => {
    await forSeeds(40, async (seed) => {
      const room = await MeshRoom.connected({ seed }, ['a', 'b', 'c']);
      const { world } = room;
      world.crash('b');
      const gone = room.members.splice(1, 1);
      await world.when(
        () => room.members.every(({ links }) => links.get('b') !== 'connected'),
        'noticed',
        10_000,
      );
      for (const member of room.members) member.transport.disconnect('b');
      await world.run(1_000);
      assert.deepEqual(faults(room), []);
      assert.lengthOf(gone, 1);
      assert.equal(await room.leave(), NOTHING_LEFT);
    });
  });
});
