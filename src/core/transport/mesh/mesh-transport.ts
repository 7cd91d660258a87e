/** A full mesh: one peer connection to everybody else in the room. */
import { PmError } from '../../errors.ts';
import type { Platform } from '../../platform.ts';
import { SOURCE_NAMES, type LinkState, type SourceName } from '../../state/call-state.ts';
import { Emitter } from '../../util/emitter.ts';
import { Scope } from '../../util/scope.ts';
import type { LinkStats } from '../stats.ts';
import type {
  LinkConfiguration,
  MediaTransport,
  PeerInfo,
  PeerMessage,
  PreparedOffer,
  Signal,
  SignalPort,
  TimelineEntry,
  TransportEvents,
} from '../transport.ts';
import { PeerLink } from './peer-link.ts';
import type { PlainSources } from './plain-slots.ts';
import type { Uplink } from './uplink.ts';

/**
 * How long the offer of a plain peer is waited for, in milliseconds: one of ours that comes upon it while Chromium sets
 * it leaves that without a candidate for good. Where a peer may be ours as well, the smaller id waits no longer than needed.
 */
const OFFER_WAIT = 2_000;
const GUESS_WAIT = 1_000;
/** Timelines of closed connections that are kept for reading. */
const KEPT_TIMELINES = 64;
/** When offers that nobody was dealt are closed, in milliseconds after the join. */
const DISCARD_AFTER = 2_000;
/**
 * How long encoders are left as they begin, in milliseconds after the first connection: many may come up at once, and
 * every look at an encoder waits for threads that then have everybody's first pictures to make.
 */
const UNDIVIDED = 2_000;

export class MeshTransport implements MediaTransport {
  readonly #platform: Platform;
  readonly #port: SignalPort;
  #config: LinkConfiguration;

  readonly #events: Emitter<TransportEvents>;
  readonly #links = new Map<string, PeerLink>();
  readonly #peers = new Map<string, PeerInfo>();
  readonly #published = new Map<SourceName, MediaStreamTrack | null>();
  readonly #sources: PlainSources;
  /** Settles when what only original clients need is there. */
  #kit: Promise<unknown> | null = null;
  readonly #scope = new Scope();
  /** Every connection's timeline by participant; kept after the connection closed. */
  readonly #timelines = new Map<string, PeerLink['timeline']>();
  /** With whom there was a connection before (`interrupted`), or never will be as things are (`failed`). */
  readonly #fates = new Map<string, 'interrupted' | 'failed'>();
  #prepared: PeerLink[] = [];
  #cancelDiscard: (() => void) | null = null;
  /** What is said of oneself, by its `t`. */
  readonly #facts = new Map<string, { readonly message: PeerMessage; readonly to: string }>();
  /** How large and how visible each peer shows us, as it said. */
  readonly #wishes = new Map<string, PeerMessage>();
  #uplink: Promise<Uplink> | null = null;
  #divideAt = Infinity;
  #closed = false;

