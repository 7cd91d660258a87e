// @ts-check
/**
 * `npm run bench:mesh`: from the moment when everybody joins at once until everybody has seen a picture of everybody.
 *
 *   npm run bench:mesh -- [--sizes 4,6,8] [--runs 7] [--json]
 *
 * WHAT IS COMPARED. `bare` is WebRTC by hand (mesh/bare.html), a plain client of the same relay: camera and socket in
 * parallel, candidates trickled, whoever comes later offers. `ours` is `<pm-room autojoin>` with its whole interface,
 * in a page that has loaded the module. Both play every picture in a small video.
 *
 * FAIRNESS. All pages are tabs of their own windows in two browser processes, the same for both variants; same
 * constraints, a fake camera of five pictures a second (two processors encode for everybody), tokens given ahead.
 * Variants take turns and begin in turns. The click is one moment for all pages, set a second ahead. The figure is the
 * last page's.
 */
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';
import { launchChromium } from '../support/browsers.mjs';
import { file, openPage, pause, quartiles, signIn, until } from './lib.mjs';

register();
const { DelayProxy } = await import('../support/e2e/delay-proxy.ts');
const { startRelayProcess } = await import('../support/relay.ts');

const { values: flags } = parseArgs({
  options: {
    sizes: { type: 'string', default: '4,6,8' },
    runs: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(flags.runs);
const sizes = flags.sizes.split(',').map(Number);
/** Milliseconds: eight people on two processors took 9 to 38 s, and the slowest run counts too. */
const LONGEST = 120_000;
const VARIANTS = /** @type {const} */ (['bare', 'ours']);
/** @typedef {typeof VARIANTS[number]} Variant */

const relay = await startRelayProcess({ PM_ALLOWED_ORIGINS: '*', PM_LOG_LEVEL: 'error' });
// It serves the pages, and delays nothing.
const proxy = await DelayProxy.start({
  target: relay.url,
  pages: { '/bare': file('mesh/bare.html'), '/ours': file('join/ours.html') },
});
const browsers = await Promise.all(
  [0, 1].map(() => launchChromium({ args: ['--use-fake-device-for-media-stream=fps=5'] })),
);

/** @returns milliseconds until the last page has seen everybody */
async function once(/** @type {Variant} */ variant, /** @type {number} */ size, /** @type {string} */ room) {
  const opened = await Promise.all(
    Array.from({ length: size }, (_, index) =>
      openPage(/** @type {any} */ (browsers[index % 2]), `${proxy.url}/${variant}`),
    ),
  );
  try {
    const clicks = await Promise.all(
      opened.map(async ({ page }, index) => {
        const name = `P${index}`;
        const options = { room, name, relay: '/ws', autojoin: true, token: await signIn(relay.url, name) };
        if (variant === 'ours')
          await until(page, `customElements.get('pm-room') !== undefined`, 'the module');
        return `${variant === 'ours' ? 'insert' : 'join'}(${JSON.stringify(options)})`;
      }),
    );
    const start = Date.now() + 1000;
    await Promise.all(
      opened.map(({ page }, index) =>
        page.evaluate(`setTimeout(() => void ${clicks[index]}, ${start} - Date.now()), 0`),
      ),
    );
    const ends = await Promise.all(
      opened.map(({ page }) =>
        until(page, `bench.sawAll(${size - 1})`, `${variant}: all of ${size}`, LONGEST),
      ),
    );
    const errors = opened.flatMap((each) => each.errors);
    if (errors.length) throw new Error(errors.join('; '));
    return Math.max(...ends.map(Number)) - start;
  } catch (error) {
    // A page that threw says better what went wrong than the wait does that it broke.
    const errors = opened.flatMap((each) => each.errors);
    throw errors.length ? new Error(`${variant}: ${errors.join('; ')}`, { cause: error }) : error;
  } finally {
    await Promise.all(opened.map((each) => each.close()));
  }
}

const results = [];
let calls = 0;
try {
  for (const variant of VARIANTS) await once(variant, 2, `warm-${variant}`);
  for (const size of sizes) {
    /** @type {Record<Variant, number[]>} */
    const times = { bare: [], ours: [] };
    for (let run = 0; run < runs; run++) {
      for (let turn = 0; turn < VARIANTS.length; turn++) {
        const variant = /** @type {Variant} */ (VARIANTS[(run + turn) % VARIANTS.length]);
        times[variant].push(await once(variant, size, `mesh-${(calls += 1)}`));
        await pause(500);
      }
      if (!flags.json) process.stdout.write(`\rmesh of ${size}: run ${run + 1} of ${runs} `);
    }
    const ratio = quartiles(times.ours.map((time, index) => time / Number(times.bare[index])));
    results.push({ size, bare: quartiles(times.bare), ours: quartiles(times.ours), ratio });
  }
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  await proxy.close();
  await relay.close();
}

if (flags.json) console.log(JSON.stringify({ runs, results }, null, 2));
else {
  console.log(`\n\neverybody joins at once, until all see all; ${runs} runs, interleaved\n`);
  console.log('people   bare ms (quartiles)    ours ms (quartiles)    ratio (quartiles)');
  const cell = (/** @type {ReturnType<typeof quartiles>} */ { median, q1, q3 }, digits = 0) =>
    `${median.toFixed(digits)} (${q1.toFixed(digits)}..${q3.toFixed(digits)})`;
  for (const { size, bare, ours, ratio } of results)
    console.log(
      `${String(size).padEnd(8)} ${cell(bare).padEnd(22)} ${cell(ours).padEnd(22)} ${cell(ratio, 2)}`,
    );
}
