/** R10: whatever keeps the devices from a page, its person still joins, sees and hears, and is told why by a code. */
import assert from 'node:assert/strict';
import { expectSeesAndHears } from '../support/e2e/expect.ts';
import { scenarios, type PlaceOptions } from '../support/e2e/scenario.ts';
import { settled } from '../support/e2e/until.ts';
import type { Kind, Visitor } from '../support/e2e/visitor.ts';
import { figure, full } from '../support/faults/fault.ts';

const test = scenarios();

/** By the name of the DOMException that the page is given; the sixth kind, an insecure page, has no devices to ask. */
const injected: [error: string, code: string][] = [
  ['NotAllowedError', 'permission-denied'],
  ['NotFoundError', 'device-not-found'],
  ['NotReadableError', 'device-in-use'],
  ['OverconstrainedError', 'overconstrained'],
  ['AbortError', 'capture-failed'],
];

const codes = async (visitor: Visitor): Promise<string[]> => [
  ...new Set((await visitor.events('pm-error')).map((each) => (each.detail as { code: string }).code)),
];

test('six kinds of capture failure: each joins, with its own code', async (stage) => {
  const host = await stage.visit('chromium', stage.roomPage(), { process: 1, who: 'host' });
  await host.state('joined');
  const attempt = async (
    fault: string,
    kind: Kind,
    code: string,
    url: string,
    options: PlaceOptions,
  ): Promise<void> => {
    const visitor = await stage.visit(kind, url, { process: 0, who: `${kind}-${fault}`, ...options });
    let reached = 0;
    try {
      await visitor.state('joined');
      await expectSeesAndHears(visitor);
      assert.deepEqual(await codes(visitor), [code], fault);
      await settled(`${visitor.who} reads what is wrong`, async () => {
        const text = await visitor.run(() => e2e.readable());
        return /your camera and microphone/i.test(text) ? null : JSON.stringify(text);
      });
      const { tracks, sockets } = await visitor.run(() => e2e.counts());
      assert.deepEqual({ tracks, sockets }, { tracks: 0, sockets: 1 }, 'what is held');
      reached = 1;
    } finally {
      const goal = 'R10: joins, with its own code (1: not so)';
      figure(stage, { goal, fault: `capture: ${code}`, where: kind, unit: '', limit: 0 }, 1 - reached);
    }
    await visitor.run(() => e2e.room('pm-room').leave());
    await visitor.close();
  };
  for (const kind of ['chromium', 'firefox'] as const)
    for (const [error, code] of injected.filter(
      ([error]) => full || kind === 'chromium' || error === 'NotFoundError',
    ))
      await attempt(error, kind, code, stage.roomPage(), { capture: { error } });
  const insecure = stage.roomPage().replace('localhost', 'insecure.test');
  const flags = ['--host-resolver-rules=MAP insecure.test 127.0.0.1'];
  await attempt('insecure', 'chromium', 'insecure-context', insecure, { flags });
});
