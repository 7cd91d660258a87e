/** The example page that runs a call through the core alone, with somebody on `<pm-room>`. */
import assert from 'node:assert/strict';
import { scenarios } from '../support/e2e/scenario.ts';
import { settled, until } from '../support/e2e/until.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();

/** What the example shows of the n-th person, measured. */
const tile = (visitor: Visitor, index: number) =>
  visitor.run(async (at) => {
    const figure = document.querySelectorAll('figure')[at];
    if (!figure) return null;
    const [video, audio] = [figure.querySelector('video')!, figure.querySelector('audio')!];
    const [pictures, sound] = await Promise.all([
      e2e.pictures((video.srcObject as MediaStream | null) ?? new MediaStream(), 1_300),
      e2e.sound((audio.srcObject as MediaStream | null) ?? new MediaStream(), 1_300),
    ]);
    const playing = !video.paused && video.videoWidth > 0 && !audio.paused && !audio.muted;
    return { name: figure.textContent, playing, changes: pictures.changes, rms: sound.rms };
  }, index);

const pairs: [Kind, Kind][] = [
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
];

for (const [own, other] of pairs) {
  test(`${own} on the core alone and ${other} on <pm-room> see and hear each other`, async (stage) => {
    const url = `${stage.relay.url}/examples/core-only.html?room=${stage.room}`;
    const page = await stage.visit(own, url, { who: `${own} (core)`, process: 0 });
    const room = await stage.visit(other, stage.roomPage(), { process: 1 });
    await page.page.type('input', 'Ida');
    await page.click('button');
    await settled('the page shows and plays the other', async () => {
      const seen = await tile(page, 1);
      return seen?.playing && seen.changes > 1 && seen.rms > 0.005 ? null : JSON.stringify(seen);
    });
    await settled('the other sees and hears the page', async () => {
      const [seen] = await room.run(() => e2e.remoteMedia('pm-room', 1_300));
      const fine = seen && seen.pictures.changes > 1 && seen.sound.rms > 0.005 && seen.playedAloud;
      return fine ? null : JSON.stringify(seen ?? null);
    });
    const ida = async () => (await room.summary()).participants.find(({ name }) => name === 'Ida');
    assert.equal(await page.run(() => customElements.get('pm-room')), undefined);

    await page.click('button[name=mute]');
    await until('the other is told of the mute', async () => (await ida())?.sources.mic.state === 'silenced');
    await page.click('button[name=mute]');
    await until('the other is told of the end of it', async () => (await ida())?.sources.mic.state === 'on');
    await page.click('button[name=leave]');
    await until('the other is alone', async () => !(await ida()));
    assert.equal(await page.run(() => document.querySelectorAll('figure').length), 0);
    const { peerConnections, tracks, sockets } = await page.run(() => e2e.counts());
    assert.deepEqual({ peerConnections, tracks }, { peerConnections: 0, tracks: 0 });
    assert.ok(sockets <= 1);
  });
}
