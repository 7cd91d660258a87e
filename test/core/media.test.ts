/** One's own devices and screen, on the fake platform: switching, loss, processing, sharing, and what the others see. */
import { expect } from '@open-wc/testing';
import type { Call, SourceName } from '../../src/core/index.ts';
import type { FakePlatform, FakeTrack } from '../support/fake-platform/index.ts';
import { createFakeRoom, type FakeRoom } from '../support/fake-room.ts';

const self = (call: Call) => call.snapshot.participants[0]!;
const own = (call: Call, source: SourceName) => self(call).sources[source];
const seen = (call: Call, other: Call, source: SourceName) =>
  call.snapshot.participants.find(({ id }) => id === self(other).id)!.sources[source];
const trackOf = (call: Call, source: SourceName) =>
  own(call, source).stream!.getTracks()[0] as unknown as FakeTrack;
const codes = (room: FakeRoom, name: string) =>
  room
    .heard(name)
    .flatMap(({ name: event, detail }) => (event === 'error' ? [(detail as { code: string }).code] : []));
const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error: { code: string }) => error.code,
  );

async function pair(seed: number, set: (platform: FakePlatform) => void = () => undefined) {
  const room = createFakeRoom({ seed });
  const { world } = room;
  const platform = world.platform('maya');
  set(platform);
  const [maya, jonas] = [room.call('maya'), room.call('jonas')];
  await room.joined(maya, jonas);
  await room.everyoneMeets(maya, jonas);
  await world.run(1_000);
  return { room, world, devices: platform.devices, platform, maya, jonas };
}

const two = ({ devices }: FakePlatform) => {
  devices.plug('video', 'cam-2');
  devices.plug('audio', 'mic-2');
  devices.plug('output', 'speaker-1');
  devices.plug('output', 'speaker-2');
};