  private constructor(platform: Platform, port: SignalPort, config: LinkConfiguration) {
    this.#platform = platform;
    this.#port = port;
    this.#config = config;

    this.#events = new Emitter((error) => platform.log('error', 'A transport listener failed.', error));
    this.#events.on('stats', () => this.#balance());
    this.#events.on('message', ({ id, message }) => {
      if (message.t !== 'wish') return;
      this.#wishes.set(id, message);
      this.#balance();
    });
    this.#sources = {
      main: platform.createStream([]),
      screen: platform.createStream([]),
      published: this.#published,
    };
  }

  /** Makes the certificate that all connections share, so that none waits for one of its own. */
  static async create(
    platform: Platform,
    port: SignalPort,
    config: LinkConfiguration,
  ): Promise<MeshTransport> {
    const certificates = await platform.generateCertificate().then(
      (certificate) => [certificate],
      (error: unknown) => {
        platform.log('warn', 'No shared certificate.', error);
        return null;
      },
    );
    return new MeshTransport(platform, port, {
      ...config,
      // One ICE and DTLS transport carries everything.
      bundlePolicy: 'max-bundle',
      ...(certificates ? { certificates } : {}),
    });
  }

  on<K extends keyof TransportEvents>(name: K, callback: (detail: TransportEvents[K]) => void): () => void {
    return this.#events.on(name, callback);
  }

  configure(config: LinkConfiguration): void {
    this.#config = { ...this.#config, ...config };
  }

  async prepare(count: number): Promise<readonly PreparedOffer[]> {
    this.#cancelDiscard?.();
    this.#cancelDiscard = null;
    while (this.#prepared.length < count && !this.#closed) {
      const link = new PeerLink(
        this.#platform,
        () => this.#config,
        this.#sources,
        this.#platform.randomId(64),
      );
      link.offer();
      this.#prepared.push(link);
    }
    await Promise.all(this.#prepared.map((link) => link.prepared()));
    return this.#prepared.flatMap((link) => link.takeOffer() ?? []);
  }

  assign(conn: string, peer: PeerInfo): void {
    const link = this.#prepared.find((each) => each.conn === conn);
    if (!link) return;
    this.#prepared = this.#prepared.filter((each) => each !== link);
    this.#adopt(peer, link);
  }

  discardPrepared(): void {
    // Closing takes browsers some 20 ms each, in the very task in which the first picture is waited for.
    this.#cancelDiscard ??= this.#platform.after(DISCARD_AFTER, () => this.#discard());
  }

  #discard(): void {
    this.#cancelDiscard?.();
    this.#cancelDiscard = null;
    for (const link of this.#prepared.splice(0)) link.close();
  }

  connect(peer: PeerInfo, back = false): void {
    const { id, ext, initiator } = peer;
    const known = this.#peers.has(id);
    if (!known) this.#peers.set(id, peer);
    const begin = () => {
      const now = this.#peers.get(id);
      if (!now || this.#links.has(id)) return;
      this.#open(now, now.ext === false ? undefined : this.#platform.randomId(64)).offer();
    };
    if (ext) return void (initiator && begin());
    if (known) return void (back && this.#links.get(id)?.recall());
    const wait = ext === null && initiator ? GUESS_WAIT : OFFER_WAIT;
    this.#withKit(() =>
      // Whoever has left and come back since is waited for anew.
      this.#scope.after(this.#platform, wait, () => this.#peers.get(id) === peer && begin()),
    );
  }

  disconnect(id: string): void {
    this.#peers.delete(id);
    this.#fates.delete(id);
    this.#wishes.delete(id);
    for (const [key, { to }] of this.#facts) if (to === id) this.#facts.delete(key);
    const link = this.#links.get(id);
    this.#links.delete(id);
    link?.close();
  }

  receive(from: string, signal: Signal): void {
    let peer = this.#peers.get(from);
    if (!peer || this.#closed) return;
    if (!peer.ext && !this.#sources.kit) return this.#withKit(() => this.receive(from, signal));
    // An original client that has two offers at hand says what it then offers itself as an answer.
    if (!peer.ext && signal.kind === 'answer' && signal.payload.includes('a=setup:actpass'))
      signal = { ...signal, kind: 'offer' };
    if (signal.conn && !peer.ext) this.#peers.set(from, (peer = { ...peer, ext: true }));
    const link = this.#links.get(from);
    if (signal.kind !== 'offer') {
      // Of another connection than the present one: too late, and of no use.
      if (!signal.conn || link?.conn === signal.conn) link?.receive(signal);
      return;
    }
    const same = signal.conn ? link?.conn === signal.conn : link?.knows(signal.payload);
    if (signal.conn && !same && (signal.offer ?? 1) > 1) {
      // More of a connection that is gone here. Whoever still believes in it learns so by a new one.
      if (!link) this.#open(peer, this.#platform.randomId(64)).offer();
      return;
    }
    if (!link?.tentative) {
      if (link && same) link.receive(signal);
      else this.#open(peer, signal.conn).receive(signal);
      return;
    }
    // An offer on our own connection says that the answer was lost: both begin anew.
    if (same && signal.conn) {
      this.#open(peer, this.#platform.randomId(64)).offer();
      return;
    }
    // Both made a first offer: the impolite one's stands. The other one's connection is given up whole, since the
    // transceivers of a first offer that was rolled back ask for negotiation for ever (WebRTC 1.0, 4.7.3).
    if (peer.polite) this.#open(peer, signal.conn).receive(signal);
  }

  resend(): void {
    for (const link of this.#links.values()) link.recall();
  }

  reachable(): void {
    for (const link of this.#links.values()) link.reachable();
  }

  nudge(): void {
    for (const link of this.#links.values()) link.nudge();
  }

  publish(source: SourceName, track: MediaStreamTrack | null): void {
    this.#published.set(source, track);
    for (const link of this.#links.values()) link.publish(source, track);
  }

  announce(message: PeerMessage, to = ''): void {
    this.#facts.set(message.t + to, { message, to });
    for (const [id, link] of this.#links) if (!to || to === id) link.tell(message);
  }

  tell(id: string, message: PeerMessage): boolean {
    return this.#links.get(id)?.tell(message) ?? false;
  }

  openChannel(id: string, label: string, init?: RTCDataChannelInit): RTCDataChannel | null {
    return this.#links.get(id)?.openChannel(label, init) ?? null;
  }

  cutOff(id: string, why: string): void {
    this.#links.get(id)?.cutOff(why);
  }

  timeline(id: string): readonly TimelineEntry[] {
    return this.#timelines.get(id)?.entries ?? [];
  }

  stats(): readonly (LinkStats & { readonly id: string })[] {
    return [...this.#links].flatMap(([id, { stats }]) => (stats ? [{ id, ...stats }] : []));
  }

  close(): void {
    this.#closed = true;
    this.#discard();
    for (const id of [...this.#links.keys()]) this.disconnect(id);
    this.#peers.clear();
    this.#published.clear();
    this.#sources.black?.stop();
    this.#scope.end();
    this.#events.clear();
  }

  /** Runs `task` once what only original clients need is there; in order of asking. */
  #withKit(task: () => void): void {
    const load = async () => (this.#sources.kit = await this.#platform.work(import('./plain-slots.ts')));
    (this.#kit ??= load()).then(task).catch((error: unknown) => {
      this.#kit = null;
      this.#platform.log('error', 'Original clients cannot be met.', error);
    });
  }

  #open(peer: PeerInfo, conn: string | undefined): PeerLink {
    return this.#adopt(peer, new PeerLink(this.#platform, () => this.#config, this.#sources, conn));
  }

  /** Makes `link` the link to `peer`, with everything that is being sent now. */
  #adopt(peer: PeerInfo, link: PeerLink): PeerLink {
    const { id } = peer;
    this.#peers.set(id, peer);
    const before = this.#links.get(id);
    before?.close();
    this.#links.set(id, link);
    // Whatever was up is not any more, and the new one says nothing before it is under way.
    if (before) this.#onLink(id, 'new');
    // An original client does not say what it sends: nothing, until it comes.
    if (before && !peer.ext)
      for (const source of SOURCE_NAMES) this.#events.emit('track', { id, source, stream: null });
    // Whoever heard of it may have given the peer up.
    if (this.#links.get(id) !== link) return link;
    this.#keepTimeline(id, link);
    for (const [source, track] of this.#published) link.publish(source, track);
    link.assign(peer, {
      send: (signal) => this.#port.send(id, signal),
      receive: (signal) => this.receive(id, signal),
      silent: (is) =>
        void this.#uplink?.then(
          (uplink) => uplink.pause(link, is),
          // Said at every division.
          () => undefined,
        ),
      relayOpen: () => this.#port.open,
      relaySure: () => this.#port.sure,
      rebuild: () => {
        // An original client keeps the connection that it has: another one would never be answered.
        // What it is may have been learnt since.
        const now = this.#peers.get(id);
        if (this.#links.get(id) !== link || !now?.ext) return false;
        this.#open(now, this.#platform.randomId(64)).offer();
        return true;
      },
      unreachable: () => this.#unreachable(id),
      facts: () => [...this.#facts.values()].flatMap(({ message, to }) => (!to || to === id ? message : [])),
      tell: (name, detail) => {
        // A closed predecessor must not speak for its successor.
        if (this.#links.get(id) === link) this.#events.emit(name, { ...detail, id } as never);
      },
      link: (state) => this.#links.get(id) === link && this.#onLink(id, state),
    });
    return link;
  }

  /** On its way back a connection passes through states that would look like a first attempt. */
  #onLink(id: string, state: LinkState): void {
    if (state === 'connected') {
      this.#divideAt = Math.min(this.#divideAt, this.#platform.now() + UNDIVIDED);
      this.#fates.set(id, 'interrupted');
    }
    const again = state === 'new' || state === 'connecting';
    this.#events.emit('link', { id, state: (again && this.#fates.get(id)) || state });
  }

  /** Said once for everybody with whom there never was a path. */
  #unreachable(id: string): void {
    if (this.#fates.has(id)) return;
    this.#fates.set(id, 'failed');
    this.#events.emit('link', { id, state: 'failed' });
    const urls = (this.#config.iceServers ?? []).flatMap((server) => server.urls);
    const code = urls.some((url) => url.startsWith('turn')) ? 'ice-failed' : 'turn-needed';
    this.#events.emit('error', { id, error: new PmError(code, 'No path to a participant was found.') });
  }

  /** Divides the uplink anew. How is loaded with the first reading that counts: no join waits for it. */
  #balance(): void {
    const platform = this.#platform;
    // Readings go on coming: the next one after that divides.
    if (platform.now() < this.#divideAt) return;
    const warn = (message: string, error: unknown) => platform.log('warn', message, error);
    this.#uplink ??= platform.work(import('./uplink.ts')).then(
      ({ Uplink }) =>
        new Uplink({
          links: () => this.#links,
          wish: (id) => this.#wishes.get(id),
          track: (source) => this.#published.get(source) ?? null,
          limited: (by) => this.#events.emit('limited', { by }),
          now: () => platform.now(),
          warn,
        }),
    );
    this.#uplink
      .then((uplink) => uplink.update())
      .catch((error: unknown) => warn('The uplink is not divided.', error));
  }

  #keepTimeline(id: string, link: PeerLink): void {
    this.#timelines.delete(id);
    this.#timelines.set(id, link.timeline);
    for (const oldest of this.#timelines.keys()) {
      if (this.#timelines.size <= KEPT_TIMELINES) break;
      this.#timelines.delete(oldest);
    }
  }
}
