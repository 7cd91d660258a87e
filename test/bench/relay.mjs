// @ts-check
/**
 * `npm run bench:relay`: what the relay costs beside a bare one on the same `ws`.
 *
 *   npm run bench:relay -- [--runs 5] [--only cost,connect,load,idle] [--json]
 *
 * WHAT IS COMPARED. `ours` is the relay as it ships, with tokens, checks of every message, limits and heartbeat; `bare`
 * (relay/bare.mjs) parses, sets `from`, makes JSON and sends it to one socket. Both are processes of their own, fresh for
 * every run; runs take turns. Processor time comes from the kernel (user and system time of the process): on a busy
 * machine it is the steady figure, which no clock is.
 *
 *   cost      processor time per offer (4 KB) and per candidate (200 B), 160 sockets in 20 rooms, below the rate limit
 *   connect   5,000 sockets, 50 at a time: processor time per socket, and resident memory per idle one after that (its
 *             heartbeat and its seat in no room included)
 *   load      1,000 sockets in 125 rooms, two candidates a second each: latency; then one reader stands still
 *   idle      5,000 sockets in rooms of four, held for a minute: all of them are there in the end
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { register } from 'tsx/esm/api';
import { WebSocket } from 'ws';
import { median, pause, quartiles } from './lib.mjs';

register();
const { mintToken } = await import('../../demo-server/src/mint.ts');

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    only: { type: 'string', default: 'cost,connect,load,idle' },
    json: { type: 'boolean', default: false },
  },
});
const runs = Number(flags.runs);
const parts = flags.only.split(',');
const root = fileURLToPath(new URL('../../', import.meta.url));
const SECRET = 'a secret of the benchmark, 32 bytes long';
const textOf = (/** @type {import('ws').RawData} */ bytes) => /** @type {Buffer} */ (bytes).toString();
/** Clock ticks of the kernel's accounts, per second. */
const TICKS = 100;

/** @typedef {'ours' | 'bare'} Kind */
/** @typedef {{ kind: Kind, url: string, cpu(): number, rss(): number, stop(): Promise<void> }} Server */

