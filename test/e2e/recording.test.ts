/** Recordings made in real browsers: they play, move, sound and last as long as they ran, whoever came and went. */
import assert from 'node:assert/strict';
import { expectOthers } from '../support/e2e/expect.ts';
import { scenarios, type Stage } from '../support/e2e/scenario.ts';
import { pause, until } from '../support/e2e/until.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();
const kinds: Kind[] = ['chromium', 'firefox'];

/** Counts in the page how many pictures were drawn of how many people, by the names written into them. */
const COUNT_PICTURES = `{
  const { fillText, fillRect } = CanvasRenderingContext2D.prototype;
  const pictures = (globalThis.pictures = [0, 0, 0, 0]);
  let names = 0;
  CanvasRenderingContext2D.prototype.fillText = function (...given) {
    names += 1;
    fillText.apply(this, given);
  };
  CanvasRenderingContext2D.prototype.fillRect = function (...given) {
    if (given.join() === '0,0,1280,720') {
      pictures[names] += 1;
      names = 0;
    }
    fillRect.apply(this, given);
  };
}`;

interface Played {
  /** By the file itself, and by the one who made it; seconds. */
  duration: number;
  told: number;
  width: number;
  height: number;
  /** As it plays: how many people are in the picture, their tiles side by side; how often it changes; all frames. */
  people: number[];
  changes: number;
  frames: number;
  /** Root mean square of the sound of each third; 1 is full scale. */
  sound: number[];
  size: number;
  onDisk: boolean;
}

/** Looks through what the room has recorded. */
const play = (visitor: Visitor): Promise<Played> =>
  visitor.run(async () => {
    const { file, durationMs } = await e2e.room('pm-room').stopRecording();
    const video = document.createElement('video');
    const loaded = new Promise((resolve, reject) => {
      video.onloadeddata = resolve;
      video.onerror = () => reject(new Error(video.error?.message ?? 'the recording does not load'));
    });
    video.muted = true;
    video.src = URL.createObjectURL(file);
    await loaded;
    const { duration, videoWidth: width, videoHeight: height } = video;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    const people: number[] = [];
    let [changes, last] = [0, ''];
    const look = (): void => {
      context.drawImage(video, 0, 0);
      const { data } = context.getImageData(0, 10, width, 1);
      // Chromium hands out nothing before it has painted the first picture.
      if (!data[3]) return;
      // Between two tiles there is a gap as dark as nothing else in fake pictures.
      const dark = Array.from({ length: width }, (_, x) => Math.max(...data.subarray(x * 4, x * 4 + 3)) < 40);
      people.push(dark.filter((each, x) => each && !dark[x - 1] && x > 10 && x < width - 20).length + 1);
      context.drawImage(video, 0, 0, 64, 36);
      const now = context.getImageData(0, 0, 64, 36).data.join();
      if (now !== last) changes += 1;
      last = now;
    };
    video.playbackRate = 2;
    await video.play();
    while (!video.ended) {
      look();
      await e2e.pause(100);
    }
    const frames = video.getVideoPlaybackQuality().totalVideoFrames;
    URL.revokeObjectURL(video.src);
    const decoded = await new OfflineAudioContext(1, 1, 48_000).decodeAudioData(await file.arrayBuffer());
    const samples = decoded.getChannelData(0);
    const third = Math.floor(samples.length / 3);
    const sound = [0, 1, 2].map((index) => {
      const some = samples.subarray(index * third, (index + 1) * third);
      return Math.sqrt(some.reduce((sum, each) => sum + each * each, 0) / some.length);
    });
    const onDisk = file instanceof File;
    return {
      duration,
      told: durationMs / 1_000,
      width,
      height,
      people,
      changes,
      frames,
      sound,
      size: file.size,
      onDisk,
    };
  });

