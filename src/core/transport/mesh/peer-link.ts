/** One peer connection from its first offer to its close: slots, negotiation, control channel, timeline. */
import { PmError } from '../../errors.ts';
import type { Platform } from '../../platform.ts';
import { SOURCE_NAMES, type LinkState, type SourceName } from '../../state/call-state.ts';
import type { LinkStats } from '../stats.ts';
import { Timeline } from '../timeline.ts';
import type {
  LinkConfiguration,
  PeerInfo,
  PeerMessage,
  PreparedOffer,
  Signal,
  TransportEvents,
} from '../transport.ts';
import { ControlChannel } from './control-channel.ts';
import { Health } from './health.ts';
import { Monitor } from './monitor.ts';
import { Negotiator } from './negotiator.ts';
import type { PlainSlots, PlainSources } from './plain-slots.ts';
import { readSignal } from './signal-message.ts';
import { Slots } from './slots.ts';

export interface LinkHooks {
  /** By the relay, which holds it while it is away. */
  send(signal: Signal): void;
  /** A signal that came over the peer's channel. */
  receive(signal: Signal): void;
  link(state: LinkState): void;
  /** No path was found in time. */
  unreachable(): void;
  /** Nothing comes through, or does again. */
  silent(is: boolean): void;
  /** The relay can be reached. */
  relayOpen(): boolean;
  /** It is not silent where it should answer, either. */
  relaySure(): boolean;
  /** Begins anew with another connection. */
  rebuild(): boolean;
  /** What the peer should know as soon as it can be told. */
  facts(): Iterable<PeerMessage>;
  /** Everything that concerns the participant, not yet under an id. */
  tell<K extends keyof TransportEvents>(name: K, detail: Omit<TransportEvents[K], 'id'>): void;
}

/** How long an offer may go unanswered before it is sent again, in milliseconds. */
const ANSWER_TIMEOUT = 4_000;
/** The same towards an original client. */
const PLAIN_TIMEOUT = 2_000;
/** The same where a way of telling just came back, which may have lost it without anybody's knowledge. */
const SOON = 1_000;
/** How long after our return an original client takes to offer anew, where it gave us up meanwhile, in milliseconds. */
const RETURN = 1_000;
/** Offers that cross do so within this time, in milliseconds. */
const GLARE = 1_000;

/** A peer that closed its connection is leaving; one that is still there so much later (ms) needs another one. */
const CLOSED_WAIT = 2_000;

const LINK_STATES: Readonly<Record<RTCPeerConnectionState, LinkState>> = {
  new: 'new',
  connecting: 'connecting',
  connected: 'connected',
  disconnected: 'interrupted',
  failed: 'failed',
  closed: 'none',
};

/** The ICE generation of a description. */
const generation = (description: RTCSessionDescription | null) =>
  /^a=ice-ufrag:.*/m.exec(description?.sdp ?? '')?.[0];

function createConnection(platform: Platform, config: RTCConfiguration): RTCPeerConnection {
  try {
    return platform.createPeerConnection(config);
  } catch (error) {
    throw new PmError('usage', 'ice-servers: the browser refuses them.', error);
  }
}

export class PeerLink {
  readonly #platform: Platform;
  readonly #config: () => LinkConfiguration;

  readonly conn: string | undefined;
  readonly timeline: Timeline;
  /** The newest reading; null before the connection is up. */
  stats: LinkStats | null = null;
  readonly #pc: RTCPeerConnection;
  readonly #sources: PlainSources;
  #slots: Slots | PlainSlots;
  /** The same towards an original client, else null. */
  #plain: PlainSlots | null = null;
  readonly #negotiator: Negotiator;
  #control: ControlChannel | null;
  readonly #health: Health;
  readonly #monitor: Monitor;
  readonly #remote = new Map<SourceName, MediaStream>();
  /** Null until a prepared offer was dealt to somebody. */
  #peer: PeerInfo | null = null;
  #hooks: LinkHooks | null = null;
  #offeredFirst = false;
  #tentative = false;
  /** While something is sent once more. */
  #again = false;
  /** Signals made before there is somebody to send them to. */
  #unsent: Signal[] = [];
  #offered: (() => void) | null = null;
  #stopExpecting: (() => void) | null = null;
  /** Since when an answer is expected. */
  #expected = 0;

