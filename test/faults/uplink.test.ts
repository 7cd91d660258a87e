/** A thin line upwards and three who watch: the sound comes through, and who shows the speaker large sees them best. */
import assert from 'node:assert/strict';
import { pause } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';
import { figure, NETWORK } from '../support/faults/fault.ts';
import { labScenarios } from '../support/lab/lab-scenario.ts';

const test = labScenarios({ a: 'open', b: 'open' });

const UP_KBIT = 500;
/** Seconds for settling, and for measuring. */
const SETTLE = 15;
const MEASURE = 30;

/** A camera whose picture is noise, which takes all the bits there are. */
const NOISE = `(() => {
  const capture = MediaDevices.prototype.getUserMedia;
  MediaDevices.prototype.getUserMedia = async function (constraints) {
    const stream = await capture.call(this, constraints);
    if (!constraints.video) return stream;
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
    const context = canvas.getContext('2d');
    const image = context.createImageData(640, 360);
    const words = new Uint32Array(image.data.buffer);
    let seed = 1;
    setInterval(() => {
      for (let index = 0; index < words.length; index += 1) {
        seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
        words[index] = seed | 0xff000000;
      }
      context.putImageData(image, 0, 0);
    }, 66);
    const [track] = stream.getVideoTracks();
    stream.removeTrack(track);
    track.stop();
    stream.addTrack(canvas.captureStream(15).getVideoTracks()[0]);
    return stream;
  };
})();`;

interface Look {
  /** Packets of the speaker's sound, and those lost of them. */
  readonly packets: number;
  readonly lost: number;
  readonly pixels: number;
  readonly frames: number;
}

/** What a page receives of one participant. */
const look = (visitor: Visitor, id: string): Promise<Look> =>
  visitor.run(async (wanted) => {
    const link = (await e2e.room('pm-room').getStats()).find((each) => each.id === wanted);
    const of = (source: string) => link?.inbound.find((each) => each.source === source);
    const [mic, camera] = [of('mic'), of('camera')];
    return {
      packets: mic?.packets ?? 0,
      lost: mic?.lost ?? 0,
      pixels: (camera?.width ?? 0) * (camera?.height ?? 0),
      frames: camera?.frames ?? 0,
    };
  }, id);

/** The highest bitrate that each connection's camera is allowed. */
const allowed = (visitor: Visitor): Promise<number[]> =>
  visitor.run(() =>
    e2e.peerConnections
      .filter(({ connectionState }) => connectionState === 'connected')
      .map((pc) => {
        const sender = pc.getSenders().find(({ track }) => track?.kind === 'video');
        return sender?.getParameters().encodings[0]?.maxBitrate ?? 0;
      }),
  );

test(`${String(UP_KBIT)} kbit/s up for three who watch`, async (stage) => {
  const speaker = await stage.visitFrom('a', {}, { allow: NETWORK, scripts: [NOISE] });
  await speaker.state('joined');
  const watchers: Visitor[] = [];
  for (const [who, width, height] of [
    ['large', 1280, 800],
    ['small', 400, 300],
    ['small too', 400, 300],
  ] as const) {
    const page = { attributes: 'autojoin mic-off camera-off' };
    const watcher = await stage.visitFrom('b', page, { allow: NETWORK, who, viewport: { width, height } });
    await watcher.state('joined');
    watchers.push(watcher);
  }
  await pause(5_000);
  const id = (await speaker.summary()).participants[0]!.id;
  stage.home('a').impair({ upKbit: UP_KBIT });
  await pause(SETTLE * 1_000);
  const before = await Promise.all(watchers.map((each) => look(each, id)));
  const rates: number[][] = [];
  const pixels: number[][] = [];
  for (let second = 0; second < MEASURE; second += 1) {
    rates.push(await allowed(speaker));
    pixels.push((await Promise.all(watchers.map((each) => look(each, id)))).map((each) => each.pixels));
    await pause(1_000);
  }
  const after = await Promise.all(watchers.map((each) => look(each, id)));
  const losses = after.map(({ packets, lost }, index) => {
    const since = before[index]!;
    const missing = lost - since.lost;
    return (missing / Math.max(1, packets - since.packets + missing)) * 100;
  });
  // A turn: down by a quarter after having gone up by a quarter, or the other way. What is cut is cut for all at once,
  // so that the connection which turned most counts.
  const turnsOf = (index: number): number => {
    let [turns, mark, going] = [0, rates[0]![index]!, 0];
    for (const row of rates) {
      const change = row[index]! / mark - 1;
      if (Math.abs(change) < 0.25) continue;
      if (going && Math.sign(change) !== going) turns += 1;
      [mark, going] = [row[index]!, Math.sign(change)];
    }
    return turns;
  };
  const turns = Math.max(...rates[0]!.map((_, index) => turnsOf(index)));
  const sum = (rows: readonly number[][], index: number) =>
    rows.reduce((total, row) => total + row[index]!, 0);
  const where = 'Chromium, namespaces';
  const fault = `${String(UP_KBIT)} kbit/s up, three who watch`;
  figure(stage, { goal: 'packets of sound lost', fault, where, unit: '%', limit: 2 }, Math.max(...losses));
  figure(stage, { goal: 'turns of the rates in 30 s', fault, where, unit: '', limit: null }, turns);
  stage.report(
    `mean pixels ${watchers.map((_, index) => Math.round(sum(pixels, index) / pixels.length)).join(', ')}`,
  );
  stage.report(
    `rates ${rates.map((row) => row.map((each) => Math.round(each / 1_000)).join('+')).join(' ')}`,
  );
  assert.ok(Math.max(...losses) < 2, `sound lost: ${losses.map((each) => each.toFixed(1)).join(', ')} %`);
  const quality = await speaker.run(() => e2e.room('pm-room').participants[0]!.quality);
  assert.deepEqual(quality, { level: 'fair', reason: 'bandwidth' }, 'the speaker is told what limits');
  after.forEach(({ packets, frames }, index) => {
    const since = before[index]!;
    assert.ok(packets - since.packets > MEASURE * 20, `${String(packets - since.packets)} packets of sound`);
    assert.ok(frames - since.frames > MEASURE, `${String(frames - since.frames)} pictures`);
  });
  assert.ok(
    sum(pixels, 0) >= sum(pixels, 1) && sum(pixels, 0) >= sum(pixels, 2),
    'the large tile is the best',
  );
  // Up until it is too much, down, and carefully up again: no more than that.
  assert.ok(turns <= 2, `the rates turned ${String(turns)} times`);
});