function expectRecording(stage: Stage, played: Played, ran: number): void {
  stage.report(`ran ${ran.toFixed(2)} s: ${JSON.stringify({ ...played, people: played.people.join('') })}`);
  assert.deepEqual([played.width, played.height], [1280, 720]);
  assert.ok(Math.abs(played.duration - played.told) < 0.001, 'the file says how long it is');
  // The rest is what a busy machine takes to start and to answer.
  assert.ok(Math.abs(played.told - ran) < 2 + ran * 0.2, `lasts ${String(played.told)} s`);
  // Few are enough: on a busy machine encoders leave most of them out.
  assert.ok(played.changes >= 4, `only ${String(played.changes)} different pictures`);
  for (const rms of played.sound) assert.ok(rms > 0.002, `silence: ${JSON.stringify(played.sound)}`);
  assert.ok(played.onDisk, 'kept in memory');
}

const recording = (visitor: Visitor): Promise<boolean[]> =>
  visitor.run(() => e2e.room('pm-room').participants.map((each) => each.recording));

/** Whoever is in the room is connected, and their camera is on. */
const connected = (visitor: Visitor, others: number): Promise<unknown> =>
  until(`${visitor.who} is connected with ${String(others)}`, async () => {
    const { participants } = await visitor.summary();
    const there = participants.filter(
      (each) => each.link === 'connected' && each.sources.camera.state === 'on' && each.sources.camera.video,
    );
    return there.length === others;
  });

/** Waits for another second's worth of pictures of so many people. */
async function drawn(recorder: Visitor, people: number): Promise<void> {
  const count = (): Promise<number> =>
    recorder.run((index) => (globalThis as unknown as { pictures: number[] }).pictures[index]!, people);
  const before = await count();
  await until(`pictures of ${String(people)}`, async () => (await count()) > before + 24);
}

for (const kind of kinds) {
  test(`${kind} records a call; people come and go meanwhile, and are told`, async (stage) => {
    const url = stage.roomPage();
    const recorder = await stage.visit(kind, url, { scripts: [COUNT_PICTURES] });
    await recorder.click('pm-room');
    const first = await stage.visit('chromium', url, { process: 1 });
    await connected(recorder, 1);
    await recorder.run(() => e2e.room('pm-room').startRecording());
    const started = Date.now();
    await until('the other is told', async () => (await recording(first))[1]);
    await drawn(recorder, 2);
    await pause(2_000);
    const second = await stage.visit('chromium', url, { process: 1 });
    await until('the newcomer is told', async () => (await recording(second)).includes(true));
    await connected(recorder, 2);
    await drawn(recorder, 3);
    await pause(2_000);
    await second.page.close();
    await expectOthers(recorder, 1);
    await drawn(recorder, 2);
    await pause(2_000);
    await recorder.run(() => e2e.room('pm-room').stopRecording());
    const ran = (Date.now() - started) / 1_000;
    await until('the other is told of the end', async () => !(await recording(first))[1]);
    const played = await play(recorder);
    expectRecording(stage, played, ran);
    assert.deepEqual([played.people[0], Math.max(...played.people), played.people.at(-1)], [2, 3, 2]);
  });

  test(`${kind}: a recording ends with the call, and the event hands it over`, async (stage) => {
    const recorder = await stage.visit(kind, stage.roomPage());
    await recorder.state('joined');
    await recorder.click('pm-room');
    const before = await recorder.run(() => e2e.counts());
    await recorder.run(() => e2e.room('pm-room').request('record'));
    const started = Date.now();
    await until('it runs', async () => (await recording(recorder))[0]);
    await pause(5_000);
    await recorder.run(() => e2e.room('pm-room').leave());
    const ran = (Date.now() - started) / 1_000;
    const told = await until('the file', async () => (await recorder.events('pm-recording-change'))[1]);
    assert.match(JSON.stringify(told.detail), /"recording":false,"result":\{"file"/);
    expectRecording(stage, await play(recorder), ran);
    const { audioContexts, tracks, timeouts } = await recorder.run(() => e2e.counts());
    assert.deepEqual([audioContexts, tracks], [before.audioContexts, 0]);
    assert.ok(timeouts <= before.timeouts);
  });
}
