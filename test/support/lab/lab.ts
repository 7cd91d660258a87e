/**
 * A small internet of network namespaces: homes behind routers, and a public side with relay, TURN server and pages.
 *
 *   home a          router a         public side (a bridge)                router b        home b
 *   192.168.1.2 --- .1 | 203.0.113.10 --- .1 pages, .2 TURN, .3… relays --- .11 | .1 --- 192.168.1.2
 *
 * No packet leaves it, and nothing of it outlives this process. Needs what `whyNoNetwork` asks for.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'puppeteer-core';
import { selfSigned } from '../../../demo-server/src/lan.ts';
import { findChromium, launchChromium } from '../browsers.mjs';
import type { Pages } from '../e2e/site.ts';
import { FEW_FRAMES } from '../e2e/visitor.ts';
import { startRelayProcess, type RelayProcess } from '../relay.ts';
import { Home } from './home.ts';
import { Namespace } from './namespace.ts';
import type { NatKind } from './nat.ts';
import { startTurn, TURN_SECRET, type TurnServer } from './turn.ts';

/** Documentation addresses (RFC 5737): nobody's. */
const world = (host: number): string => `203.0.113.${String(host)}`;
const SITE = world(1);
const TURN = world(2);
const FIRST_RELAY = 3;
const FIRST_HOME = 10;
const FIRST_REBOUND = 100;
const NOWHERE = world(254);

const BROWSER_FLAGS = ['--ignore-certificate-errors', '--no-proxy-server', FEW_FRAMES];
/** Flags of every other test that would change what these are about. */
const UNWANTED = ['--allow-loopback-in-peer-connection'];

export class Lab {
  private readonly all = new Map<string, Home>();
  private readonly browsers = new Map<string, Promise<Browser>>();
  private readonly closers: (() => unknown)[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'pm-lab-'));
  private readonly spaces: Namespace[] = [];
  private nextRelay = FIRST_RELAY;
  private nextRebound = FIRST_REBOUND;
  private opened: TurnServer | undefined;

  private constructor(
    readonly place: Namespace,
    private readonly certificate: { cert: string; key: string },
  ) {
    this.spaces.push(place);
  }

  static async up(homes: Readonly<Record<string, NatKind>> = { a: 'port', b: 'port' }): Promise<Lab> {
    const [place, certificate] = await Promise.all([Namespace.make('the world'), selfSigned()]);
    const lab = new Lab(place, certificate);
    try {
      // What has no receiver is swallowed by a neighbour who never answers, as on the internet, instead of being
      // refused on the spot.
      place.run(`ip link add br0 type bridge forward_delay 0
        ip link set br0 up
        ip addr add ${SITE}/24 dev br0
        ip addr add ${TURN}/24 dev br0
        ip neigh add ${NOWHERE} lladdr 02:00:5e:00:00:01 dev br0 nud permanent
        ip route add default via ${NOWHERE}`);
      for (const [name, kind] of Object.entries(homes)) await lab.addHome(name, kind);
      lab.opened = await startTurn({ place, address: TURN, certificate });
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  private async addHome(name: string, kind: NatKind): Promise<void> {
    const [place, router] = await Promise.all([
      Namespace.make(`home ${name}`),
      Namespace.make(`router ${name}`),
    ]);
    this.spaces.push(place, router);
    const home = new Home(name, place, router, this.place, world(FIRST_HOME + this.all.size));
    this.all.set(name, home);
    home.connect('br0');
    home.nat(kind);
  }

  home(name: string): Home {
    const home = this.all.get(name);
    if (!home) throw new Error(`no home ${name}`);
    return home;
  }

  get names(): string[] {
    return [...this.all.keys()];
  }

  get turn(): TurnServer {
    if (!this.opened) throw new Error('no TURN server yet');
    return this.opened;
  }

  /** A public address that no home has had yet, for `Home.rebind`. */
  freshAddress(): string {
    return world(this.nextRebound++);
  }

  /**
   * A relay on the public side, by HTTPS on port 443 of an address of its own. It tells clients of our TURN server
   * over UDP, TCP and TLS, and by STUN of their addresses, unless PM_TURN_URLS says something else.
   */
  async startRelay(settings: Record<string, string> = {}): Promise<RelayProcess> {
    const address = world(this.nextRelay++);
    this.place.run(`ip addr add ${address}/24 dev br0`);
    const { stun, udp, tcp, tls } = this.turn.urls;
    const relay = await startRelayProcess(
      {
        PM_LOG_LEVEL: 'error',
        PM_HOST: address,
        PM_PORT: '443',
        PM_CERT: this.file('cert.pem', this.certificate.cert),
        PM_KEY: this.file('key.pem', this.certificate.key),
        PM_TURN_URLS: [stun, udp, tcp, tls].join(' '),
        PM_TURN_SECRET: TURN_SECRET,
        ...settings,
      },
      [],
      (program, args) => this.place.command(program, args),
    );
    this.closers.push(() => relay.close());
    return relay;
  }

  /** A site of somebody else, on the public side. */
  async startPages(): Promise<Pages> {
    const script = fileURLToPath(new URL('page-server.mjs', import.meta.url));
    const [program, args] = this.place.command(process.execPath, [script, SITE, '443']);
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const close = async (): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    this.closers.push(close);
    child.send(this.certificate);
    await once(child, 'message');
    let count = 0;
    return {
      add: (html) => {
        const path = `/page-${String(++count)}.html`;
        child.send({ path, html });
        return `https://${SITE}${path}`;
      },
      close,
    };
  }

  /** Chromium in a home: one process for each set of flags. */
  browser(home: string, flags: readonly string[] = []): Promise<Browser> {
    const key = [home, ...flags].join(' ');
    let browser = this.browsers.get(key);
    if (!browser) {
      const executable = this.file(
        `chromium-${home}`,
        this.home(home).place.script(findChromium() ?? 'chromium'),
      );
      chmodSync(executable, 0o755);
      browser = launchChromium({
        executablePath: executable,
        pipe: true, // a port would open inside the namespace
        protocolTimeout: 120_000,
        args: [...BROWSER_FLAGS, ...flags],
        ignoreDefaultArgs: UNWANTED,
      });
      this.browsers.set(key, browser);
    }
    return browser;
  }

  private file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.browsers.values()].map(async (each) => (await each).close()));
    await Promise.allSettled(this.closers.map(async (close) => close()));
    await this.opened?.close();
    for (const space of this.spaces) space.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