  /**
   * @param conn names this connection towards our own clients; undefined towards a plain (original) one
   * @throws {PmError} `usage` when the browser refuses the configuration
   */
  constructor(
    platform: Platform,
    config: () => LinkConfiguration,
    sources: PlainSources,
    conn: string | undefined,
  ) {
    this.#platform = platform;
    this.#config = config;
    this.#sources = sources;

    this.conn = conn;
    this.timeline = new Timeline(platform);
    const pc = (this.#pc = createConnection(platform, config()));
    const warn = (message: string, error: unknown) => platform.log('warn', message, error);
    this.#slots = conn
      ? new Slots(pc, sources, (error) => warn('A track could not be sent.', error))
      : this.#plainSlots();
    this.#negotiator = new Negotiator(pc, () => this.#polite, {
      send: (signal) => this.#send(signal),
      applying: () => this.#health.agreed(),
      adopt: () => this.#slots.adopt(),
      ignored: () => {
        // Whoever offers long after ours went out has not got it.
        if (platform.now() - this.#expected > GLARE) this.resend();
      },
      settled: () => this.#settled(),
      failed: (error) => {
        this.#offered?.();
        this.#hooks?.tell('error', {
          error: new PmError('negotiation-failed', 'A description was refused.', error),
        });
        this.#health.broken();
      },
      misbehaved: (why) => this.cutOff(why),
      warn,
    });
    this.#control = conn
      ? new ControlChannel(pc, {
          message: (message) => this.#onMessage(message),
          open: () => {
            for (const fact of this.#hooks?.facts() ?? []) this.tell(fact);
          },
          closed: () => {
            this.#hooks?.tell('bye', {});
            if (this.#hooks) this.#health.broken(CLOSED_WAIT);
          },
          misbehaved: (why) => this.cutOff(why),
          now: () => platform.now(),
          warn,
        })
      : null;
    this.#health = new Health({
      owner: () => this.#offeredFirst || !this.#peer?.ext,
      mute: () => this.#control?.open === false,
      ask: () => this.tell({ t: 'ping' }),
      reachable: () => !!this.#hooks?.relaySure() || (this.#alive && this.#control?.open === true),
      restart: (changed) => this.#restart(changed),
      rebuild: () => !!this.#hooks?.relayOpen() && this.#hooks.rebuild(),
      silent: (is) => {
        this.#tellState();
        this.#hooks?.silent(is);
        // Its return is to be noticed soon.
        if (is) return this.#monitor.start();
        // An ICE restart that was offered in vain makes both senders measure the path anew, rather than creep up on it.
        if (!this.#plain) this.resend();
      },
      unreachable: () => this.#unreachable(),
      now: () => platform.now(),
      after: (ms, callback) => platform.after(ms, callback),
    });
    this.#monitor = new Monitor(platform, pc, {
      packet: () => this.timeline.mark('first-packet'),
      frame: () => this.timeline.mark('first-frame'),
      sourceOf: (mid) => this.#slots.sourceOf(mid),
      stats: (stats) => {
        this.stats = stats;
        this.#health.reading(stats.bytesReceived);
        this.#hooks?.tell('stats', { stats });
      },
      warn,
    });
    this.#listen();
  }

  /**
   * Between our own clients whoever made the first offer yields. Chromium that answered a first offer of Firefox, and
   * later rolls an offer of its own back, decodes pictures that never reach their track. Towards others the order of
   * ids is the protocol's.
   */
  get #polite(): boolean {
    return this.#peer?.ext ? this.#offeredFirst : (this.#peer?.polite ?? false);
  }

  /** True while the first offer is ours and has no answer: nothing is agreed that would have to be kept. */
  get tentative(): boolean {
    return this.#tentative;
  }

  /** Makes the first offer. Before `assign` it is kept, and gathers. */
  offer(): void {
    if (this.#pc.signalingState === 'closed') return;
    this.#offeredFirst = this.#tentative = true;
    this.#slots.create();
  }

  /** Resolves when the first offer is made, or the link closed. */
  async prepared(): Promise<void> {
    if (this.#pc.localDescription || this.#pc.signalingState === 'closed') return;
    await new Promise<void>((resolve) => (this.#offered = resolve));
  }

  /** The prepared offer with every candidate known by now; null when there is none. Later candidates are kept. */
  takeOffer(): PreparedOffer | null {
    const { localDescription } = this.#pc;
    if (!localDescription || !this.conn) return null;
    this.#unsent = [];
    return { conn: this.conn, offer: 1, sdp: localDescription.sdp };
  }

  /** From now on this is the link to `peer`. */
  assign(peer: PeerInfo, hooks: LinkHooks): void {
    this.#peer = peer;
    this.#hooks = hooks;
    this.#expectAnswer();
    this.#health.start();
    if (!peer.ext && !peer.polite)
      this.#onChannel(this.#pc.createDataChannel(`${this.#config().fileLabel}:`));
    for (const signal of this.#unsent.splice(0)) this.#send(signal);
  }

  /** Whether a description of an original client is of the connection which is at the other end of this one. */
  knows(sdp: string): boolean {
    return this.#plain?.knows(sdp) ?? false;
  }

  receive(signal: Signal): void {
    if (signal.kind === 'answer') {
      this.#tentative = false;
      if (this.#peer?.ext === null) this.#decide(this.#peer, !!signal.conn);
      // It is applied in a moment: our offer must not go out again before.
      if (this.#plain) this.#expectAnswer();
    }
    const deliver = () => this.#negotiator.receive(signal);
    if (!this.#plain?.turns.holds(signal, this.#polite, deliver)) deliver();
  }

  /**
   * The relay, or the peer, is back: what was swallowed goes again. Towards an original client later: the answer may be
   * under way, or the offer of another connection, which would take ours for a part of it.
   */
  recall(): void {
    if (this.#plain) this.#expectAnswer(RETURN, this.#plain.turns.lost);
    else this.resend();
  }

  /** @param soon whether it goes out once more a moment later, if there is no answer by then */
  resend(soon = !this.#plain): void {
    this.#again = true;
    this.#negotiator.resend();
    this.#again = false;
    if (soon && this.#pc.signalingState === 'have-local-offer') this.#expectAnswer(SOON);
  }

  /** Signals arrive again. */
  reachable(): void {
    this.#health.reached(this.#plain ? RETURN : undefined);
    // A path that is back by itself is to be noticed before it is repaired.
    if (!this.#alive) this.#monitor.start();
  }

  /** The network changed under the page. */
  nudge(): void {
    this.#health.nudge();
  }

  publish(source: SourceName, track: MediaStreamTrack | null): void {
    this.#slots.set(source, track);
    if (this.#pc.remoteDescription) this.#plain?.complete();
  }

  sender(source: SourceName, idle?: boolean): RTCRtpSender | null {
    return this.#slots.sender(source, idle);
  }

  tell(message: PeerMessage): boolean {
    return this.#control?.send(message) ?? false;
  }

  openChannel(label: string, init?: RTCDataChannelInit): RTCDataChannel | null {
    return this.#control?.open ? this.#pc.createDataChannel(label, init) : null;
  }

  close(): void {
    const pc = this.#pc;
    if (pc.signalingState === 'closed') return;
    this.#hooks = null;
    this.#monitor.stop();
    this.#stopExpecting?.();
    this.#health.stop();
    this.#control?.close();
    this.#plain?.turns.close();
    pc.onnegotiationneeded =
      pc.onicecandidate =
      pc.onconnectionstatechange =
      pc.oniceconnectionstatechange =
        null;
    pc.onsignalingstatechange = pc.onicegatheringstatechange = pc.ondatachannel = null;
    pc.close();
    this.timeline.mark('close');
    this.#offered?.();
  }

  /** The first answer tells whether the peer is one of ours. */
  #decide(peer: PeerInfo, ext: boolean): void {
    this.#peer = { ...peer, ext };
    if (ext || this.#plain) return;
    this.#control = null;
    this.#slots = this.#plainSlots();
    this.#slots.adopt();
  }

  #plainSlots(): PlainSlots {
    const { PlainSlots } = this.#sources.kit!;
    return (this.#plain = new PlainSlots(this.#platform, this.#pc, this.#sources));
  }

  #send(signal: Signal): void {
    const { kind } = signal;
    const wait = this.#plain?.turns.sends(signal);
    if (wait) return this.#expectAnswer(wait);
    if (this.#peer && this.#hooks) this.#dispatch(this.conn ? { ...signal, conn: this.conn } : signal);
    else this.#unsent.push(signal);
    this.#offered?.();
    if (kind === 'offer') this.#expectAnswer();
  }

  /**
   * By the relay; by the peer's own channel as well when it goes out again, since either may have lost it, or while the
   * relay is silent where it should answer, and instead while it is away. A channel whose path is dead brings it only when
   * the path is back: the relay may be quicker to return. Whichever copy comes second is skipped.
   */
  #dispatch(signal: Signal): void {
    const hooks = this.#hooks!;
    const told = (this.#again || !hooks.relaySure()) && this.tell({ t: 'signal', ...signal });
    // What goes out again does so once more when the relay is back.
    if (!told || hooks.relayOpen() || !(this.#alive || this.#again)) hooks.send(signal);
  }

  /** Something comes through. */
  get #alive(): boolean {
    const { connectionState } = this.#pc;
    return connectionState === 'connected' ? !this.#health.silent : this.#health.flowing;
  }

  /** A signal towards a socket that is half open is lost, and nobody learns of it: the offer goes out again. */
  #expectAnswer(wait = this.#peer?.ext ? ANSWER_TIMEOUT : PLAIN_TIMEOUT, lost?: readonly Signal[]): void {
    this.#expected = this.#platform.now();
    this.#stopExpecting?.();
    this.#stopExpecting = this.#platform.after(wait, () => {
      if (!this.#hooks) return;
      // What was said since was not lost, and what came before it is out of date.
      if (lost && lost === this.#plain?.turns.lost) for (const signal of lost) this.#dispatch(signal);
      this.resend(false);
    });
  }

  #onChannel(channel: RTCDataChannel): void {
    if (this.#plain) channel.addEventListener('close', () => this.#hooks?.tell('bye', {}));
    this.#hooks?.tell('channel', { channel });
  }

  #listen(): void {
    const pc = this.#pc,
      timeline = this.timeline;
    pc.onsignalingstatechange = () => {
      if (pc.signalingState !== 'closed') timeline.mark('signalling');
    };
    pc.onicegatheringstatechange = () => {
      if (pc.iceGatheringState === 'gathering') timeline.mark('gathering');
    };
    pc.onicecandidate = ({ candidate }) => {
      // Neither the protocol nor its original has an end-of-candidates message.
      if (!candidate?.candidate) return;
      timeline.mark('first-candidate', candidate.type ?? undefined);
      this.#send({ kind: 'candidate', payload: JSON.stringify(candidate.toJSON()) });
    };
    pc.oniceconnectionstatechange = () => {
      if (pc.iceConnectionState === 'checking') {
        if (!timeline.has('checking')) this.#health.start();
        timeline.mark('checking');
      }
      if (pc.iceConnectionState === 'connected' || pc.iceConnectionState === 'completed')
        timeline.mark('selected-pair');
    };
    pc.onconnectionstatechange = () => this.#onConnectionState(pc.connectionState);
    pc.ondatachannel = ({ channel }) => this.#onChannel(channel);
  }

  #onConnectionState(state: RTCPeerConnectionState): void {
    if (state === 'connected') {
      // Browsers may tell of the whole connection before they tell of its ICE part.
      this.timeline.mark('selected-pair');
      this.timeline.mark('dtls');
      this.#monitor.start();
    }
    this.#tellState();
    // Whoever was told may have closed us.
    if (this.#hooks) this.#health.connection(state);
    if (this.#hooks && state === 'connected') this.#health.awaitChannel();
  }

  #tellState(): void {
    const { connectionState } = this.#pc;
    const { silent, flowing } = this.#health;
    if (connectionState === 'connected' && silent) this.#hooks?.link('interrupted');
    else if (connectionState === 'disconnected' && flowing) this.#hooks?.link('connected');
    else this.#hooks?.link(LINK_STATES[connectionState]);
  }

  #unreachable(): boolean {
    const pc = this.#pc;
    if (!pc.remoteDescription) return false;
    // The path is there, but no association over it.
    if (pc.iceConnectionState.startsWith('co') && this.#hooks?.rebuild()) return false;
    this.#hooks?.unreachable();
    return true;
  }

  #restart(changed: boolean): void {
    // Closed behind our back: a new connection follows.
    if (this.#pc.signalingState === 'closed') return;
    // One that waits for its answer is as good as another, of which Firefox does not survive two in a row.
    const { pendingLocalDescription: offered, currentLocalDescription: before } = this.#pc;
    if (!changed && offered && generation(offered) !== generation(before)) return this.resend();
    this.timeline.mark('restart');
    // TURN credentials may have expired since. The certificates have to be the very same: none at all is a change.
    this.#pc.setConfiguration(this.#config());
    this.#pc.restartIce();
  }

  #onMessage(message: PeerMessage): void {
    this.#health.answered();
    if (message.t === 'ping') return void this.tell({ t: 'pong' });
    if (message.t === 'pong') return;
    const signal = readSignal(message);
    if (signal) return this.#hooks?.receive(signal);
    this.#hooks?.tell('message', { message });
    // A camera switched on later has its first picture then.
    if (message.t === 'media' && this.timeline.has('dtls') && !this.timeline.has('first-frame'))
      this.#monitor.start();
  }

  /** Ends the connection to a peer that breaks the rules; the room goes on. */
  cutOff(why: string): void {
    const hooks = this.#hooks;
    this.close();
    hooks?.tell('error', { error: new PmError('peer-misbehaved', `A peer was cut off: ${why}.`) });
    hooks?.link('failed');
  }

  #settled(): void {
    this.#health.agreed();
    this.#plain?.complete();
    for (const source of SOURCE_NAMES) {
      const track = this.#slots.remote(source);
      if (track === (this.#remote.get(source)?.getTracks()[0] ?? null)) continue;
      const stream = track && this.#platform.createStream([track]);
      if (stream) this.#remote.set(source, stream);
      else this.#remote.delete(source);
      this.#hooks?.tell('track', { source, stream });
    }
  }
}
