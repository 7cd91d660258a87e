/** A full mesh: one peer connection to everybody else in the room. */
import type { Platform } from '../../platform.ts';
import type { SourceName } from '../../state/call-state.ts';
import { Emitter } from '../../util/emitter.ts';
import type {
  MediaStates,
  MediaTransport,
  PeerInfo,
  PreparedOffer,
  Signal,
  SignalPort,
  TimelineEntry,
  TransportEvents,
} from '../transport.ts';
import { PeerLink } from './peer-link.ts';
import type { SlotStreams } from './slots.ts';

/** Timelines of closed connections that are kept for reading. */
const KEPT_TIMELINES = 64;

export class MeshTransport implements MediaTransport {
  readonly #platform: Platform;
  readonly #port: SignalPort;
  #config: RTCConfiguration;

  readonly #events: Emitter<TransportEvents>;
  readonly #links = new Map<string, PeerLink>();
  readonly #peers = new Map<string, PeerInfo>();
  readonly #published = new Map<SourceName, MediaStreamTrack | null>();
  readonly #streams: SlotStreams;
  /** Every connection's timeline by participant; kept after the connection closed. */
  readonly #timelines = new Map<string, PeerLink['timeline']>();
  #prepared: PeerLink[] = [];
  #media: MediaStates | null = null;
  #closed = false;

  private constructor(platform: Platform, port: SignalPort, config: RTCConfiguration) {
    this.#platform = platform;
    this.#port = port;
    this.#config = config;

    this.#events = new Emitter((error) => platform.log('error', 'A transport listener failed.', error));
    this.#streams = { main: platform.createStream([]), screen: platform.createStream([]) };
  }

  /** Makes the certificate that all connections share, so that none waits for one of its own. */
  static async create(
    platform: Platform,
    port: SignalPort,
    config: RTCConfiguration,
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

  configure(config: RTCConfiguration): void {
    this.#config = { ...this.#config, ...config };
  }

  async prepare(count: number): Promise<readonly PreparedOffer[]> {
    while (this.#prepared.length < count && !this.#closed) {
      const link = new PeerLink(
        this.#platform,
        () => this.#config,
        this.#streams,
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
    for (const link of this.#prepared.splice(0)) link.close();
  }

  connect(peer: PeerInfo): void {
    this.#peers.set(peer.id, peer);
    if (this.#links.has(peer.id) || !peer.initiator) return;
    this.#open(peer, peer.ext ? this.#platform.randomId(64) : undefined).offer();
  }

  disconnect(id: string): void {
    this.#peers.delete(id);
    const link = this.#links.get(id);
    this.#links.delete(id);
    link?.close();
  }

  receive(from: string, signal: Signal): void {
    const peer = this.#peers.get(from);
    if (!peer || this.#closed) return;
    const link = this.#links.get(from);
    if (signal.kind !== 'offer') {
      // Of another connection than the present one: too late, and of no use.
      if (link && link.conn === signal.conn) link.receive(signal);
      return;
    }
    const same = link?.conn === signal.conn;
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
    for (const link of this.#links.values()) link.resend();
  }

  publish(source: SourceName, track: MediaStreamTrack | null): void {
    this.#published.set(source, track);
    for (const link of this.#links.values()) link.publish(source, track);
  }

  announce(media: MediaStates): void {
    this.#media = media;
    for (const link of this.#links.values()) link.announce(media);
  }

  timeline(id: string): readonly TimelineEntry[] {
    return this.#timelines.get(id)?.entries ?? [];
  }

  close(): void {
    this.#closed = true;
    this.discardPrepared();
    for (const id of [...this.#links.keys()]) this.disconnect(id);
    this.#peers.clear();
    this.#events.clear();
  }

  #open(peer: PeerInfo, conn: string | undefined): PeerLink {
    return this.#adopt(peer, new PeerLink(this.#platform, () => this.#config, this.#streams, conn));
  }

  /** Makes `link` the link to `peer`, with everything that is being sent now. */
  #adopt(peer: PeerInfo, link: PeerLink): PeerLink {
    const { id } = peer;
    this.#peers.set(id, peer);
    this.#links.get(id)?.close();
    this.#links.set(id, link);
    this.#keepTimeline(id, link);
    for (const [source, track] of this.#published) link.publish(source, track);
    if (this.#media) link.announce(this.#media);
    link.assign(peer, {
      send: (signal) => this.#port.send(id, signal),
      tell: (name, detail) => {
        // A closed predecessor must not speak for its successor.
        if (this.#links.get(id) === link) this.#events.emit(name, { ...detail, id } as never);
      },
    });
    return link;
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
