/** Who is told of a recording, and when; where it goes; how it ends. That it can be watched is tested in test/e2e. */
import { expect } from '@open-wc/testing';
// Loaded ahead: a virtual clock does not wait for a script.
import '../../src/core/media/recorder.ts';
import { reserve } from '../../src/core/media/recording/webm.ts';
import type { Call, CallEvents } from '../../src/core/index.ts';
import { createFakeRoom, type FakeRoom } from '../support/fake-room.ts';

const nothing = { connections: 0, tracks: 0, sockets: 0, timers: 0, listeners: 0 };
const recording = (call: Call) => call.snapshot.participants.map((each) => each.recording);
const fakeOf = (room: FakeRoom, name: string) => room.world.platform(name).recording;
type Change = CallEvents['recording-change'];
const changes = (room: FakeRoom, name: string) =>
  room.heard(name).flatMap((each) => (each.name === 'recording-change' ? [each.detail as Change] : []));
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: { code: string }) => error.code,
  );

const { arrayBuffer } = Blob.prototype;
after(() => void (Blob.prototype.arrayBuffer = arrayBuffer));

async function pair(seed: number) {
  const room = createFakeRoom({ seed });
  // Bytes are read in real time, of which a virtual clock knows nothing.
  Blob.prototype.arrayBuffer = function () {
    return room.world.hold(arrayBuffer.call(this));
  };
  const [maya, jonas] = [room.call('maya'), room.call('jonas')];
  await room.joined(maya, jonas);
  await room.everyoneMeets(maya, jonas);
  const fake = fakeOf(room, 'maya');
  room.world.platform('maya').storage = fake.storage;
  return { room, maya, jonas, fake };
}

