/** coturn for tests: a process of its own, in a namespace or on loopback, with credentials by a shared secret. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../e2e/until.ts';
import type { Namespace } from './namespace.ts';
import { findProgram } from './programs.mjs';

/** `static-auth-secret` of every TURN server started here; the relay under test gets it as PM_TURN_SECRET. */
export const TURN_SECRET = 'a secret for turn in tests';

export interface TurnOptions {
  /** Without one: loopback, with a port of its own. */
  readonly place?: Namespace;
  readonly address?: string;
  /** PEM pair; with one it listens for TLS as well, on port 443. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

export interface TurnServer {
  readonly address: string;
  readonly port: number;
  /** `turn:` over UDP, over TCP, and `turns:`. */
  readonly urls: { readonly udp: string; readonly tcp: string; readonly tls: string; readonly stun: string };
  readonly log: string;
  close(): Promise<void>;
}

/** Ports for relayed media; far below those that systems give out by themselves. */
const LOWEST = 20_000;
const MEDIA_PORTS = 200;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Whether somebody listens for TCP. (Its log would say so, but is held back while it goes to a pipe.) */
async function listens(port: number, place: Namespace | undefined): Promise<boolean> {
  if (place) {
    const listening = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} \\S+ 0A `);
    return listening.test(readFileSync(`/proc/${String(place.pid)}/net/tcp`, 'utf8'));
  }
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
  });
}

function configuration(folder: string, address: string, port: number, options: TurnOptions): string {
  const { place, certificate } = options;
  const first = LOWEST + (place ? 0 : (process.pid % 50) * MEDIA_PORTS);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const tls = certificate
    ? `tls-listening-port=443
cert=${file('cert.pem', certificate.cert)}
pkey=${file('key.pem', certificate.key)}`
    : 'no-tls';
  // Coturn ends the whole session of a client that came by TCP or TLS once a datagram to a peer has no route (4.6.1):
  // a peer's private address is refused before it is tried.
  const peers = place
    ? ['10.0.0.0-10.255.255.255', '172.16.0.0-172.31.255.255', '192.168.0.0-192.168.255.255']
        .map((range) => `denied-peer-ip=${range}`)
        .join('\n')
    : 'allow-loopback-peers';
  return `listening-ip=${address}
relay-ip=${address}
listening-port=${String(port)}
${tls}
no-dtls
min-port=${String(first)}
max-port=${String(first + MEDIA_PORTS - 1)}
fingerprint
use-auth-secret
static-auth-secret=${TURN_SECRET}
realm=lab
userdb=${join(folder, 'turndb')}
pidfile=${join(folder, 'turn.pid')}
log-file=stdout
simple-log
no-cli
no-multicast-peers
${peers}
`;
}

/** @throws when it does not listen in time; the message holds its log */
export async function startTurn(options: TurnOptions = {}): Promise<TurnServer> {
  const { place, address = '127.0.0.1' } = options;
  const port = place ? 3478 : await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'pm-turn-'));
  const config = join(folder, 'turnserver.conf');
  writeFileSync(config, configuration(folder, address, port, options), { mode: 0o600 });
  const args = ['-c', config];
  const [program, all] = place
    ? place.command(findProgram('turnserver'), args)
    : ([findProgram('turnserver'), args] as const);
  const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  let log = '';
  const keep = (chunk: Buffer): void => void (log = (log + chunk.toString()).slice(-100_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const ports = [port, ...(options.certificate ? [443] : [])];
  await until('coturn listens', async () => {
    if (child.exitCode !== null) return true;
    const open = await Promise.all(ports.map((each) => listens(each, place)));
    return open.every(Boolean);
  }).catch((error: unknown) => {
    end();
    throw new Error(`coturn did not start:\n${log}`, { cause: error });
  });
  if (child.exitCode !== null) throw new Error(`coturn ended with ${String(child.exitCode)}:\n${log}`);
  const at = `${address}:${String(port)}`;
  return {
    address,
    port,
    urls: {
      stun: `stun:${at}`,
      udp: `turn:${at}?transport=udp`,
      tcp: `turn:${at}?transport=tcp`,
      tls: `turns:${address}:443?transport=tcp`,
    },
    get log() {
      return log;
    },
    async close() {
      process.off('exit', end);
      end();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
