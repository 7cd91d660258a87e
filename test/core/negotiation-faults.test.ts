/** What signalling may do to two participants: lose, repeat, overtake, and bring messages from a former life. */
import { assert } from '@open-wc/testing';
import type { Signal } from '../../src/core/transport/transport.ts';
import type { FakePeerConnection } from '../support/fake-platform/index.ts';
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

function pairOf(room: MeshRoom): [Member, Member] {
  const [a, b] = room.members;
  if (!a || !b) throw new Error('not two members');
  return [a, b];
}

function only(member: Member): FakePeerConnection {
  const [pc] = member.connections;
  if (!pc) throw new Error('no connection');
  return pc;
}

async function empty(seed: number): Promise<MeshRoom> {
  const room = new MeshRoom({ seed });
  await room.add('a');
  await room.add('b');
  return room;
}

async function endsWell(room: MeshRoom): Promise<void> {
  await room.world.run(1_000);
  assert.deepEqual(faults(room), []);
  assert.equal(await room.leave(), NOTHING_LEFT);
}

describe('Negotiation under faults', () => {
  it('what was lost is made good by resend()', async () => {
    await forSeeds(150, async (seed) => {
      const room = await empty(seed);
      const { world } = room;
      const [a, b] = pairOf(room);
      // The relay is away: messages of a while are lost, in both directions.
      room.wire.fate = () => (world.random.chance(0.5) ? 'drop' : 'deliver');
      room.join(b);
      await world.run(world.random.between(50, 600));
      room.wire.fate = () => 'deliver';
      for (let round = 0; round < 3; round += 1) {
        a.transport.resend();
        b.transport.resend();
        await world.run(1_000);
      }
      await world.when(() => room.isWhole(), 'connected after the loss', 20_000);
      await endsWell(room);
    });
  });

  it('an address that STUN told counts more than one that a check told, and less than one of the host', async () => {
    const room = await MeshRoom.connected({ seed: 1 }, ['a', 'b']);
    const [a] = pairOf(room);
    const lines: string[] = [];
    only(a).addIceCandidate = async (given) => {
      lines.push(given!.candidate!);
    };
    for (const line of [
      'candidate:1 1 udp 2122260223 192.0.2.7 5000 typ host',
      'candidate:2 1 udp 1686052607 198.51.100.7 5000 typ srflx raddr 192.0.2.7 rport 5000',
      'candidate:3 1 UDP 1685987327 2001:db8::7 5000 typ srflx raddr 2001:db8::8 rport 5000',
      'candidate:4 1 udp 25108735 203.0.113.9 6000 typ relay raddr 198.51.100.7 rport 5000',
    ]) {
      const payload = JSON.stringify({ candidate: line, sdpMLineIndex: 0 });
      a.transport.receive('b', { kind: 'candidate', payload });
    }
    await room.world.run(100);
    const preferences = lines.map((line) => Number(line.split(' ')[3]) >>> 24);
    assert.deepEqual(preferences, [126, 118, 118, 1]);
    await room.leave();
  });

  it('a renegotiation whose messages are lost is made good by resend()', async () => {
    await forSeeds(150, async (seed) => {
      const room = await MeshRoom.connected({ seed }, ['a', 'b']);
      const { world } = room;
      const [a, b] = pairOf(room);
      room.wire.fate = () => 'drop';
      only(a).restartIce();
      if (world.random.chance(0.5)) only(b).restartIce();
      await world.run(world.random.between(0, 500));
      room.wire.fate = () => 'deliver';
      a.transport.resend();
      b.transport.resend();
      await world.run(2_000);
      await endsWell(room);
    });
  });

  it('a first offer whose answer was lost yields to an offer of the peer', async () => {
    await forSeeds(30, async (seed) => {
      const room = await empty(seed);
      const { world } = room;
      const [a, b] = pairOf(room);
      room.wire.fate = (from, _to, { kind }) => (from === 'a' && kind === 'answer' ? 'drop' : 'deliver');
      room.join(b);
      await world.when(() => Boolean(a.connections[0]?.currentLocalDescription), 'a to answer', 5_000);
      await world.run(200);
      room.wire.fate = () => 'deliver';
      only(a).restartIce();
      await world.run(3_000);
      assert.isBelow(room.wire.sent.length, 12);
      await endsWell(room);
    });
  });

  it('messages that come twice change nothing', async () => {
    await forSeeds(150, async (seed) => {
      const room = await empty(seed);
      room.wire.fate = () => (room.world.random.chance(0.5) ? 'duplicate' : 'deliver');
      room.candidates.fate = room.wire.fate;
      room.join(pairOf(room)[1]);
      await room.world.when(() => room.isWhole(), 'connected', 20_000);
      only(pairOf(room)[0]).restartIce();
      await room.world.run(2_000);
      await endsWell(room);
    });
  });

  it('candidates wait for the description they belong to', async () => {
    await forSeeds(100, async (seed) => {
      const room = await empty(seed);
      const [a, b] = pairOf(room);
      // Descriptions are slow, candidates are there at once, and descriptions carry none.
      const send = room.wire.send.bind(room.wire);
      room.wire.send = (from, to, signal) => {
        const payload = signal.payload.replaceAll(/a=(candidate:|end-of-candidates).*\r\n/g, '');
        room.world.scheduler.schedule('work', room.world.random.between(100, 400), '', () => {
          send(from, to, { ...signal, payload });
        });
      };
      room.join(b);
      await room.world.when(() => room.isWhole(), 'connected', 20_000);
      only(a).restartIce();
      await room.world.run(3_000);
      await endsWell(room);
    });
  });

  it('an answer to an offer that was given up is dropped', async () => {
    await forSeeds(100, async (seed) => {
      const room = await MeshRoom.connected({ seed }, ['a', 'b']);
      const { world } = room;
      const [a, b] = pairOf(room);
      const answers: Signal[] = [];
      room.wire.fate = (from, _to, signal) => {
        if (from === 'b' && signal.kind === 'answer') answers.push(signal);
        return 'deliver';
      };
      for (let round = 0; round < 3; round += 1) {
        only(a).restartIce();
        await world.run(400);
      }
      room.wire.fate = () => 'deliver';
      assert.isAtLeast(answers.length, 2);
      const before = only(a).remoteDescription?.sdp;
      for (const answer of answers) a.transport.receive('b', answer);
      await world.run(200);
      assert.equal(only(a).remoteDescription?.sdp, before);
      // Also while a newer offer of ours waits.
      room.wire.fate = () => 'drop';
      only(a).restartIce();
      await world.run(200);
      for (const answer of answers) a.transport.receive('b', answer);
      await world.run(200);
      assert.equal(only(a).signalingState, 'have-local-offer');
      room.wire.fate = () => 'deliver';
      a.transport.resend();
      await world.run(1_000);
      void b;
      await endsWell(room);
    });
  });

  it('messages of a former connection touch nothing', async () => {
    await forSeeds(100, async (seed) => {
      const room = await MeshRoom.connected({ seed }, ['a', 'b']);
      const { world } = room;
      const [a, b] = pairOf(room);
      const old = [...room.wire.sent, ...room.candidates.sent];
      a.transport.disconnect('b');
      b.transport.disconnect('a');
      await world.run(500);
      room.introduce(a, b, false);
      room.introduce(b, a, true);
      await world.when(() => room.isWhole(), 'connected again', 20_000);
      const [left, right] = [only(a), only(b)];
      for (const { from, to, message } of old) {
        if (message.kind !== 'offer') (to === 'a' ? a : b).transport.receive(from, message);
      }
      await world.run(1_000);
      assert.deepEqual([only(a) === left, only(b) === right], [true, true]);
      await endsWell(room);
    });
  });

  it('both sides open a connection at once: one of the two stands', async () => {
    await forSeeds(150, async (seed) => {
      const room = await empty(seed);
      const { world } = room;
      const [a, b] = pairOf(room);
      const at = (member: Member, other: Member) =>
        world.scheduler.schedule('work', world.random.between(0, 100), member.name, () => {
          room.introduce(member, other, true);
        });
      at(a, b);
      at(b, a);
      await world.run(150);
      for (const round of [1, 2, 3]) {
        void round;
        a.transport.resend();
        b.transport.resend();
        await world.run(1_000);
      }
      await world.when(() => room.isWhole(), 'connected', 20_000);
      await endsWell(room);
    });
  });

  it('a cut of the path: interrupted, repaired by restarts and new connections once it is mended', async () => {
    await forSeeds(60, async (seed) => {
      const room = await MeshRoom.connected({ seed }, ['a', 'b']);
      const { world } = room;
      const [a, b] = pairOf(room);
      world.cut('a', 'b');
      await world.when(
        () => a.links.get('b') === 'interrupted' && b.links.get('a') === 'interrupted',
        'noticed',
        8_000,
      );
      // Long enough for either way of repairing to be tried in vain.
      await world.run(world.random.between(0, 60_000));
      world.mend('a', 'b');
      await world.when(() => room.isWhole(), 'repaired', 40_000);
      await endsWell(room);
    });
  });

  it('a short cut passes without a negotiation', async () => {
    await forSeeds(60, async (seed) => {
      const room = await MeshRoom.connected({ seed }, ['a', 'b']);
      const { world } = room;
      await world.run(500);
      const sent = room.wire.sent.length;
      world.cut('a', 'b');
      await world.run(world.random.between(100, 1_200));
      world.mend('a', 'b');
      await world.when(() => room.isWhole(), 'back', 10_000);
      assert.lengthOf(room.wire.sent, sent);
      await endsWell(room);
    });
  });
});