describe('sharing the screen', () => {
  it('shows it to everybody with its sound, stops it in the click, and begins again', async () => {
    const { room, world, maya, jonas, devices } = await pair(1);
    for (let round = 0; round < 3; round += 1) {
      const sharing = maya.toggleScreen();
      expect(own(maya, 'screen').state).to.equal('pending');
      expect(await world.until(sharing)).to.equal(true);
      expect(trackOf(maya, 'screen').contentHint).to.equal('detail');
      await world.when(() => !!seen(jonas, maya, 'screen').stream, 'the screen to be seen');
      await world.when(() => !!seen(jonas, maya, 'screenAudio').stream, 'its sound to be heard');
      const stopped = maya.toggleScreen();
      expect(own(maya, 'screen')).to.deep.equal({ state: 'off', stream: null });
      expect(devices.displays.every(({ readyState }) => readyState === 'ended')).to.equal(true);
      expect(await stopped).to.equal(false);
      await world.when(() => !seen(jonas, maya, 'screen').stream, 'the screen to be gone');
      await world.when(() => seen(jonas, maya, 'screenAudio').state === 'off', 'its sound to be gone');
    }
    expect(codes(room, 'maya')).to.deep.equal([]);
  });

  it('agrees whoever shares and stops when, in both browsers, under fifteen seeds', async () => {
    for (let seed = 300; seed < 315; seed += 1) {
      const { world, maya, jonas } = await pair(seed);
      const settled = () =>
        (
          [
            [maya, jonas],
            [jonas, maya],
          ] as const
        ).every(
          ([one, other]) =>
            !!seen(one, other, 'screen').stream === other.snapshot.wanted.screen &&
            !!seen(one, other, 'screenAudio').stream === other.snapshot.wanted.screen,
        );
      // Both at once, one or the other, and before the last change has been agreed upon.
      for (let round = 0; round < 8; round += 1) {
        for (const call of [maya, jonas]) if (world.random.next() < 0.7) void call.toggleScreen();
        await world.run(world.random.between(0, 400));
      }
      await world.when(settled, `seed ${seed}: both to see what is shared`);
      await world.run(3_000);
      expect(settled(), `seed ${seed}`).to.equal(true);
      const count = (name: string) => world.peerConnections(name).map(({ signalingState }) => signalingState);
      expect([...count('maya'), ...count('jonas')].filter((state) => state !== 'closed')).to.deep.equal([
        'stable',
        'stable',
      ]);
    }
  });

  it('is seen by whoever comes later, with several sharers', async () => {
    const { room, world, maya, jonas } = await pair(2);
    await world.until(Promise.all([maya.toggleScreen(), jonas.toggleScreen()]));
    const priya = room.call('priya');
    await room.joined(priya);
    for (const sharer of [maya, jonas])
      await world.when(
        () => priya.snapshot.participants.length === 3 && !!seen(priya, sharer, 'screen').stream,
        'priya to see both',
      );
  });

  it('ends from the browser’s own bar', async () => {
    const { world, maya, jonas, devices } = await pair(3);
    await world.until(maya.toggleScreen());
    devices.displays.find(({ kind }) => kind === 'video')!.end();
    expect(maya.snapshot.wanted.screen).to.equal(false);
    expect(own(maya, 'screen').state).to.equal('off');
    expect(devices.displays.every(({ readyState }) => readyState === 'ended')).to.equal(true);
    await world.run(1_000);
    expect(seen(jonas, maya, 'screen').state).to.equal('off');
  });

  it('names a refusal, a missing gesture, and a browser that cannot', async () => {
    const { room, world, maya, devices } = await pair(4);
    devices.displayFailure = 'NotAllowedError';
    expect(await world.until(failed(maya.toggleScreen()))).to.equal('screen-refused');
    devices.displayFailure = 'InvalidStateError';
    expect(await world.until(failed(maya.toggleScreen()))).to.equal('activation-required');
    Object.assign(devices, { getDisplayMedia: undefined });
    expect(await world.until(failed(maya.toggleScreen()))).to.equal('unsupported');
    expect(codes(room, 'maya')).to.deep.equal(['screen-refused', 'activation-required', 'unsupported']);
    expect(maya.snapshot.wanted.screen).to.equal(false);
    expect(own(maya, 'screen').state).to.equal('off');
    maya.dispose();
    expect(await world.until(failed(maya.toggleScreen()))).to.equal('usage');
  });

  it('forgets a picker that was answered too late, and leaves nothing behind', async () => {
    const { world, maya } = await pair(5);
    const sharing = maya.toggleScreen();
    await maya.toggleScreen(false);
    await world.until(sharing);
    expect(own(maya, 'screen').state).to.equal('off');
    void maya.toggleScreen(true);
    await maya.leave();
    await world.run(1_000);
    expect(world.report('maya').tracks).to.equal(0);
    expect(world.report('maya').listeners).to.equal(1);
    expect(maya.snapshot.wanted.screen).to.equal(false);
  });
});