/** @returns {Promise<Server>} */
async function startServer(/** @type {Kind} */ kind) {
  const file = kind === 'ours' ? 'demo-server/dist/cli.js' : 'test/bench/relay/bare.mjs';
  const child = spawn(process.execPath, [file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PM_PORT: '0',
      PM_JWT_SECRET: SECRET,
      PM_LOG_LEVEL: 'error',
      // Everybody comes from one address here.
      PM_CONNECT_RATE: '0',
      PM_SOCKETS_PER_ADDRESS: '0',
      PM_SOCKETS_PER_ACCOUNT: '0',
    },
  });
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += String(chunk)));
  while (!printed.includes('\n')) await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  const stat = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return {
    kind,
    url: /listening on (\S+)/.exec(printed)?.[1] ?? '',
    /** Seconds of processor time so far. */
    cpu: () => (Number(stat()[11]) + Number(stat()[12])) / TICKS,
    /** Bytes of resident memory. */
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Subjects are made up by number, so that both relays know people by the same kind of id. */
const subject = (/** @type {number} */ n) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
/** Sockets of original clients: their id is the token's subject, and they do not have to answer pings here. */
/** @type {string[]} */
const tokens = [];
async function makeTokens(/** @type {number} */ count) {
  while (tokens.length < count)
    tokens.push(await mintToken({ sub: subject(tokens.length), username: `P${tokens.length}` }, SECRET));
}

/** @returns {Promise<WebSocket>} */
function connect(/** @type {Server} */ server, /** @type {number} */ n, ext = false) {
  const query =
    server.kind === 'bare'
      ? `id=${subject(n)}`
      : `token=${tokens[n]}${ext ? `&ext=1&session=${subject(n).replaceAll('-', '')}` : ''}`;
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?${query}`, {
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

async function connectMany(
  /** @type {Server} */ server,
  /** @type {number} */ count,
  ext = false,
  atOnce = 50,
) {
  /** @type {WebSocket[]} */
  const sockets = [];
  for (let n = 0; n < count; n += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, count - n) }, (_, index) =>
      connect(server, n + index, ext),
    );
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

const send = (
  /** @type {WebSocket} */ socket,
  /** @type {string} */ type,
  /** @type {string} */ room,
  /** @type {object} */ data,
) => socket.send(JSON.stringify({ type, room, data }));

async function joinRooms(/** @type {WebSocket[]} */ sockets, /** @type {number} */ size) {
  for (const [n, socket] of sockets.entries()) {
    send(socket, 'chat.join', `room ${Math.floor(n / size)}`, {});
    if (n % 100 === 99) await pause(20);
  }
  await pause(1000);
}

const close = (/** @type {WebSocket[]} */ sockets) => {
  for (const socket of sockets) socket.terminate();
};

const PAYLOADS = {
  offer: {
    type: 'webrtc.offer',
    data: { sdp: 'v=0\r\n'.padEnd(4_000, 'a=candidate:1 1 udp 2122260223 192.0.2.1 ') },
  },
  candidate: { type: 'webrtc.iceCandidate', data: { candidate: '{"candidate":"'.padEnd(180, 'x') + '"}' } },
};

/** Processor time of the server per message, in microseconds. */
async function cost(/** @type {Kind} */ kind, /** @type {keyof typeof PAYLOADS} */ what) {
  const [people, size, rate, seconds] = [160, 8, 30, 6];
  const server = await startServer(kind);
  const sockets = await connectMany(server, people);
  let received = 0;
  for (const socket of sockets)
    socket.on('message', (bytes) => (received += Number(textOf(bytes).includes(PAYLOADS[what].type))));
  await joinRooms(sockets, size);
  const { type, data } = PAYLOADS[what];
  // Compiled code first: what a relay that has run for a while does.
  const blast = async (/** @type {number} */ rounds) => {
    for (let round = 0; round < rounds; round++) {
      for (const [n, socket] of sockets.entries()) {
        const to = subject(Math.floor(n / size) * size + ((n + 1) % size));
        send(socket, type, `room ${Math.floor(n / size)}`, { ...data, to });
      }
      await pause(1000 / rate);
    }
    const end = Date.now() + 10_000;
    while (received < rounds * people && Date.now() < end) await pause(10);
  };
  await blast(rate);
  received = 0;
  const before = server.cpu();
  await blast(rate * seconds);
  const spent = server.cpu() - before;
  if (received !== rate * seconds * people)
    throw new Error(`${kind}: ${received} of ${rate * seconds * people} arrived`);
  close(sockets);
  await server.stop();
  return (spent / received) * 1e6;
}

/** Processor time per socket (ms), and memory per idle socket (KB). */
async function connects(/** @type {Kind} */ kind) {
  const count = 5_000;
  const server = await startServer(kind);
  close(await connectMany(server, 500, true)); // what is made once
  await pause(1000);
  const [cpu, rss] = [server.cpu(), server.rss()];
  const sockets = await connectMany(server, count, true);
  const spent = server.cpu() - cpu;
  for (const socket of sockets) socket.on('message', () => undefined);
  await pause(5_000);
  const grown = server.rss() - rss;
  close(sockets);
  await server.stop();
  return { ms: (spent / count) * 1e3, kb: grown / count / 1024 };
}

/** Latency at a moderate rate (ms), before and while one reader stands still, and how long that one lasted (s). */
async function load(/** @type {Kind} */ kind) {
  const [people, size, seconds] = [1_000, 8, 15];
  const server = await startServer(kind);
  const sockets = await connectMany(server, people);
  /** @type {number[]} */
  let delays = [];
  await joinRooms(sockets, size);
  const talk = async () => {
    delays = [];
    // Spread over the half second: everybody speaks twice a second.
    for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
      for (let slice = 0; slice < 25; slice++) {
        for (let n = slice; n < people; n += 25) {
          const socket = sockets[n];
          if (!socket || socket.isPaused) continue;
          const to = subject(Math.floor(n / size) * size + ((n + 1) % size));
          const candidate = `at ${performance.now()} ${'x'.repeat(150)}`;
          send(socket, 'webrtc.iceCandidate', `room ${Math.floor(n / size)}`, { candidate, to });
        }
        await pause(20);
      }
    }
    await pause(500);
    return quantile(delays, 0.95);
  };
  for (const socket of sockets)
    socket.on('message', (bytes) => {
      const at = /"at (\d+\.?\d*) /.exec(textOf(bytes))?.[1];
      if (at) delays.push(performance.now() - Number(at));
    });
  const calm = await talk();
  // One member of the first room reads no more, while the others of it send it much.
  const stalled = /** @type {WebSocket} */ (sockets[0]);
  stalled.pause();
  const start = performance.now();
  let lasted = Infinity;
  const others = sockets.slice(1, size);
  const flood = setInterval(() => {
    for (const socket of others)
      send(socket, 'webrtc.offer', 'room 0', { to: subject(0), sdp: 'v=0'.padEnd(50_000, 'x') });
  }, 50);
  const watch = setInterval(async () => {
    if (lasted !== Infinity || kind === 'bare') return;
    // Its seat is gone when the others are told.
    if (gone) lasted = (performance.now() - start) / 1000;
  }, 20);
  let gone = false;
  sockets[1]?.on('message', (bytes) => {
    const text = textOf(bytes);
    if (text.includes('"room.users"') && !text.includes(subject(0))) gone = true;
  });
  const disturbed = await talk();
  clearInterval(flood);
  clearInterval(watch);
  close(sockets);
  await server.stop();
  return { calm, disturbed, lasted };
}

const quantile = (/** @type {number[]} */ list, /** @type {number} */ part) =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length * part)] ?? NaN;

async function idle() {
  const count = 5_000;
  const server = await startServer('ours');
  const sockets = await connectMany(server, count, true);
  let ends = 0;
  let pings = 0;
  for (const [n, socket] of sockets.entries()) {
    socket.on('close', () => (ends += 1));
    socket.on('message', (bytes) => {
      if (!textOf(bytes).includes('relay.ping')) return;
      pings += 1;
      socket.send('{"type":"relay.pong","data":{}}');
    });
    send(socket, 'chat.join', `room ${Math.floor(n / 4)}`, {});
    if (n % 100 === 99) await pause(20);
  }
  const before = server.cpu();
  await pause(60_000);
  const used = (server.cpu() - before) / 60;
  const result = { open: count - ends, pings, processor: used, mb: server.rss() / 1e6 };
  close(sockets);
  await server.stop();
  return result;
}

/** Turns: ours, bare, bare, ours, … @returns both lists */
async function turns(/** @type {(kind: Kind) => Promise<any>} */ measure) {
  /** @type {Record<Kind, any[]>} */
  const found = { ours: [], bare: [] };
  for (let run = 0; run < runs; run++)
    for (const kind of /** @type {Kind[]} */ (run % 2 ? ['bare', 'ours'] : ['ours', 'bare']))
      found[kind].push(await measure(kind));
  return found;
}

/** @type {Record<string, unknown>} */
const report = { runs };
const row = (
  /** @type {string} */ what,
  /** @type {number[]} */ ours,
  /** @type {number[]} */ bare,
  /** @type {string} */ unit,
) => {
  const ratio = quartiles(ours.map((value, index) => value / Number(bare[index])));
  report[what] = { ours: median(ours), bare: median(bare), unit, ratio };
  if (!flags.json)
    console.log(
      `${what.padEnd(34)} ${median(ours).toFixed(2).padStart(8)} ${median(bare).toFixed(2).padStart(8)} ${unit.padEnd(3)} ` +
        `${ratio.median.toFixed(2)} (${ratio.q1.toFixed(2)}..${ratio.q3.toFixed(2)})`,
    );
};

await makeTokens(5_000);
if (!flags.json)
  console.log(
    `${runs} runs in turns; medians, and the ratio with its quartiles\n\n${' '.repeat(39)}ours     bare`,
  );
if (parts.includes('cost'))
  for (const what of /** @type {(keyof typeof PAYLOADS)[]} */ (['offer', 'candidate'])) {
    const { ours, bare } = await turns((kind) => cost(kind, what));
    row(`P7 processor time per ${what}`, ours, bare, 'µs');
  }
if (parts.includes('connect')) {
  const { ours, bare } = await turns(connects);
  const of = (/** @type {any[]} */ list, /** @type {string} */ key) => list.map((each) => each[key]);
  row('P8 processor time per connect', of(ours, 'ms'), of(bare, 'ms'), 'ms');
  row('P8 memory per idle connection', of(ours, 'kb'), of(bare, 'kb'), 'KB');
}
if (parts.includes('load')) {
  const { ours, bare } = await turns(load);
  const of = (/** @type {any[]} */ list, /** @type {string} */ key) => list.map((each) => each[key]);
  row('L1 latency, 95 of 100', of(ours, 'calm'), of(bare, 'calm'), 'ms');
  row('L1 beside a reader that stands still', of(ours, 'disturbed'), of(bare, 'disturbed'), 'ms');
  report['stalled reader cut after s'] = of(ours, 'lasted');
  if (!flags.json)
    console.log(`L1 that reader is cut after ${median(of(ours, 'lasted')).toFixed(1)} s (ours alone)`);
}
if (parts.includes('idle')) {
  const found = await idle();
  report['idle'] = found;
  if (!flags.json)
    console.log(
      `L2 ${found.open} of 5,000 sockets open after a minute, ${(found.processor * 100).toFixed(0)} % of a processor, ${found.mb.toFixed(0)} MB`,
    );
}
if (flags.json) console.log(JSON.stringify(report, null, 2));
process.exit(0); // sockets that were cut off may linger
