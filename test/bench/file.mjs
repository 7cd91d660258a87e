// @ts-check
/**
 * `npm run bench:file`: a file from a File in one browser to a Blob in another, over loopback.
 *
 *   npm run bench:file -- [--size 64] [--runs 7] [--json]
 *
 * WHAT IS COMPARED. `bare` is a data channel by hand (file/bare.html) with several sizes of chunks and buffers; the
 * best of them by its median is the baseline. `ours` is the core's `sendFile` into the origin private file system,
 * hashes and acknowledgements included; `ours-memory` the same where the browser has no such file system.
 *
 * FAIRNESS. Two browser processes, each person in one of them, the same for every variant. Connections are made and
 * used once before anything counts; none carries media. The time runs from the moment when the receiver wants the file
 * (ours: the call of `acceptFile`; bare: the sender's `send`, told beforehand to wait for nothing) to the moment when
 * the receiver has a Blob of all its bytes. Variants take turns and begin in turns; ratios are paired, of speeds:
 * 1 is as fast as the best bare one in the same run.
 */
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';
import { launchChromium } from '../support/browsers.mjs';
import { file, openPage, pause, quartiles, until } from './lib.mjs';

register();
const { DelayProxy } = await import('../support/e2e/delay-proxy.ts');
const { startRelayProcess } = await import('../support/relay.ts');

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '64' },
    runs: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(flags.runs);
const bytes = Number(flags.size) * 1_048_576;

/** Chunk and mark in bytes. */
const BARE = /** @type {Record<string, [number, number]>} */ ({
  'bare 16K/64K': [16_384, 65_536],
  'bare 16K/256K': [16_384, 262_144],
  'bare 64K/256K': [65_536, 262_144],
  'bare 64K/1M': [65_536, 1_048_576],
});
const variants = [...Object.keys(BARE), 'ours', 'ours-memory'];

const relay = await startRelayProcess({ PM_ALLOWED_ORIGINS: '*', PM_LOG_LEVEL: 'error' });
// It serves the pages, and delays nothing.
const proxy = await DelayProxy.start({
  target: relay.url,
  pages: {
    '/bare': file('file/bare.html'),
    '/ours': file('file/ours.html'),
    '/ours-memory': `<script>Object.defineProperty(navigator, 'storage', { value: undefined });</script>${file('file/ours.html')}`,
  },
});
const browsers = await Promise.all([launchChromium(), launchChromium()]);

/** A sender and a receiver who are connected. */
async function pair(/** @type {string} */ path) {
  const people = await Promise.all(browsers.map((browser) => openPage(browser, `${proxy.url}/${path}`)));
  const [sender, receiver] = people.map(({ page }) => page);
  if (!sender || !receiver) throw new Error('no pages');
  if (path === 'bare') {
    const offer = await sender.evaluate('offer()');
    const answer = await receiver.evaluate(`answer(${JSON.stringify(offer)})`);
    await sender.evaluate(`state.pc.setRemoteDescription({type: 'answer', sdp: ${JSON.stringify(answer)}})`);
  } else {
    for (const [page, name] of /** @type {const} */ ([
      [sender, 'sender'],
      [receiver, 'receiver'],
    ])) {
      await until(page, `typeof join === 'function'`, 'the module');
      await page.evaluate(`join('${path}', '${name}')`);
    }
  }
  for (const page of [sender, receiver]) await until(page, 'connected()', `${path} connected`);
  await sender.evaluate(`makeFile(${bytes})`);
  return { sender, receiver, errors: people.map(({ errors }) => errors) };
}

const pairs = Object.fromEntries(
  await Promise.all(
    ['bare', 'ours', 'ours-memory'].map(async (path) => /** @type {const} */ ([path, await pair(path)])),
  ),
);

/** @returns milliseconds */
async function once(/** @type {string} */ variant) {
  const bare = BARE[variant];
  const { sender, receiver, errors } = /** @type {Awaited<ReturnType<typeof pair>>} */ (
    pairs[bare ? 'bare' : variant]
  );
  /** @type {number} */
  let start;
  /** @type {Promise<unknown>} */
  let arrival;
  if (bare) {
    arrival = receiver.evaluate('arrival()');
    start = Number(await sender.evaluate(`(send(${bare.join()}), Date.now())`));
  } else {
    await sender.evaluate('send()');
    await until(receiver, 'offered()', 'the offer');
    const times = /** @type {[number, number]} */ (
      await receiver.evaluate(`(async () => [Date.now(), await arrival()])()`)
    );
    start = times[0];
    arrival = Promise.resolve(times[1]);
  }
  const time = Number(await arrival) - start;
  if (!bare) await Promise.all([sender, receiver].map((page) => page.evaluate('forget()')));
  const wrong = errors.flat();
  if (wrong.length) throw new Error(`${variant}: ${wrong.join('; ')}`);
  await pause(200);
  return time;
}

/** @type {Record<string, number[]>} */
const times = Object.fromEntries(variants.map((variant) => [variant, []]));
try {
  for (const variant of variants) await once(variant);
  for (let run = 0; run < runs; run++) {
    for (let turn = 0; turn < variants.length; turn++) {
      const variant = String(variants[(run + turn) % variants.length]);
      times[variant]?.push(await once(variant));
    }
    if (!flags.json) process.stdout.write(`\rrun ${run + 1} of ${runs} `);
  }
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  await proxy.close();
  await relay.close();
}

const of = (/** @type {string} */ variant) => times[variant] ?? [];
const best = Object.keys(BARE).reduce((before, next) =>
  quartiles(of(next)).median < quartiles(of(before)).median ? next : before,
);
const results = variants.map((variant) => ({
  variant,
  ms: quartiles(of(variant)),
  megabytesPerSecond: bytes / 1_000 / quartiles(of(variant)).median,
  ratio: quartiles(of(variant).map((time, index) => Number(of(best)[index]) / time)),
}));
if (flags.json) console.log(JSON.stringify({ runs, bytes, best, results }, null, 2));
else {
  console.log(
    `\n\n${flags.size} MiB from a File to a Blob, ${runs} runs, interleaved; speeds beside ${best}\n`,
  );
  console.log('variant          ms (quartiles)         MB/s   ratio (quartiles)');
  for (const { variant, ms, megabytesPerSecond, ratio } of results)
    console.log(
      `${variant.padEnd(16)} ${`${ms.median.toFixed(0)} (${ms.q1.toFixed(0)}..${ms.q3.toFixed(0)})`.padEnd(22)} ` +
        `${megabytesPerSecond.toFixed(1).padStart(4)}   ${ratio.median.toFixed(2)} (${ratio.q1.toFixed(2)}..${ratio.q3.toFixed(2)})`,
    );
}
