// @ts-check
/**
 * `npm run bench:join`: from the click on join to the first remote frame on both sides.
 *
 *   npm run bench:join -- [--runs 15] [--rtt 0,100] [--guest] [--browsers chromium,chromium] [--json]
 *
 * WHAT IS COMPARED. Somebody is in a room already, alone, with camera and microphone; the other one clicks join. The
 * time runs from that click to the moment when both have been presented a frame of the other (the later of the two).
 *
 *   bare        WebRTC by hand (join/bare.html): a page with two `<video>` and an RTCPeerConnection, hand-made
 *               signalling over the same relay's socket as a plain client. The click asks for the camera and opens
 *               the socket at once, in parallel.
 *   bare-ready  the same page with camera and socket made ready before the click: what preparation alone is worth.
 *   cold        `<pm-room autojoin>` with its whole interface, put into a page that has loaded the module: the
 *               click is the insertion.
 *   lobby       the same element with its lobby open before, and the click on its join button.
 *
 * FAIRNESS. All variants ask for the same camera and microphone by the same constraints, and play it in a video of the
 * window's size beside one of oneself. Two browser processes, each person in one of them, the same for every variant, flags and fake devices
 * alike; fresh pages in a fresh profile per run; the other person always waits in the same variant. Variants take
 * turns within one run and start at another one each time (A B C D, B C D A, ...), so that a slow minute of the machine
 * meets all of them. The stopwatch (join/first-frame.js) is the same script in every page and only listens to the
 * page's own video elements. Both get the same token ahead, since one variant may not save a request that another
 * makes; `--guest` leaves the guest sign-in to each after the click instead. Bare calls get no schema, no names, no
 * layout, no reconnection: whatever those cost is in ours. Clocks of the two processes are the machine's own
 * (`Date.now()`, 1 ms).
 *
 * SIGNALLING ROUND TRIP. Each person reaches the relay through a proxy of their own (test/support/e2e/delay-proxy.ts)
 * that holds every frame, the socket's opening and the sign-in for half of `--rtt` in each direction; media goes past
 * it. Static files are not delayed. Ratios are paired: each run's time over the same run's bare.
 *
 * ROUND TRIPS. In runs of their own the proxies hold everything for so long (HOP ms a leg) that the legs in a row
 * between the click and the arrival of the answer at whoever offered can be counted in the frames that the proxies
 * recorded; two legs are a round trip.
 */
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';
import { launchChromium, launchFirefox } from '../support/browsers.mjs';
import { file, median, openPage, pause, quartiles, signIn, until } from './lib.mjs';

register();
const { DelayProxy } = await import('../support/e2e/delay-proxy.ts');
const { startRelayProcess } = await import('../support/relay.ts');

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '15' },
    rtt: { type: 'string', default: '0,100' },
    variants: { type: 'string', default: 'bare,bare-ready,cold,lobby' },
    browsers: { type: 'string', default: 'chromium,chromium' },
    guest: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  console.log(
    'npm run bench:join -- [--runs 15] [--rtt 0,100] [--guest] [--browsers chromium,chromium] [--variants bare,cold] [--json]',
  );
  process.exit(0);
}

/** @typedef {'bare' | 'bare-ready' | 'cold' | 'lobby'} Variant */
/** @typedef {import('puppeteer-core').Page} Page */

const runs = Number(flags.runs);
const trips = flags.rtt.split(',').map(Number);
const variants = /** @type {Variant[]} */ (flags.variants.split(','));
const kinds = flags.browsers.split(',');
/** Milliseconds a leg when legs are counted: far above anything that the browsers need in between. */
const HOP = 800;
const HOP_RUNS = 3;

const say = (/** @type {string} */ text) => void (flags.json || process.stdout.write(text));

/** Brings a page to the point just before the click, and says what the click is. */
async function makeReady(
  /** @type {Page} */ page,
  /** @type {Variant} */ variant,
  /** @type {Record<string, unknown>} */ options,
) {
  const given = JSON.stringify(options);
  if (variant === 'bare') return `bench.clicked(), void join(${given})`;
  if (variant === 'bare-ready') {
    await page.evaluate(`prepare(${given}).then(() => undefined)`);
    await pause(1000); // as long as the lobby was open
    return `bench.clicked(), void join(${given})`;
  }
  await until(page, `customElements.get('pm-room') !== undefined`, 'the module');
  if (variant === 'cold') return `bench.clicked(), insert(${JSON.stringify({ ...options, autojoin: true })})`;
  await page.evaluate(`insert(${JSON.stringify({ ...options, autojoin: false })})`);
  await until(page, `room().state === 'lobby' && room().snapshot.relay === 'open'`, 'the lobby');
  await until(page, `button(/join/i) !== null`, 'the join button');
  // People look at themselves before they join: the lobby captures nothing until they ask.
  await page.evaluate(`button(/preview/i).click()`);
  await until(page, `room().participants[0].sources.camera.stream !== null`, 'the preview');
  await pause(1000);
  return `bench.clicked(), button(/join/i).click()`;
}

const isBare = (/** @type {Variant} */ variant) => variant.startsWith('bare');

