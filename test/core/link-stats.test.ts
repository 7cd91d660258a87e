/**
 * One shape of statistics for every browser: read from a real pair of connections in the browser that runs this file,
 * and from the fake as either browser, so that neither drifts. Differences between browsers are named.
 */
import { expect } from '@open-wc/testing';
import type { LinkStats } from '../../src/core/index.ts';
import { readStats, type StatsReport } from '../../src/core/transport/mesh/link-stats.ts';
import { BROWSER, browserRig, fakeRig, type Rig } from '../support/fake-platform/rig.ts';
import { createFakeRoom } from '../support/fake-room.ts';

const SOURCES = { 0: 'mic', 1: 'camera' } as const;
const sourceOf = (mid: string) => SOURCES[Number(mid) as 0] ?? null;

/** Chromium counts the samples of sound that somebody plays, and no others. */
function play(track: MediaStreamTrack): void {
  const audio = document.createElement('audio');
  audio.srcObject = new MediaStream([track]);
  void audio.play();
}

async function pairOf(rig: Rig): Promise<[RTCPeerConnection, RTCPeerConnection]> {
  const left = rig.connection();
  const right = rig.connection();
  for (const [from, to] of [
    [left, right],
    [right, left],
  ] as const) {
    from.onicecandidate = ({ candidate }) => {
      if (candidate) void to.addIceCandidate(candidate).catch(() => undefined);
    };
  }
  for (const kind of ['audio', 'video'] as const) {
    const transceiver = left.addTransceiver(kind);
    await rig.wait(transceiver.sender.replaceTrack(await rig.track(kind)));
  }
  for (const [from, to] of [
    [left, right],
    [right, left],
  ] as const) {
    await rig.wait(from.setLocalDescription());
    await rig.wait(
      to.setRemoteDescription({ type: from.localDescription!.type, sdp: from.localDescription!.sdp }),
    );
  }
  if (!rig.fake) play(right.getReceivers()[0]!.track);
  await rig.until(() => left.connectionState === 'connected', 'a connection');
  return [left, right];
}

async function reading(rig: Rig, pc: RTCPeerConnection): Promise<LinkStats> {
  const first: StatsReport = await rig.wait(pc.getStats());
  await rig.pass(2_000);
  return readStats(await rig.wait(pc.getStats()), first, sourceOf);
}

for (const make of [browserRig, () => fakeRig('chromium', 1), () => fakeRig('firefox', 2)]) {
  const rig = make();
  const chromium = rig.flavour === 'chromium';
  describe(`statistics of ${rig.name}${rig.fake ? '' : ` (${BROWSER})`}`, () => {
    let left: RTCPeerConnection, right: RTCPeerConnection;
    before(async () => ([left, right] = await pairOf(rig)));
    after(() => rig.end());

    it('tell the path and what went over it', async () => {
      await rig.pass(1_500);
      const stats = await reading(rig, right);
      expect(stats.path).to.include({ kind: 'direct', protocol: 'udp' });
      expect(stats.path.local).to.be.oneOf(['host', 'prflx']);
      expect(stats.path.remote).to.be.oneOf(['host', 'prflx']);
      expect(stats.bytesReceived).to.be.above(1_000);
      expect(stats.at).to.be.above(0);
    });

    it('tell what arrives of each source', async () => {
      const { inbound, outbound } = await reading(rig, right);
      expect(outbound.filter(({ packets }) => packets > 0)).to.have.length(0);
      const [mic, camera] = ['mic', 'camera'].map((name) => inbound.find(({ source }) => source === name)!);
      expect(mic).to.include({
        kind: 'audio',
        mid: '0',
        codec: 'opus',
        width: null,
        frameRate: null,
        loss: 0,
      });
      expect(camera).to.include({ kind: 'video', mid: '1', codec: 'VP8', loss: 0 });
      for (const stream of [mic!, camera!]) {
        expect(stream.packets).to.be.above(0);
        expect(stream.bitrate).to.be.above(5_000);
        expect(stream.lost).to.equal(0);
        expect(stream.jitter).to.be.within(0, 500);
      }
      expect(camera!.width).to.be.above(100);
      expect(camera!.height).to.be.above(60);
      expect(camera!.frames).to.be.above(0);
      expect(camera!.freezes).to.be.within(0, 20);
      expect(camera!.frameRate).to.be.within(1, 61);
      expect(mic!.concealed).to.be.within(0, 1);
      expect(mic!.audioLevel).to.be.within(rig.fake ? 0 : 0.001, 1);
    });

    it('tell what is sent, and what the peer says of it', async () => {
      await rig.pass(rig.fake ? 0 : 3_000);
      const { inbound, outbound, roundTrip, availableOutgoing } = await reading(rig, left);
      expect(inbound.filter(({ packets }) => packets > 0)).to.have.length(0);
      const camera = outbound.find(({ source }) => source === 'camera')!;
      expect(camera).to.include({ kind: 'video', codec: 'VP8', lost: 0, loss: 0 });
      expect(camera.bitrate).to.be.above(5_000);
      expect(camera.frameRate).to.be.within(1, 61);
      expect(camera.jitter).to.be.within(0, 500);
      expect(roundTrip).to.be.within(0, 1_000);
      // Firefox says neither what limits it nor what it could send.
      expect(camera.limitedBy).to.equal(chromium ? 'none' : null);
      if (chromium) expect(availableOutgoing).to.be.above(0);
      else expect(availableOutgoing).to.equal(null);
    });
  });
}

describe('a link of a call', () => {
  for (const flavour of ['chromium', 'firefox'] as const) {
    it(`is read all the time, and never again after it closed (${flavour})`, async () => {
      const room = createFakeRoom({ seed: 31, flavour });
      const [maya, jonas] = [room.call('maya'), room.call('jonas')] as const;
      await room.joined(maya, jonas);
      expect(await maya.getStats()).to.deep.equal([]);
      await room.everyoneMeets(maya, jonas);
      await room.world.run(3_000);
      const seen: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        const [link] = await maya.getStats();
        expect(link).to.include({ id: jonas.snapshot.participants[0]!.id });
        expect(link!.path).to.include({ kind: 'direct', protocol: 'udp' });
        expect(link!.inbound.map(({ source }) => source)).to.have.members(['mic', 'camera']);
        expect(link!.outbound.map(({ source }) => source)).to.have.members(['mic', 'camera']);
        seen.push(link!.bytesReceived);
        await room.world.run(1_100);
      }
      expect(seen, 'one reading each').to.deep.equal([...new Set(seen)]);
      expect(maya.snapshot.participants[1]!.path).to.equal('direct');
      let readings = 0;
      for (const connection of room.world.peerConnections('maya')) {
        const getStats = connection.getStats.bind(connection);
        connection.getStats = (...args) => {
          readings += 1;
          return getStats(...args);
        };
      }
      await room.world.run(10_000);
      expect(readings).to.be.within(9, 21);
      await maya.leave();
      const before = readings;
      await room.world.run(5_000);
      expect(readings).to.equal(before);
      expect(await maya.getStats()).to.deep.equal([]);
    });
  }
});
