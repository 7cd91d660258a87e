/** A world of participants on one virtual clock and one seed. */
import { DEFAULT_DELAYS, type Delays } from './delays.ts';
import type { TrackKind } from './media-track.ts';
import type { FakePeerConnection } from './peer/connection.ts';
import { Network, type Cut } from './peer/network.ts';
import { FakePlatform, type FetchHandler } from './platform.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { Books, type Flavour } from './scope.ts';
import type { ConnectHandler, ServerSocket } from './socket.ts';
import { Wire, type WireOptions } from './wire.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly delays?: Partial<Delays>;
  /** Which browser a participant behaves like; the seed decides by default. */
  readonly flavour?: Flavour | ((name: string) => Flavour);
  readonly baseUrl?: string;
}

export interface Report {
  readonly connections: number;
  readonly tracks: number;
  readonly sockets: number;
  readonly timers: number;
  readonly listeners: number;
}

export interface PlatformOptions {
  readonly flavour?: Flavour;
}

export class FakeWorld {
  readonly seed: number;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly network: Network;
  private readonly delays: Delays;
  private readonly platforms = new Map<string, FakePlatform>();
  private readonly books = new Map<string, Books>();
  private readonly served = new Set<ServerSocket>();
  private handler: ConnectHandler | null = null;
  private fetchHandler: FetchHandler | null = null;

  constructor(private readonly options: WorldOptions) {
    this.seed = options.seed;
    this.random = new Random(options.seed);
    this.scheduler = new Scheduler(this.random, `seed ${options.seed}`);
    this.delays = { ...DEFAULT_DELAYS, ...options.delays };
    this.network = new Network(this.scheduler, this.random);
  }

  /** Virtual milliseconds since the world began. */
  get now(): number {
    return this.scheduler.now;
  }

  /** Lets so much virtual time pass. */
  run(ms: number): Promise<void> {
    return this.scheduler.run(ms);
  }

  /** Runs until nothing is under way; timers (heartbeats, timeouts) do not count as under way. */
  settle(limit = 120_000): Promise<void> {
    return this.scheduler.settle(limit);
  }

  /** Runs until `done()`; throws, naming the seed, when that takes longer than `limit`. Answers how long it took. */
  when(done: () => boolean, what = 'the condition', limit = 60_000): Promise<number> {
    return this.scheduler.when(done, limit, what);
  }

  /** Runs until the promise settles, and settles like it. */
  async until<T>(promise: Promise<T>, what = 'the promise', limit = 60_000): Promise<T> {
    let settled = false;
    const note = (): void => void (settled = true);
    promise.then(note, note);
    await this.scheduler.when(() => settled, limit, what);
    return promise;
  }

  /** Real asynchronous work (WebCrypto) for which the clock has to stand still. */
  hold<T>(work: Promise<T>): Promise<T> {
    return this.scheduler.hold(work);
  }

  /** One participant's platform: made at the first call, the same one ever after. */
  platform(name: string, options: PlatformOptions = {}): FakePlatform {
    const known = this.platforms.get(name);
    if (known) return known;
    const given = options.flavour ?? this.options.flavour;
    const seeded = this.random.pick<Flavour>(['chromium', 'firefox']);
    const books = new Books();
    const scope = {
      owner: name,
      flavour: typeof given === 'function' ? given(name) : (given ?? seeded),
      scheduler: this.scheduler,
      random: this.random,
      delays: this.delays,
      books,
    };
    const made = new FakePlatform(name, scope, {
      network: this.network,
      server: () => this.handler && this.accept(this.handler),
      fetch: () => this.fetchHandler,
      baseUrl: this.options.baseUrl ?? 'https://meet.test/room/',
    });
    this.platforms.set(name, made);
    this.books.set(name, books);
    return made;
  }

  page(name: string): FakePlatform {
    return this.platform(name);
  }

  peerConnections(name: string): readonly FakePeerConnection[] {
    return this.platform(name).connections;
  }

  /** What is still alive, of one participant or of all. */
  report(name?: string): Report {
    const all = name === undefined ? [...this.books.values()] : [this.books.get(name) ?? new Books()];
    const count = (pick: (books: Books) => Set<object>) =>
      all.reduce((sum, books) => sum + pick(books).size, 0);
    return {
      connections: count((books) => books.connections),
      tracks: count((books) => books.tracks),
      sockets: count((books) => books.sockets),
      timers: count((books) => books.timers),
      listeners: count((books) => books.listeners),
    };
  }

  /** No packet passes between two participants any more; `direct` leaves the way through a TURN server. */
  cut(left: string, right: string, what: Cut = 'all'): void {
    this.network.cut(left, right, what);
  }

  mend(left: string, right: string): void {
    this.network.mend(left, right);
  }

  unplug(name: string, kind: TrackKind): void {
    this.platform(name).devices.unplug(kind);
  }

  plug(name: string, kind: TrackKind): void {
    this.platform(name).devices.plug(kind);
  }

  /** Who answers when a participant opens a socket. Without one, connecting fails. */
  onConnect(handler: ConnectHandler | null): void {
    this.handler = handler;
  }

  onFetch(handler: FetchHandler | null): void {
    this.fetchHandler = handler;
  }

  /** The server process dies: every socket ends with 1006, and nobody answers until `onConnect` is set again. */
  killServer(): void {
    this.handler = this.fetchHandler = null;
    for (const socket of [...this.served]) {
      socket.onclose = null;
      socket.onmessage = null;
      socket.terminate();
    }
    this.served.clear();
  }

  /** One participant's sockets go half-open: packets vanish and neither end is told. */
  halfOpen(name: string): void {
    for (const socket of this.platform(name).sockets) socket.cable.dead = true;
  }

  /** The tab is gone without a word; `halfOpen`: the whole machine, so that not even its sockets are reset. */
  crash(name: string, how: 'tab' | 'machine' = 'tab'): void {
    const platform = this.platform(name);
    this.scheduler.kill(name);
    for (const connection of platform.connections) connection.vanish();
    for (const socket of platform.sockets) if (socket.readyState < 3) socket.vanish(how === 'machine');
    this.books.set(name, new Books());
  }

  /** Nothing of this participant's page runs until `thaw`; what came meanwhile then comes at once. */
  freeze(name: string): void {
    this.scheduler.freeze(name);
  }

  thaw(name: string): void {
    this.scheduler.thaw(name);
  }

  /** Signalling without a relay, for tests of the transport alone. */
  wire<T>(options: WireOptions<T> = {}): Wire<T> {
    return new Wire<T>(this.scheduler, this.random, options);
  }

  private accept(handler: ConnectHandler): ConnectHandler {
    return (url, socket) => {
      this.served.add(socket);
      handler(url, socket);
    };
  }
}

export function createFakeWorld(options: WorldOptions): FakeWorld {
  return new FakeWorld(options);
}