describe('recording', () => {
  it('is announced before it starts, to whoever comes later as well, and withdrawn at the end', async () => {
    const { room, maya, jonas, fake } = await pair(1);
    const order: string[] = [];
    maya.on('recording-change', ({ recording: on }) => order.push(`${on} ${fake.recorder?.state ?? 'none'}`));
    await room.world.until(maya.startRecording());
    expect(order).to.deep.equal(['true none']);
    expect(fake.recorder!.state).to.equal('recording');
    await room.world.run(500);
    expect(recording(jonas)).to.deep.equal([false, true]);
    expect(changes(room, 'jonas').map((each) => each.recording)).to.deep.equal([true]);

    const late = room.call('late');
    await room.joined(late);
    await room.everyoneMeets(maya, jonas, late);
    await room.world.run(500);
    const maybe = late.snapshot.participants.filter((each) => each.recording).map(({ name }) => name);
    expect(maybe).to.deep.equal(['maya']);
    expect(fake.names).to.deep.equal(['maya', 'jonas', 'late']);

    const result = await room.world.until(maya.stopRecording());
    expect(result.mimeType).to.equal('video/webm;codecs=vp8,opus');
    expect(result.durationMs).to.be.within(500, room.world.now - fake.recorder!.startedAt);
    await room.world.run(500);
    for (const call of [jonas, late]) expect(recording(call)).to.not.include(true);
    expect(changes(room, 'maya').at(-1)).to.deep.include({ recording: false, result });
    expect(changes(room, 'jonas').at(-1)).to.deep.include({ recording: false, result: null });
  });

  it('has nobody in the file before they were told', async () => {
    const { room, maya, fake } = await pair(2);
    await room.world.until(maya.startRecording());
    const late = room.call('late');
    let early = 0;
    maya.subscribe(
      ({ participants }) => participants[2]?.sources.mic.state,
      (state) => (early += state === 'pending' && fake.mixed.size > 2 ? 1 : 0),
    );
    await room.joined(late);
    await room.world.when(() => fake.mixed.size === 3);
    expect(early).to.equal(0);
    // Said by then, in order, on the channel by which their own word came; heard a moment later.
    await room.world.run(200);
    expect(late.snapshot.participants.some((each) => each.recording)).to.equal(true);
  });

  it('mixes whoever is heard and draws whoever is seen, as they come, mute and go', async () => {
    const { room, maya, jonas, fake } = await pair(3);
    await room.world.until(maya.startRecording());
    await room.world.run(200);
    expect([fake.mixed.size, fake.videos]).to.deep.equal([2, 2]);
    const drawn = fake.pictures;
    await room.world.run(1_000);
    expect(fake.pictures - drawn).to.be.within(24, 26);

    await room.world.until(jonas.toggleMic(false));
    await room.world.until(maya.toggleCamera(false));
    await room.world.run(500);
    expect([fake.mixed.size, fake.videos]).to.deep.equal([1, 1]);
    expect(fake.names).to.deep.equal(['maya', 'jonas']);
    await jonas.leave();
    await room.world.run(500);
    expect([fake.mixed.size, fake.videos]).to.deep.equal([1, 0]);
    expect(fake.names).to.deep.equal(['maya']);
  });

  for (const end of ['leave', 'dispose'] as const) {
    it(`ends with the call (${end}): the file is kept, handed over, and nothing else is left`, async () => {
      const { room, maya, jonas, fake } = await pair(4);
      await room.world.until(maya.startRecording());
      await room.world.run(3_500);
      await maya[end]();
      expect(recording(maya)).to.deep.equal([false]);
      await room.world.when(() => changes(room, 'maya').length === 2);
      const { result } = changes(room, 'maya')[1]!;
      expect(result!.file.size).to.equal(8_000);
      expect(result!.durationMs).to.equal(3_500);
      expect(await room.world.until(maya.stopRecording())).to.equal(result);
      jonas.dispose();
      maya.dispose();
      await room.world.run(5_000);
      for (const name of ['maya', 'jonas']) expect(room.world.report(name)).to.deep.equal(nothing);
      expect([fake.contexts.size, fake.playing.size, fake.mixed.size]).to.deep.equal([0, 0, 0]);
    });
  }

  it('survives the loss of the relay', async () => {
    const { room, maya, fake } = await pair(5);
    await room.world.until(maya.startRecording());
    room.killRelay();
    await room.world.run(5_000);
    expect(maya.snapshot.phase).to.equal('reconnecting');
    expect(fake.recorder!.state).to.equal('recording');
  });

  it('goes to the private file system, to a chosen file, or to memory', async () => {
    const { room, maya, fake } = await pair(6);
    const day = 24 * 3_600_000;
    for (const [name, age] of [
      ['pm-recording-old.webm', day + 60_000],
      ['pm-recording-new.webm', day / 2],
      ['notes.txt', 2 * day],
    ] as const) {
      fake.files.set(name, {
        kind: 'file',
        name,
        lastModified: room.world.platform('maya').date() - age,
        content: new Blob(),
      });
    }
    await room.world.until(maya.startRecording());
    await room.world.run(2_500);
    const { file } = await room.world.until(maya.stopRecording());
    const [kept] = [...fake.files.values()].filter(({ content }) => content.size);
    expect(kept!.content).to.equal(file);
    expect(kept!.name).to.match(/^pm-recording-[\w-]+\.webm$/);
    expect([...fake.files.keys()].slice(0, -1)).to.deep.equal(['pm-recording-new.webm', 'notes.txt']);

    const folder = await fake.storage.getDirectory();
    const handle = await folder.getFileHandle('mine.webm');
    await room.world.until(maya.startRecording({ handle }));
    await room.world.run(1_500);
    expect((await room.world.until(maya.stopRecording())).file).to.equal(
      fake.files.get('mine.webm')!.content,
    );

    fake.storageFailure = 'NotAllowedError';
    await room.world.until(maya.startRecording());
    await room.world.run(1_500);
    const held = await room.world.until(maya.stopRecording());
    expect([held.file.size, held.file.type]).to.deep.equal([4_000, held.mimeType]);
  });

  it('says what it cannot do, and takes the announcement back', async () => {
    const { room, maya, jonas, fake } = await pair(7);
    const start = (options = {}) => room.world.until(code(maya.startRecording(options)));
    expect(await room.world.until(code(maya.stopRecording()))).to.equal('usage');
    expect(await start({ mimeType: 'video/none' })).to.equal('unsupported');
    fake.supported = false;
    expect(await start()).to.equal('unsupported');
    fake.supported = fake.soundBlocked = true;
    expect(await start()).to.equal('activation-required');
    fake.soundBlocked = false;
    expect(changes(room, 'maya')).to.deep.equal([]);

    fake.refuses = true;
    expect(await start()).to.equal('capture-failed');
    fake.refuses = false;
    await room.world.run(500);
    expect(recording(jonas)).to.deep.equal([false, false]);
    expect(fake.contexts.size).to.equal(0);

    expect(await start()).to.equal('none');
    fake.writeFailure = 'NotAllowedError';
    await room.world.when(() => changes(room, 'maya').at(-1)?.recording === false);
    expect(changes(room, 'maya').at(-1)!.result).to.equal(null);
    expect(await code(maya.stopRecording())).to.equal('capture-failed');
    await room.world.run(500);
    expect(recording(jonas)).to.deep.equal([false, false]);
    const failed = room.heard('maya').filter(({ name }) => name === 'error');
    expect(failed).to.have.length(5);
  });

  it('ends by itself when memory is full, with what there is', async () => {
    const { room, maya, fake } = await pair(8);
    fake.storageFailure = 'NotAllowedError';
    const piece = new Blob(Array.from({ length: 64 }, () => new Uint8Array(2 ** 20)));
    fake.slice = () => piece;
    await room.world.until(maya.startRecording());
    await room.world.when(() => !recording(maya)[0], 'the bound', 20_000);
    expect(room.world.now - fake.recorder!.startedAt).to.be.within(8_000, 10_000);
    await room.world.until(maya.stopRecording());
  });

  it('runs once, however often it is asked for, and only in a call', async () => {
    const { room, maya, fake } = await pair(9);
    await room.world.until(Promise.all([maya.startRecording(), maya.startRecording()]));
    expect(fake.contexts.size).to.equal(1);
    const [first, second] = [maya.stopRecording(), maya.stopRecording()];
    expect(await room.world.until(first)).to.equal(await room.world.until(second));
    await maya.leave();
    expect(await room.world.until(code(maya.startRecording()))).to.equal('usage');
    await room.world.until(maya.join());
    const starting = code(maya.startRecording());
    await maya.leave();
    expect(await room.world.until(starting)).to.equal('usage');
    expect(fake.contexts.size).to.equal(0);
  });

  it('ignores what is no announcement', async () => {
    const room = createFakeRoom({ seed: 10 });
    const platform = room.world.platform('jonas');
    const channels: RTCDataChannel[] = [];
    const create = platform.createPeerConnection.bind(platform);
    platform.createPeerConnection = (config) => {
      const connection = create(config);
      const open = connection.createDataChannel.bind(connection);
      connection.createDataChannel = (...given) => {
        const channel = open(...given);
        channels.push(channel);
        return channel;
      };
      return connection;
    };
    const [maya, jonas] = [room.call('maya'), room.call('jonas')];
    await room.joined(maya, jonas);
    await room.everyoneMeets(maya, jonas);
    const say = async (message: unknown) => {
      for (const each of channels) if (each.readyState === 'open') each.send(JSON.stringify(message));
      await room.world.run(200);
    };
    for (const on of [1, 'true', null, {}, [], undefined]) await say({ t: 'recording', on });
    expect(changes(room, 'maya')).to.deep.equal([]);
    await say({ t: 'recording', on: true, result: 'x', participant: 1 });
    await say({ t: 'recording', on: true });
    expect(changes(room, 'maya')).to.have.length(1);
    expect(recording(maya)).to.deep.equal([false, true]);
  });
});

