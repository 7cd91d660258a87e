// @ts-check
/**
 * `npm run screenshots`: the pictures of the README, taken from real calls. Starts the relay and one Chromium for each
 * person, whose camera is a calm drawn scene with a person in it, and writes lobby and call (wide, phone, dark) as PNG to
 * stories/screens/.
 */
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';
import { ensureBuild } from '../.scripts/project.mjs';
import { launchChromium } from './support/browsers.mjs';

register();
const { startRelayProcess } = await import('./support/relay.ts');
const { document: documentOf, Site } = await import('./support/e2e/site.ts');

const folder = fileURLToPath(new URL('../stories/screens/', import.meta.url));
/** The README is read on slow connections, too. */
const MOST_BYTES = 200_000;
const ROOM = 'Design review';

/** Who is in the call, and what their cameras see: a room's colours, a person's. */
const people = [
  {
    name: 'Maya Lindqvist',
    wall: '#d9d3c7',
    floor: '#b9ab97',
    skin: '#e7bd9b',
    hair: '#5b3a29',
    shirt: '#3f6f73',
    long: true,
    thing: 'plant',
  },
  {
    name: 'Jonas Weber',
    wall: '#c3cdd6',
    floor: '#93a1ad',
    skin: '#f0c8a8',
    hair: '#b88a4a',
    shirt: '#34465c',
    long: false,
    thing: 'shelf',
  },
  {
    name: 'Priya Raman',
    wall: '#e5cfc0',
    floor: '#c59f86',
    skin: '#b97f56',
    hair: '#20191a',
    shirt: '#8c3f4d',
    long: true,
    thing: 'window',
  },
  {
    name: 'Tomás Ferreira',
    wall: '#cfd8c6',
    floor: '#a2b093',
    skin: '#d3a07a',
    hair: '#2d2622',
    shirt: '#6a5a8c',
    long: false,
    thing: 'lamp',
  },
];
/** @typedef {(typeof people)[number]} Person */

/** In the page, before its scripts: the camera is a drawing that breathes, the microphone is silent. */
function drawnCamera(/** @type {Person} */ person) {
  const width = 640;
  const height = 360;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const ellipse = (
    /** @type {string} */ color,
    /** @type {number[]} */ [x = 0, y = 0, rx = 0, ry = 0],
    turn = 0,
  ) => {
    pen.fillStyle = color;
    pen.beginPath();
    pen.ellipse(x, y, rx, ry, turn, 0, Math.PI * 2);
    pen.fill();
  };
  const box = (
    /** @type {string} */ color,
    /** @type {number[]} */ [x = 0, y = 0, w = 0, h = 0],
    round = 6,
  ) => {
    pen.fillStyle = color;
    pen.beginPath();
    pen.roundRect(x, y, w, h, round);
    pen.fill();
  };
  const things = {
    plant: () => {
      box('#a5694a', [500, 236, 64, 70], 8);
      for (let leaf = -3; leaf <= 3; leaf++) {
        ellipse(
          leaf % 2 ? '#5e8265' : '#4b6d55',
          [532 + leaf * 17, 190 - (3 - Math.abs(leaf)) * 14, 13, 58],
          leaf * 0.28,
        );
      }
    },
    shelf: () => {
      for (const y of [92, 176]) box('#8a6f55', [452, y, 170, 9], 2);
      const colors = ['#8f4e46', '#49657b', '#c2a15a', '#5d7a63', '#6f6285', '#b3886b'];
      colors.forEach((color, index) =>
        box(color, [462 + index * 22, 40 + (index % 3) * 6, 16, 52 - (index % 3) * 6], 2),
      );
      colors.forEach((color, index) =>
        box(color, [470 + index * 20, 124 + ((index + 1) % 3) * 7, 14, 52 - ((index + 1) % 3) * 7], 2),
      );
    },
    window: () => {
      box('#f7f2ea', [440, 34, 150, 190], 8);
      box('#b9d3dd', [450, 44, 62, 170], 4);
      box('#c7dde4', [518, 44, 62, 170], 4);
    },
    lamp: () => {
      box('#5d574e', [538, 130, 6, 176], 3);
      pen.fillStyle = '#f1d9a0';
      pen.beginPath();
      pen.moveTo(506, 136);
      pen.lineTo(576, 136);
      pen.lineTo(560, 80);
      pen.lineTo(522, 80);
      pen.fill();
    },
  };
  function draw() {
    const time = performance.now() / 1000;
    const { wall, floor, skin, hair, shirt, long } = person;
    // Flat colours: compressed and decoded gradients would make large pictures.
    pen.fillStyle = wall;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = floor;
    pen.fillRect(0, 306, width, height - 306);
    things[/** @type {keyof typeof things} */ (person.thing)]();
    const x = 290 + Math.sin(time * 0.7) * 3;
    const y = 158 + Math.sin(time * 1.1) * 2;
    if (long) ellipse(hair, [x, y + 34, 86, 118]);
    ellipse(shirt, [x, 392 + Math.sin(time * 1.1), 158, 138]);
    box(skin, [x - 25, y + 52, 50, 74], 22);
    box('rgba(60, 30, 20, 0.14)', [x - 25, y + 52, 50, 38], 18);
    ellipse(skin, [x, y, 62, 80]);
    // Hair over the forehead.
    pen.save();
    pen.beginPath();
    pen.rect(x - 92, y - 110, 184, long ? 76 : 70);
    pen.clip();
    ellipse(hair, [x, y - 10, 70, 84]);
    pen.restore();
    const blink = time % 4 < 0.12 ? 1 : 5;
    for (const side of [-1, 1]) {
      ellipse('#2a2422', [x + side * 23, y + 4, 5, blink]);
      box(hair, [x + side * 23 - 11, y - 14, 22, 4], 2);
    }
    pen.strokeStyle = 'rgba(90, 40, 30, 0.75)';
    pen.lineWidth = 4;
    pen.lineCap = 'round';
    pen.beginPath();
    pen.arc(x, y + 28, 22, 0.25 * Math.PI, 0.75 * Math.PI);
    pen.stroke();
  }
  draw();
  setInterval(draw, 66);
  const silence = () => new AudioContext().createMediaStreamDestination().stream.getAudioTracks();
  navigator.mediaDevices.getUserMedia = async (constraints) =>
    new MediaStream([
      ...(constraints?.video ? canvas.captureStream(15).getVideoTracks() : []),
      ...(constraints?.audio ? silence() : []),
    ]);
}