describe('devices', () => {
  it('are listed with the permission, and an event says what is new', async () => {
    const { world, maya, devices } = await pair(10, two);
    const heard: number[] = [];
    maya.on('devices-change', (detail) => heard.push(detail.devices.length));
    expect(maya.snapshot.devices).to.deep.include({
      kind: 'camera',
      id: 'cam-2',
      label: 'Fake video device cam-2',
    });
    expect(maya.snapshot.devices.map(({ kind }) => kind).sort()).to.deep.equal(
      ['mic', 'mic', 'camera', 'camera', 'speaker', 'speaker'].sort(),
    );
    devices.plug('audio', 'mic-3');
    await world.run(100);
    expect(heard).to.deep.equal([7]);
    expect(await world.until(maya.devices())).to.equal(maya.snapshot.devices);
  });

  it('tell nothing before the permission', async () => {
    const { world } = createFakeRoom({ seed: 11 });
    const found = await world.until(world.platform('x').devices.enumerateDevices());
    expect(found.map(({ deviceId, label }) => deviceId + label)).to.deep.equal(['', '']);
  });

  it('change during a call without negotiation, muted or not', async () => {
    const { world, maya, jonas } = await pair(12, two);
    await maya.toggleMic(false);
    const connection = world.peerConnections('maya').find((each) => each.connectionState === 'connected')!;
    const described = connection.localDescription!.sdp;
    const before = trackOf(maya, 'mic');
    await world.until(Promise.all([maya.setDevice('mic', 'mic-2'), maya.setDevice('camera', 'cam-2')]));
    expect(own(maya, 'mic')).to.include({ state: 'silenced', device: 'mic-2' });
    expect(own(maya, 'camera')).to.include({ state: 'on', device: 'cam-2' });
    expect(maya.snapshot.chosen).to.deep.equal({ mic: 'mic-2', camera: 'cam-2', speaker: '' });
    expect(before.readyState).to.equal('ended');
    expect(trackOf(maya, 'mic').enabled).to.equal(false);
    await world.run(500);
    const sent = () =>
      connection
        .getSenders()
        .slice(0, 2)
        .map(({ track }) => track?.deviceId);
    // Silence is not sent: nothing says the same.
    expect(sent()).to.deep.equal([undefined, 'cam-2']);
    await world.until(maya.toggleMic(true));
    await world.run(500);
    expect(sent()).to.deep.equal(['mic-2', 'cam-2']);
    await maya.toggleMic(false);
    expect(connection.localDescription!.sdp).to.equal(described);
    expect(seen(jonas, maya, 'camera').state).to.equal('on');
    expect(world.report('maya').tracks).to.equal(2);
  });

  it('stop the old one first where only one may be open, as on phones; front is mirrored, back is not', async () => {
    const { world, maya } = await pair(13, ({ devices }) => {
      devices.devices = [];
      devices.plug('video', 'front', { facingMode: 'user' });
      devices.plug('video', 'back', { facingMode: 'environment' });
      devices.single.add('video');
    });
    expect(own(maya, 'camera')).to.include({ device: 'front', mirrored: true });
    await world.until(maya.setDevice('camera', 'environment'));
    expect(own(maya, 'camera')).to.include({ state: 'on', device: 'back', mirrored: false });
    await world.until(maya.setDevice('camera', 'user'));
    expect(own(maya, 'camera')).to.include({ state: 'on', device: 'front', mirrored: true });
    expect(world.report('maya').tracks).to.equal(1);
  });

  it('come back when the new one cannot be had', async () => {
    const { world, maya, devices } = await pair(14, two);
    const before = trackOf(maya, 'camera');
    expect(await world.until(failed(maya.setDevice('camera', 'nothing')))).to.equal('overconstrained');
    expect(trackOf(maya, 'camera')).to.equal(before);
    expect(maya.snapshot.chosen.camera).to.equal('');
    devices.failures.video = 'NotReadableError';
    const change = failed(maya.setDevice('camera', 'cam-2'));
    await world.when(() => own(maya, 'camera').state === 'pending', 'the old one to be stopped');
    await world.run(0);
    const asked = devices.asked.length;
    await world.when(() => devices.asked.length > asked, 'the old one to be asked for');
    delete devices.failures.video;
    expect(await world.until(change)).to.equal('device-in-use');
    expect(own(maya, 'camera')).to.include({ state: 'on', device: 'cam-1' });
    expect(maya.snapshot.chosen.camera).to.equal('');
    expect(world.report('maya').tracks).to.equal(2);
  });

  it('follow the newest of two choices, and a camera switched off meanwhile', async () => {
    const { world, maya } = await pair(15, two);
    await world.until(Promise.all([maya.setDevice('mic', 'mic-2'), maya.setDevice('mic', 'mic-1')]));
    expect(own(maya, 'mic').device).to.equal('mic-1');
    const change = maya.setDevice('camera', 'cam-2');
    void maya.toggleCamera(false);
    await world.until(change);
    expect(own(maya, 'camera').state).to.equal('off');
    expect(world.report('maya').tracks).to.equal(1);
    await world.until(maya.toggleCamera(true));
    expect(own(maya, 'camera').device).to.equal('cam-2');
  });

  it('give way to another one when lost, which is said once, and return when plugged in again', async () => {
    const { room, world, maya, devices } = await pair(16, two);
    await world.until(maya.setDevice('mic', 'mic-2'));
    devices.unplug('mic-2');
    expect(own(maya, 'mic').state).to.equal('lost');
    await world.when(() => own(maya, 'mic').state === 'on', 'another one to take its place');
    expect(own(maya, 'mic').device).to.equal('mic-1');
    expect(maya.snapshot.chosen.mic).to.equal('mic-2');
    expect(maya.snapshot.problems).to.deep.equal({});
    devices.plug('audio', 'mic-2');
    await world.when(() => own(maya, 'mic').device === 'mic-2', 'the chosen one to be back');
    await world.run(1_000);
    expect(codes(room, 'maya')).to.deep.equal(['device-not-found']);
    expect(world.report('maya').tracks).to.equal(2);
  });

  it('may go while the browser hands them over', async () => {
    const { room, world, maya, devices } = await pair(19);
    await world.until(maya.toggleCamera(false));
    const ask = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      const stream = await ask(constraints);
      devices.unplug('video');
      return stream;
    };
    await world.until(maya.toggleCamera(true).catch(() => undefined));
    await world.run(1_000);
    expect(own(maya, 'camera')).to.deep.equal({ state: 'lost', stream: null });
    expect(maya.snapshot.problems).to.deep.equal({ camera: 'device-not-found' });
    expect(codes(room, 'maya')).to.deep.equal(['device-not-found']);
  });

  it('stay lost while there is no other, and are on again with the next one', async () => {
    const { room, world, maya, jonas, devices } = await pair(17);
    devices.unplug('video');
    await world.run(1_000);
    expect(own(maya, 'camera')).to.deep.equal({ state: 'lost', stream: null });
    expect(seen(jonas, maya, 'camera').state).to.equal('lost');
    expect(maya.snapshot.problems).to.deep.equal({ camera: 'device-not-found' });
    devices.plug('video', 'cam-9');
    await world.when(() => own(maya, 'camera').state === 'on', 'the new one to be on');
    expect(maya.snapshot.problems).to.deep.equal({});
    expect(codes(room, 'maya')).to.deep.equal(['device-not-found']);
  });

  it('do not switch on by themselves what was muted when it was lost', async () => {
    const { world, maya, devices } = await pair(18);
    await maya.toggleMic(false);
    devices.unplug('audio');
    await world.run(500);
    expect(own(maya, 'mic').state).to.equal('lost');
    devices.plug('audio', 'mic-7');
    await world.run(500);
    expect(own(maya, 'mic').state).to.equal('off');
    expect(world.report('maya').tracks).to.equal(1);
    expect(await world.until(maya.toggleMic())).to.equal(true);
  });

  it('step down at the start when the chosen one is gone, and say so once', async () => {
    const room = createFakeRoom({ seed: 19 });
    const maya = room.call('maya');
    await room.world.until(maya.setDevice('camera', 'long-gone'));
    await room.joined(maya);
    await room.world.run(1_000);
    expect(own(maya, 'camera')).to.include({ state: 'on', device: 'cam-1' });
    await maya.toggleCamera(false);
    await room.world.until(maya.toggleCamera(true));
    expect(codes(room, 'maya')).to.deep.equal(['device-not-found']);
  });

  it('choose the loudspeaker where the browser lets one, and say when it went away', async () => {
    const { room, world, maya, platform, devices } = await pair(20, two);
    await world.until(maya.setDevice('speaker', 'speaker-2'));
    expect(maya.snapshot.chosen.speaker).to.equal('speaker-2');
    devices.unplug('speaker-2');
    await world.run(500);
    expect(codes(room, 'maya')).to.deep.equal(['device-not-found']);
    platform.sinks = false;
    expect(await world.until(failed(maya.setDevice('speaker', 'speaker-1')))).to.equal('unsupported');
  });

  it('take the settings of the voice, also while talking', async () => {
    const { world, maya } = await pair(21);
    maya.configure({ audioProcessing: { noiseSuppression: false } });
    await world.run(500);
    expect(trackOf(maya, 'mic').getConstraints()).to.deep.equal({
      echoCancellation: true,
      noiseSuppression: false,
      autoGainControl: true,
    });
  });
});