describe('the length of a WebM file', () => {
  const header = (info: number[]) =>
    new Uint8Array([
      0x1a,
      0x45,
      0xdf,
      0xa3,
      0x80,
      0x15,
      0x49,
      0xa9,
      0x66,
      ...info,
      0x16,
      0x54,
      0xae,
      0x6b,
      1,
      2,
      3,
    ]);

  it('gets room, whatever the width of the size before it', () => {
    for (const size of [[0x83], [0x40, 3], [1, 0, 0, 0, 0, 0, 0, 3]]) {
      const before = header([...size, 9, 8, 7]);
      const [after, at] = reserve(before);
      const start = 9 + size.length;
      expect(at).to.equal(start + 3);
      expect([...after.subarray(start, start + 11)]).to.deep.equal([
        0x44, 0x89, 0x88, 0, 0, 0, 0, 0, 0, 0, 0,
      ]);
      expect(after[start - 1]).to.equal(size.at(-1)! + 11);
      expect([...after.subarray(start + 11)]).to.deep.equal([...before.subarray(start)]);
    }
  });

  it('is put where there is room already', () => {
    const before = header([0x8b, 0x44, 0x89, 0x88, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(reserve(before)).to.deep.equal([before, 13]);
  });

  it('leaves alone what it does not know', () => {
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array([1, 2, 3]),
      header([0xf8, 1]),
      header([]).subarray(0, 8),
    ])
      expect(reserve(bytes)).to.deep.equal([bytes, 0]);
  });
});