/** @typedef {{width: number, height: number, deviceScaleFactor?: number, isMobile?: boolean, hasTouch?: boolean}} View */
const wide = { width: 1280, height: 720 };
const phone = { width: 390, height: 844, isMobile: true, hasTouch: true };

const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {import('puppeteer-core').Page} page */
async function until(page, /** @type {string} */ expression, /** @type {string} */ what) {
  for (const end = Date.now() + 60_000; Date.now() < end; await pause(100)) {
    if (await page.evaluate(expression)) return;
  }
  throw new Error(`waited in vain: ${what}`);
}

/** A button by its words, wherever in the shadow roots. */
const press = (/** @type {string} */ words) => `(() => {
  const find = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.localName === 'button' && element.textContent.trim().startsWith(${JSON.stringify(words)})) return element;
      const inside = element.shadowRoot && find(element.shadowRoot);
      if (inside) return inside;
    }
  };
  const button = find(document);
  button?.click();
  return Boolean(button);
})()`;

await ensureBuild();
mkdirSync(folder, { recursive: true });
const relay = await startRelayProcess({ PM_LOG_LEVEL: 'error' });
const site = await Site.start();
/** @type {import('puppeteer-core').Browser[]} */
const browsers = [];

/** The person's page with nothing but the room, filling it. */
async function open(
  /** @type {Person} */ person,
  /** @type {View} */ view,
  /** @type {'light' | 'dark'} */ theme,
) {
  const browser = await launchChromium({ args: ['--force-color-profile=srgb', '--hide-scrollbars'] });
  browsers.push(browser);
  const page = await browser.newPage();
  await page.setViewport(view);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
  await page.evaluateOnNewDocument(drawnCamera, person);
  const room = `<pm-room room="${ROOM}" relay="${relay.wsUrl}" display-name="${person.name}"></pm-room>`;
  const head = `<meta name="viewport" content="width=device-width">
    <script type="module" src="${relay.url}/pm-elements.js"></script>
    <style>:root { color-scheme: light dark } pm-room { height: 100dvh }</style>`;
  await page.goto(site.add(documentOf(room, head)));
  await until(page, `document.querySelector('pm-room').state === 'lobby'`, 'the lobby');
  return page;
}

const others = (/** @type {number} */ count) =>
  `(() => { const all = document.querySelector('pm-room').participants;
    return all.length === ${count + 1} && all.slice(1).every((each) => each.link === 'connected' && each.sources.camera.stream); })()`;

async function shoot(/** @type {import('puppeteer-core').Page} */ page, /** @type {string} */ name) {
  await pause(3_500); // pictures have sharpened, notices about who came have gone
  const path = /** @type {`${string}.png`} */ (`${folder}${name}.png`);
  await page.bringToFront();
  await page.screenshot({ path, optimizeForSpeed: false });
  const { size } = statSync(path);
  console.log(`${name}.png ${Math.round(size / 1000)} KB`);
  if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes, more than ${MOST_BYTES}`);
}

try {
  const [maya, jonas, priya, tomas] = people;
  if (!maya || !jonas || !priya || !tomas) throw new Error('four people are needed');
  const guests = [];
  for (const person of [jonas, priya, tomas]) {
    const page = await open(person, { width: 640, height: 400 }, 'light');
    await page.evaluate(`void document.querySelector('pm-room').join()`);
    guests.push(page);
  }
  for (const page of guests) await until(page, others(guests.length - 1), 'the guests');

  for (const [name, view, theme] of /** @type {[string, View, 'light' | 'dark'][]} */ ([
    ['wide', wide, 'light'],
    ['dark', wide, 'dark'],
    ['phone', phone, 'light'],
  ])) {
    const page = await open(maya, view, theme);
    await until(page, press('Preview'), 'the preview button');
    await until(
      page,
      `document.querySelector('pm-room').participants[0].sources.camera.state === 'on'`,
      'the preview',
    );
    await shoot(page, `lobby-${name}`);
    await until(page, press('Join'), 'the join button');
    await until(page, others(guests.length), 'the call');
    await shoot(page, `call-${name}`);
    await page.evaluate(`document.querySelector('pm-room').leave()`);
    await browsers.pop()?.close();
    for (const guest of guests) await until(guest, others(guests.length - 1), 'Maya to be gone');
  }
} finally {
  await Promise.all(browsers.map((browser) => browser.close()));
  await Promise.all([site.close(), relay.close()]);
}