/** One call. Resolves to milliseconds and to the frames that both proxies saw after the click. */
async function once(/** @type {Variant} */ variant, /** @type {number} */ leg, /** @type {string} */ room) {
  for (const proxy of proxies) proxy.delay = 0;
  const path = isBare(variant) ? '/bare' : '/ours';
  const opened = await Promise.all(
    browsers.map((browser, index) => openPage(browser, `${proxies[index]?.url}${path}`)),
  );
  try {
    const [host, guest] = opened;
    if (!host || !guest) throw new Error('two browsers are needed');
    const options = async (/** @type {string} */ name) => ({
      room,
      name,
      relay: '/ws',
      token: flags.guest ? '' : await signIn(relay.url, name),
    });
    // Somebody is there already, settled.
    await host.page.evaluate(
      await makeReady(host.page, isBare(variant) ? 'bare' : 'cold', await options('Host')),
    );
    await until(
      host.page,
      isBare(variant)
        ? `state.joined && document.querySelector('#mine').readyState > 1`
        : `['waiting', 'joined'].includes(room().state) && room().participants[0].sources.camera.stream !== null`,
      'the host',
    );
    await pause(500);
    for (const proxy of proxies) proxy.delay = leg;
    const click = await makeReady(guest.page, variant, await options('Guest'));
    for (const proxy of proxies) proxy.frames.length = 0;
    await guest.page.evaluate(click);
    const stops = await Promise.all(
      opened.map(({ page }) => until(page, 'bench.firstFrameAt', `${variant}: a first frame`)),
    );
    const start = Number(await guest.page.evaluate('bench.clickedAt'));
    const errors = opened.flatMap((each) => each.errors);
    if (errors.length) throw new Error(`${variant}: ${errors.join('; ')}`);
    return {
      host: Number(stops[0]) - start,
      guest: Number(stops[1]) - start,
      both: Math.max(...stops.map(Number)) - start,
      legs: legsToAnswer(start, leg),
    };
  } finally {
    await Promise.all(opened.map((each) => each.close()));
  }
}

/** Legs in a row from the click to the arrival of the first answer at whoever offered; it arrives `leg` after it left the relay. */
function legsToAnswer(/** @type {number} */ start, /** @type {number} */ leg) {
  if (!leg) return null;
  const answers = proxies.flatMap((proxy) =>
    proxy.frames.filter(
      (frame) => frame.direction === 'down' && frame.type === 'webrtc.answer' && frame.sent !== null,
    ),
  );
  const first = Math.min(...answers.map((frame) => Number(frame.sent)));
  return Number.isFinite(first) ? Math.floor((first - start) / leg) : null;
}

const relay = await startRelayProcess({ PM_ALLOWED_ORIGINS: '*', PM_LOG_LEVEL: 'error' });
const pages = { '/bare': file('join/bare.html'), '/ours': file('join/ours.html') };
const proxies = [
  await DelayProxy.start({ target: relay.url, pages }),
  await DelayProxy.start({ target: relay.url, pages }),
];
const browsers = await Promise.all(
  kinds.map((kind) => (kind === 'firefox' ? launchFirefox() : launchChromium())),
);

/** @type {{rtt: number, variant: Variant, ms: ReturnType<typeof quartiles>, ratio: ReturnType<typeof quartiles>, host: number, guest: number}[]} */
const results = [];
/** @type {Record<string, number | null>} */
const roundTrips = {};
let calls = 0;
try {
  // Nobody's first call counts: processes and caches are new.
  for (const variant of variants) await once(variant, 0, `warm-${variant}`);
  for (const rtt of trips) {
    /** @type {Map<Variant, {host: number, guest: number, both: number}[]>} */
    const times = new Map(variants.map((variant) => [variant, []]));
    for (let run = 0; run < runs; run++) {
      for (let turn = 0; turn < variants.length; turn++) {
        const variant = /** @type {Variant} */ (variants[(run + turn) % variants.length]);
        const time = await once(variant, rtt / 2, `bench-${(calls += 1)}`);
        times.get(variant)?.push(time);
      }
      say(`\rround trip ${rtt} ms: run ${run + 1} of ${runs} `);
    }
    say('\n');
    const base = (times.get('bare') ?? times.get(/** @type {Variant} */ (variants[0])) ?? []).map(
      (time) => time.both,
    );
    for (const [variant, list] of times) {
      results.push({
        rtt,
        variant,
        ms: quartiles(list.map((time) => time.both)),
        ratio: quartiles(list.map((time, index) => time.both / Number(base[index]))),
        host: median(list.map((time) => time.host)),
        guest: median(list.map((time) => time.guest)),
      });
    }
  }
  for (const variant of variants) {
    const legs = [];
    for (let run = 0; run < HOP_RUNS; run++)
      legs.push((await once(variant, HOP, `hops-${variant}-${run}`)).legs);
    const counted = legs.filter((each) => each !== null);
    roundTrips[variant] = counted.length ? median(counted) / 2 : null;
    say(`legs of ${variant}: ${legs.join(', ')}\n`);
  }
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await relay.close();
}

if (flags.json) {
  console.log(JSON.stringify({ runs, browsers: kinds, guest: flags.guest, results, roundTrips }, null, 2));
} else {
  console.log(
    `\nclick to first remote frame on both sides, ${kinds.join(' with ')}, ${runs} runs, interleaved\n`,
  );
  console.log('round trip  variant      median ms   quartiles     host   guest   ratio to bare (quartiles)');
  for (const { rtt, variant, ms, ratio, host, guest } of results) {
    const cells = [
      `${rtt} ms`.padEnd(10),
      variant.padEnd(11),
      ms.median.toFixed(0).padStart(10),
      `${ms.q1.toFixed(0)}..${ms.q3.toFixed(0)}`.padStart(11),
      host.toFixed(0).padStart(8),
      guest.toFixed(0).padStart(7),
      `${ratio.median.toFixed(2)} (${ratio.q1.toFixed(2)}..${ratio.q3.toFixed(2)})`.padStart(21),
    ];
    console.log(cells.join('  '));
  }
  console.log('\nsignalling round trips from the click until the answer is back');
  for (const variant of variants)
    console.log(`  ${variant.padEnd(11)} ${roundTrips[variant] ?? 'none over the relay'}`);
}