describe('a processor', () => {
  it('stands between device and sender, is muted with it, and ends with it', async () => {
    const { world, maya, jonas } = await pair(30);
    const raw = trackOf(maya, 'mic');
    let made: FakeTrack | null = null;
    let over = false;
    await world.until(
      maya.setProcessor('mic', async (track, signal) => {
        signal.onabort = () => (over = true);
        made = (track as unknown as FakeTrack).clone();
        return made;
      }),
    );
    expect(trackOf(maya, 'mic')).to.equal(made);
    expect(raw.readyState).to.equal('live');
    await maya.toggleMic(false);
    expect([raw.enabled, made!.enabled]).to.deep.equal([false, false]);
    await world.until(maya.setProcessor('mic', null));
    expect(over).to.equal(true);
    expect(made!.readyState).to.equal('ended');
    expect(raw.readyState).to.equal('live');
    expect(trackOf(maya, 'mic')).to.equal(raw);
    expect(own(maya, 'mic').state).to.equal('silenced');
    await world.run(500);
    expect(seen(jonas, maya, 'mic').state).to.equal('silenced');
    expect(world.report('maya').tracks).to.equal(2);
  });

  it('shows nothing raw before it is ready, and goes dark at once when switched off meanwhile', async () => {
    const { room, world, maya } = await pair(31);
    await maya.toggleCamera(false);
    let answer!: () => void;
    await world.until(
      maya.setProcessor('camera', (track) => {
        const made = (track as unknown as FakeTrack).clone() as unknown as MediaStreamTrack;
        return new Promise((resolve) => (answer = () => resolve(made)));
      }),
    );
    void maya.toggleCamera(true);
    await world.run(1_000);
    expect(own(maya, 'camera').state).to.equal('pending');
    void maya.toggleCamera(false);
    // The device is dark before the answer, and what comes after all is stopped.
    expect(world.report('maya').tracks).to.equal(2);
    answer();
    await world.run(100);
    expect(own(maya, 'camera').state).to.equal('off');
    expect(world.report('maya').tracks).to.equal(1);
    expect(codes(room, 'maya')).to.deep.equal([]);
  });

  it('that fails, at once or later, leaves the device’s own track and says so', async () => {
    const { room, world, maya } = await pair(32);
    const raw = trackOf(maya, 'camera');
    const boom = () => Promise.reject(new Error('no model'));
    expect(await world.until(failed(maya.setProcessor('camera', boom)))).to.equal('capture-failed');
    expect(trackOf(maya, 'camera')).to.equal(raw);
    const made = raw.clone();
    await world.until(maya.setProcessor('camera', async () => made as unknown as MediaStreamTrack));
    made.end();
    await world.run(100);
    expect(trackOf(maya, 'camera')).to.equal(raw);
    expect(own(maya, 'camera').state).to.equal('on');
    expect(codes(room, 'maya')).to.deep.equal(['capture-failed', 'capture-failed']);
  });
});

