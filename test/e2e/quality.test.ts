/** What goes up follows what is seen: measured at the sender, by the connections' own counters. */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { settled } from '../support/e2e/until.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();

/** Bytes of video sent so far over every connection of a page. */
const videoSent = (visitor: Visitor): Promise<number> =>
  visitor.run(async () => {
    let sum = 0;
    for (const pc of e2e.peerConnections) {
      if (pc.connectionState === 'closed') continue;
      for (const stats of (await pc.getStats()).values() as Iterable<RTCOutboundRtpStreamStats>)
        if (stats.type === 'outbound-rtp' && stats.kind === 'video')
          sum += (stats.bytesSent ?? 0) + ((stats as { headerBytesSent?: number }).headerBytesSent ?? 0);
    }
    return sum;
  });

async function bytesIn(visitor: Visitor, ms: number): Promise<number> {
  const before = await videoSent(visitor);
  await visitor.run((time) => e2e.pause(time), ms);
  return (await videoSent(visitor)) - before;
}

const hideTiles = (visitor: Visitor, hidden: boolean): Promise<void> =>
  visitor.run((is) => void ((e2e.find('pm-grid') as HTMLElement).style.display = is ? 'none' : ''), hidden);

const LOOK = 4_000;

for (const [sends, watches] of [
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
] as [Kind, Kind][]) {
  test(`${sends} sends next to no video while ${watches} hides every tile, and all of it after`, async (stage) => {
    const url = stage.roomPage();
    const sender = await stage.visit(sends, url);
    await sender.state('joined');
    const watcher = await stage.visit(watches, url);
    await expectEveryoneSeesEveryone([sender, watcher]);
    const seen = await bytesIn(sender, LOOK);
    assert.ok(seen > 20_000, `${String(seen)} bytes of video while it is seen`);
    await hideTiles(watcher, true);
    let hidden = seen;
    await settled(`${sender.who} sends next to nothing`, async () => {
      hidden = await bytesIn(sender, LOOK);
      return hidden <= seen * 0.05 ? null : `${String(hidden)} of ${String(seen)} bytes`;
    });
    await hideTiles(watcher, false);
    let back = 0;
    await settled(`${sender.who} sends as before`, async () => {
      back = await bytesIn(sender, LOOK);
      return back > seen * 0.4 ? null : `${String(back)} of ${String(seen)} bytes`;
    });
    await expectEveryoneSeesEveryone([sender, watcher]);
    stage.report(
      `video up in ${String(LOOK / 1_000)} s: ${String(seen)} bytes seen, ${String(hidden)} hidden (${((1 - hidden / seen) * 100).toFixed(1)} % less), ${String(back)} seen again`,
    );
  });
}
