/** Rooms of ours and plain clients, on our relay and on a plain server, on the fake platform. */
import { expect } from '@open-wc/testing';
import type { Call, SourceName } from '../../src/core/index.ts';
import type { WorldOptions } from '../support/fake-platform/index.ts';
import { createFakeRoom, fakeToken, type FakeRoom } from '../support/fake-room.ts';
import type { PlainClient } from '../support/plain-client/client.ts';
import { fakePlainClient } from '../support/plain-client/fake.ts';
import { installPlainServer, type FakePlainServer } from '../support/plain-server/fake.ts';

const LOW = '00000000-0000-4000-8000-000000000001';
const HIGH = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
const SEEDS = 40;

type ServerKind = 'relay' | 'plain';

interface Mixed {
  readonly room: FakeRoom;
  readonly server: FakePlainServer | null;
  readonly ours: Call;
  readonly plain: PlainClient;
}

const others = (call: Call) => call.snapshot.participants.slice(1);
const selfId = (call: Call) => call.snapshot.participants[0]!.id;
const stateOf = (call: Call, source: SourceName) => others(call)[0]?.sources[source].state;

/** The label of the track that the plain client's picture of us is made from. */
function sentPicture(room: FakeRoom): string | undefined {
  const open = room.world.peerConnections('ours').filter(({ signalingState }) => signalingState !== 'closed');
  const videos = open.flatMap((pc) => pc.getSenders()).filter(({ track }) => track?.kind === 'video');
  return videos[0]?.track?.label;
}

/** Whether the plain client gets sound and picture of us, and we of it. */
function whole({ ours, plain, room }: Mixed): boolean {
  const peer = plain.peers.get(selfId(ours));
  const [other] = others(ours);
  if (!peer || other?.id !== plain.userId || other.link !== 'connected') return false;
  const { pc } = peer;
  const flowing = (kind: 'audio' | 'video'): boolean =>
    (pc.getReceivers() as unknown as { track: { kind: string }; meter: { flowing: boolean } }[]).some(
      ({ track, meter }) => track.kind === kind && meter.flowing,
    );
  const own = room.world
    .peerConnections('ours')
    .filter(
      ({ signalingState, connectionState }) => signalingState === 'stable' && connectionState === 'connected',
    );
  return (
    own.length === 1 &&
    pc.connectionState === 'connected' &&
    pc.signalingState === 'stable' &&
    flowing('audio') &&
    flowing('video') &&
    peer.sound !== null &&
    stateOf(ours, 'mic') === 'on' &&
    stateOf(ours, 'camera') === 'on'
  );
}

/** Both are in the room. */
async function meet(
  kind: ServerKind,
  seed: number,
  plainId: string,
  sources: readonly ('mic' | 'camera')[],
  order: readonly ('ours' | 'plain')[] = ['ours', 'plain'],
  options: Partial<WorldOptions> = {},
) {
  const room = createFakeRoom({ seed, ...options });
  const { world } = room;
  const server = kind === 'plain' ? installPlainServer(world) : null;
  const ours = room.call('ours');
  const plain = fakePlainClient(world, {
    name: 'plain',
    token: fakeToken({
      sub: plainId,
      username: 'plain',
      exp: world.platform('plain').date() / 1_000 + 3_600,
    } as object),
  });
  for (const who of order) {
    await world.until(who === 'ours' ? ours.join() : plain.enter(sources), `seed ${seed}: ${who} joins`);
    await world.run(world.random.between(0, 700));
  }
  return { room, server, ours, plain };
}

async function mixed(
  kind: ServerKind,
  seed: number,
  plainId: string,
  order: readonly ('ours' | 'plain')[],
): Promise<Mixed> {
  const all = await meet(kind, seed, plainId, ['mic', 'camera'], order);
  await all.room.world.when(() => whole(all), `seed ${seed}: sound and picture both ways`, 15_000);
  return all;
}

function end({ room, ours, plain }: Pick<Mixed, 'room' | 'ours' | 'plain'>): void {
  expect(plain.errors, 'what the plain client cannot read').to.deep.equal([]);
  expect(plain.refusals, 'what the server refused').to.deep.equal([]);
  const logged = room.world.platform('ours').logged.filter(({ level }) => level !== 'debug');
  expect(logged.map(({ message, details }) => `${message} ${String(details[0])}`)).to.deep.equal([]);
  ours.dispose();
  plain.end();
}