describe('sound that the browser holds back', () => {
  it('is a state with one action', () => {
    const room = createFakeRoom({ seed: 40 });
    const maya = room.call('maya');
    let played = 0;
    maya.reportPlaybackBlocked(new DOMException('', 'NotAllowedError'), () => (played += 1));
    expect(maya.snapshot.soundBlocked).to.equal(true);
    expect(codes(room, 'maya')).to.deep.equal(['playback-blocked']);
    maya.playSound();
    expect(played).to.equal(1);
    maya.reportPlaybackBlocked(null);
    expect(maya.snapshot.soundBlocked).to.equal(false);
    expect(codes(room, 'maya')).to.deep.equal(['playback-blocked']);
  });
});

describe('whoever leaves', () => {
  it('while requests for a device wait for one another captures nothing afterwards', async () => {
    const { world, maya, jonas, devices } = await pair(5);
    await maya.toggleCamera(false);
    devices.promptDelay = 500;
    const asked = [true, false, true].map((on) => maya.toggleCamera(on).catch(() => false));
    await world.run(100);
    maya.dispose();
    await world.until(Promise.all(asked));
    await world.run(2_000);
    expect(world.report('maya').tracks).to.equal(0);
    expect(world.report('maya').listeners).to.equal(0);
    jonas.dispose();
  });
});