async function forSeeds(
  body: (seed: number, plainId: string) => Promise<void>,
  count = SEEDS,
): Promise<void> {
  for (let seed = 1; seed <= count; seed += 1) {
    try {
      await body(seed, seed % 2 ? LOW : HIGH);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}

const SERVERS: readonly (readonly [ServerKind, string])[] = [
  ['relay', 'our relay'],
  ['plain', 'a plain server'],
];

for (const [kind, name] of SERVERS) {
  describe(`with a plain client on ${name}`, () => {
    it('two of them meet, whoever comes first', async () => {
      await forSeeds(async (seed) => {
        const room = createFakeRoom({ seed });
        if (kind === 'plain') installPlainServer(room.world);
        const [a, b] = (seed % 2 ? [LOW, HIGH] : [HIGH, LOW]).map((sub, index) =>
          fakePlainClient(room.world, {
            name: `p${index}`,
            token: fakeToken({ sub, username: `p${index}` }),
          }),
        ) as [PlainClient, PlainClient];
        await room.world.until(a.enter());
        await room.world.run(room.world.random.between(0, 600));
        await room.world.until(b.enter());
        await room.world.when(() => a.canSendImages && b.canSendImages, 'channels both ways', 10_000);
        expect([...a.errors, ...b.errors]).to.deep.equal([]);
        a.end();
        b.end();
      }, 20);
    });

    it('sound and picture go both ways, in both orders of ids and of coming', async () => {
      await forSeeds(async (seed, plainId) => {
        end(await mixed(kind, seed, plainId, seed % 4 < 2 ? ['ours', 'plain'] : ['plain', 'ours']));
      });
    });

    it('no offer of ours comes upon its first one, which Chromium would not survive', async () => {
      await forSeeds(async (seed) => {
        // Slow enough for one to meet the other, were both made at once.
        const slow = { flavour: 'chromium', delays: { sdp: [1, 120], socket: [60, 160] } } as const;
        const order = seed % 2 ? (['ours', 'plain'] as const) : (['plain', 'ours'] as const);
        const all = await meet(kind, seed, HIGH, ['mic', 'camera'], order, slow);
        await all.room.world.when(() => whole(all), 'sound and picture both ways', 15_000);
        end(all);
      });
    });

    it('our camera, off, is a black picture; our screen takes its place on the same sender', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, seed % 4 < 2 ? ['ours', 'plain'] : ['plain', 'ours']);
        const { room, ours, plain } = all;
        const arrived = plain.peers.get(selfId(ours))!.pictures;
        const camera = sentPicture(room);
        await room.world.until(ours.toggleCamera(false));
        await room.world.when(() => sentPicture(room) === 'canvas', 'black');
        await room.world.until(ours.toggleCamera(true));
        await room.world.when(() => sentPicture(room) === camera, 'the camera again');
        expect(plain.peers.get(selfId(ours))!.pictures).to.equal(arrived);
        end(all);
      }, 10);
    });

    it("the plain client's screen is told from its camera, comes and goes; its camera stays", async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, seed % 4 < 2 ? ['ours', 'plain'] : ['plain', 'ours']);
        const { room, ours, plain } = all;
        const camera = others(ours)[0]!.sources.camera.stream;
        for (let round = 0; round < 3; round += 1) {
          await plain.use('screen');
          await room.world.when(() => stateOf(ours, 'screen') === 'on', 'its screen', 10_000);
          expect(others(ours)[0]!.sources.camera.stream).to.equal(camera);
          expect(others(ours)[0]!.sources.screen.stream).to.not.equal(camera);
          await room.world.run(room.world.random.between(0, 500));
          plain.stopScreen();
          await room.world.when(() => stateOf(ours, 'screen') === 'off', 'its screen to end', 10_000);
          expect(stateOf(ours, 'camera')).to.equal('on');
        }
        end(all);
      }, 20);
    });

    it('sources are named by use: a screen before a camera, a camera later', async () => {
      await forSeeds(async (seed, plainId) => {
        const { room, ours, plain } = await meet(kind, seed, plainId, ['mic']);
        await room.world.when(() => stateOf(ours, 'mic') === 'on', 'its microphone', 15_000);
        await plain.use('screen');
        await room.world.when(() => stateOf(ours, 'screen') === 'on', 'its screen', 15_000);
        expect(stateOf(ours, 'camera')).to.equal('off');
        await room.world.run(room.world.random.between(0, 500));
        await plain.use('camera');
        await room.world.when(() => stateOf(ours, 'camera') === 'on', 'its camera', 15_000);
        expect(stateOf(ours, 'screen')).to.equal('on');
        await room.world.run(1_000);
        end({ room, ours, plain });
      }, 20);
    });

    it('a microphone toggle, which leaves and joins back to back, changes nothing', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, ['ours', 'plain']);
        const { room, ours, plain } = all;
        const made = room.world.peerConnections('ours').length;
        for (let round = 0; round < 4; round += 1) {
          plain.toggleMic();
          await room.world.run(room.world.random.between(0, 900));
        }
        await room.world.run(3_000);
        expect(whole(all)).to.equal(true);
        expect(room.world.peerConnections('ours')).to.have.length(made);
        expect(room.heard('ours').filter((each) => each.name === 'participant-left')).to.deep.equal([]);
        expect(stateOf(ours, 'mic')).to.equal('on');
        end(all);
      }, 20);
    });

    it('nor does one while it connects', async () => {
      await forSeeds(async (seed, plainId) => {
        const { room, ours, plain } = await meet(kind, seed, plainId, ['mic', 'camera'], ['ours', 'plain']);
        for (let round = 0; round < 6; round += 1) {
          plain.toggleMic();
          await room.world.run(room.world.random.between(0, 300));
        }
        await room.world.run(2_000);
        expect(others(ours)).to.have.length(1);
        expect(room.heard('ours').filter((each) => each.name === 'participant-left')).to.deep.equal([]);
        await room.world.when(() => whole({ room, ours, plain, server: null }), 'both ways', 15_000);
        end({ room, ours, plain });
      });
    });

    it('offers that cross where signals take seconds: none of its is answered that a copy of ours made void', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, ['plain', 'ours']);
        const { world } = all.room;
        const slow = (by: number) => {
          for (const name of ['ours', 'plain'])
            for (const { cable } of world.platform(name).sockets) cable.extra += by;
        };
        const extra = world.random.between(500, 2_000);
        slow(extra);
        for (const pc of world.peerConnections('ours')) if (pc.signalingState === 'stable') pc.restartIce();
        await world.run(world.random.between(0, 5_000));
        await all.plain.use('screen');
        await world.when(() => stateOf(all.ours, 'screen') === 'on', 'its screen', 60_000);
        slow(-extra);
        await world.when(() => whole(all), 'sound and picture both ways', 25_000);
        await world.run(5_000);
        expect(whole(all)).to.equal(true);
        end(all);
      });
    });

    it('its page sleeps while our offer is said again and again, and wakes', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await meet(
          kind,
          seed,
          plainId,
          ['mic', 'camera'],
          seed % 4 < 2 ? ['ours', 'plain'] : ['plain', 'ours'],
        );
        const { world } = all.room;
        world.freeze('plain');
        await world.run(world.random.between(2_000, 9_000));
        world.thaw('plain');
        await world.when(() => whole(all), 'sound and picture both ways', 25_000);
        await world.run(3_000);
        expect(whole(all)).to.equal(true);
        // Whatever it takes for an answer out of turn it complains of, and is none the worse for it.
        all.plain.errors.length = 0;
        end(all);
      });
    });

    it('it leaves and returns, soon or late, and so do we', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, seed % 4 < 2 ? ['ours', 'plain'] : ['plain', 'ours']);
        const { room, ours, plain } = all;
        plain.leave();
        await room.world.run(room.world.random.between(seed % 2 ? 0 : 4_000, seed % 2 ? 900 : 6_000));
        if (seed % 2 === 0) expect(others(ours)).to.have.length(0);
        plain.join();
        await room.world.when(() => whole(all), 'both again', 20_000);
        await ours.leave();
        await room.world.until(ours.join(), 'to join again');
        await room.world.when(() => whole(all), 'both again', 20_000);
        end(all);
      }, 20);
    });

    it('its page is loaded anew, without the screen of before', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, ['ours', 'plain']);
        const { room, ours, plain } = all;
        await plain.use('screen');
        await room.world.when(() => stateOf(ours, 'screen') === 'on', 'its screen', 10_000);
        plain.end();
        const again = fakePlainClient(room.world, { name: 'plain', token: plain.options.token! });
        await room.world.until(again.enter(), 'to join again');
        const back = { ...all, plain: again };
        await room.world.when(() => whole(back), 'both again', 20_000);
        expect(stateOf(ours, 'screen')).to.equal('off');
        end(back);
      }, 20);
    });

    it('a restart of the server: the call goes on, and nobody is dropped while media flows', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, ['ours', 'plain']);
        const { room, server, ours } = all;
        const made = room.world.peerConnections('ours').length;
        if (server) server.kill();
        else room.killRelay();
        await room.world.when(() => ours.snapshot.phase === 'reconnecting', 'us to notice');
        await room.world.run(2_000);
        if (server) server.start();
        else room.startRelay();
        await room.world.when(() => ours.snapshot.phase === 'joined', 'us to be back');
        await room.world.run(40_000);
        // The plain client has not joined again, as the original never does, and is there all the same.
        expect(whole(all)).to.equal(true);
        expect(room.world.peerConnections('ours')).to.have.length(made);
        // It goes: by its connection alone.
        all.plain.end();
        await room.world.when(() => others(ours).length === 0, 'us to notice', 20_000);
        end(all);
      }, 10);
    });

    it('a camera switched off while nothing comes through: a black picture after it, and the camera when it is on', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, ['ours', 'plain']);
        const { room, ours, plain } = all;
        const gets = () =>
          plain.peers
            .get(selfId(ours))!
            .pc.getReceivers()
            .some(
              (receiver) =>
                receiver.track.kind === 'video' &&
                (receiver as unknown as { meter: { flowing: boolean } }).meter.flowing,
            );
        room.world.cut('ours', 'plain');
        await room.world.when(() => others(ours)[0]?.link === 'interrupted', 'silence');
        await room.world.run(1_000);
        await room.world.until(ours.toggleCamera(false));
        await room.world.run(500);
        room.world.mend('ours', 'plain');
        await room.world.when(() => gets() && sentPicture(room) === 'canvas', 'black', 30_000);
        await room.world.until(ours.toggleCamera(true));
        await room.world.run(3_000);
        expect(gets()).to.equal(true);
        ours.dispose();
        plain.end();
      }, 10);
    });

    it('its tab dies: gone within seconds', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, ['ours', 'plain']);
        all.room.world.crash('plain');
        await all.room.world.when(() => others(all.ours).length === 0, 'us to notice', 20_000);
        end(all);
      }, 10);
    });

    it('our network changes: one ICE restart, which it answers', async () => {
      await forSeeds(async (seed, plainId) => {
        const all = await mixed(kind, seed, plainId, ['ours', 'plain']);
        all.room.world.platform('ours').emit('online');
        await all.room.world.run(5_000);
        expect(whole(all)).to.equal(true);
        end(all);
      }, 20);
    });
  });
}

it('an offer that nobody could be told is said once when the relay is back', async () => {
  await forSeeds(async (seed, plainId) => {
    const all = await mixed('relay', seed, plainId, ['ours', 'plain']);
    const { world } = all.room;
    const platform = world.platform('ours');
    const peer = all.plain.peers.get(selfId(all.ours))!;
    const receive = peer.receive.bind(peer);
    let offers = 0;
    peer.receive = (type, data) => {
      if (type === 'webrtc.offer') offers += 1;
      receive(type, data);
    };
    platform.online = false;
    for (const socket of platform.sockets) socket.server?.terminate();
    await world.run(500);
    world.peerConnections('ours').at(-1)!.restartIce();
    await world.run(5_500);
    platform.online = true;
    await world.when(() => all.ours.snapshot.relay === 'open' && offers > 0, 'the offer', 15_000);
    await world.run(1_500);
    expect(offers).to.equal(1);
    expect(whole(all)).to.equal(true);
    all.ours.dispose();
    all.plain.end();
  }, 20);
});
