/** One peer connection from its first offer to its close: slots, negotiation, control channel, timeline. */
import { PmError } from '../../errors.ts';
import type { Platform } from '../../platform.ts';
import { SOURCE_NAMES, type LinkState, type SourceName } from '../../state/call-state.ts';
import { Timeline } from '../timeline.ts';
import type { MediaStates, PeerInfo, PreparedOffer, Signal, TransportEvents } from '../transport.ts';
import { ControlChannel } from './control-channel.ts';
import { watchFirstMedia } from './first-media.ts';
import { Negotiator } from './negotiator.ts';
import { Slots, type SlotStreams } from './slots.ts';

export interface LinkHooks {
  send(signal: Signal): void;
  /** Everything that concerns the participant, not yet under an id. */
  tell<K extends keyof TransportEvents>(name: K, detail: Omit<TransportEvents[K], 'id'>): void;
}

/** How long an offer may go unanswered before it is sent again, in milliseconds. */
const ANSWER_TIMEOUT = 4_000;

const LINK_STATES: Readonly<Record<RTCPeerConnectionState, LinkState>> = {
  new: 'new',
  connecting: 'connecting',
  connected: 'connected',
  disconnected: 'interrupted',
  failed: 'failed',
  closed: 'none',
};

function createConnection(platform: Platform, config: RTCConfiguration): RTCPeerConnection {
  try {
    return platform.createPeerConnection(config);
  } catch (error) {
    throw new PmError('usage', 'ice-servers: the browser refuses them.', error);
  }
}

export class PeerLink {
  readonly #platform: Platform;
  readonly #config: () => RTCConfiguration;

  readonly conn: string | undefined;
  readonly timeline: Timeline;
  readonly #pc: RTCPeerConnection;
  readonly #slots: Slots;
  readonly #negotiator: Negotiator;
  readonly #control: ControlChannel | null;
  readonly #remote = new Map<SourceName, MediaStream>();
  /** Null until a prepared offer was dealt to somebody. */
  #peer: PeerInfo | null = null;
  #hooks: LinkHooks | null = null;
  #offeredFirst = false;
  #tentative = false;
  /** Signals made before there is somebody to send them to. */
  #unsent: Signal[] = [];
  #offered: (() => void) | null = null;
  #stopWatching: (() => void) | null = null;
  #stopExpecting: (() => void) | null = null;

  /**
   * @param conn names this connection towards our own clients; undefined towards a plain one
   * @throws {PmError} `usage` when the browser refuses the configuration
   */
  constructor(
    platform: Platform,
    config: () => RTCConfiguration,
    streams: SlotStreams,
    conn: string | undefined,
  ) {
    this.#platform = platform;
    this.#config = config;

    this.conn = conn;
    this.timeline = new Timeline(() => platform.now());
    const pc = (this.#pc = createConnection(platform, config()));
    const warn = (message: string, error: unknown) => platform.log('warn', message, error);
    this.#slots = new Slots(pc, streams, (error) => warn('A track could not be sent.', error));
    this.#negotiator = new Negotiator(pc, () => this.#polite, {
      send: (signal) => this.#send(signal),
      adopt: () => this.#slots.adopt(),
      settled: () => this.#settled(),
      failed: (error) => {
        this.#offered?.();
        this.#hooks?.tell('error', {
          error: new PmError('negotiation-failed', 'A description was refused.', error),
        });
      },
      warn,
    });
    this.#control = conn
      ? new ControlChannel(pc, {
          media: (media) => this.#onMedia(media),
          closed: () => this.#hooks?.tell('bye', {}),
          warn,
        })
      : null;
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
    for (const signal of this.#unsent.splice(0)) this.#send(signal);
  }

  receive(signal: Signal): void {
    if (signal.kind === 'answer') this.#tentative = false;
    this.#negotiator.receive(signal);
  }

  resend(): void {
    this.#negotiator.resend();
  }

  publish(source: SourceName, track: MediaStreamTrack | null): void {
    this.#slots.set(source, track);
    if (this.#peer && !this.#peer.ext && this.#pc.remoteDescription) this.#slots.complete();
  }

  announce(media: MediaStates): void {
    this.#control?.announce(media);
  }

  close(): void {
    const pc = this.#pc;
    if (pc.signalingState === 'closed') return;
    this.#hooks = null;
    this.#stopWatching?.();
    this.#stopExpecting?.();
    this.#control?.close();
    pc.onnegotiationneeded =
      pc.onicecandidate =
      pc.onconnectionstatechange =
      pc.oniceconnectionstatechange =
        null;
    pc.onsignalingstatechange = pc.onicegatheringstatechange = null;
    pc.close();
    this.timeline.mark('close');
    this.#offered?.();
  }

  #send(signal: Signal): void {
    if (this.#peer && this.#hooks) this.#hooks.send(this.conn ? { ...signal, conn: this.conn } : signal);
    else this.#unsent.push(signal);
    this.#offered?.();
    if (signal.kind === 'offer') this.#expectAnswer();
  }

  /** A signal towards a socket that is half open is lost, and nobody learns of it: the offer goes out again. */
  #expectAnswer(): void {
    this.#stopExpecting?.();
    this.#stopExpecting = this.#platform.after(ANSWER_TIMEOUT, () => this.#hooks && this.resend());
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
      if (pc.iceConnectionState === 'checking') timeline.mark('checking');
      if (pc.iceConnectionState === 'connected' || pc.iceConnectionState === 'completed')
        timeline.mark('selected-pair');
    };
    pc.onconnectionstatechange = () => this.#onConnectionState(pc.connectionState);
  }

  #onConnectionState(state: RTCPeerConnectionState): void {
    if (state === 'connected') {
      // Browsers may tell of the whole connection before they tell of its ICE part.
      this.timeline.mark('selected-pair');
      this.timeline.mark('dtls');
      this.#watchMedia();
    }
    // Whoever notices begins the repair, since the other side may not have; glare is settled by negotiation.
    if (state === 'failed') this.#restart();
    this.#hooks?.tell('link', { state: LINK_STATES[state] });
  }

  #restart(): void {
    this.timeline.mark('restart');
    // TURN credentials may have expired since. The certificates have to be the very same: none at all is a change.
    this.#pc.setConfiguration(this.#config());
    this.#pc.restartIce();
  }

  #onMedia(media: MediaStates): void {
    this.#hooks?.tell('media', { media });
    // A camera switched on later has its first picture then.
    if (media.camera === 'on' && this.timeline.has('dtls') && !this.timeline.has('first-frame'))
      this.#watchMedia();
  }

  #watchMedia(): void {
    this.#stopWatching?.();
    this.#stopWatching = watchFirstMedia(this.#platform, this.#pc, {
      packet: () => this.timeline.mark('first-packet'),
      frame: () => this.timeline.mark('first-frame'),
      path: (path) => this.#hooks?.tell('path', { path }),
      warn: (message, error) => this.#platform.log('warn', message, error),
    });
  }

  #settled(): void {
    if (this.#peer && !this.#peer.ext) this.#slots.complete();
    for (const source of SOURCE_NAMES) {
      const track = this.#slots.remote(source);
      if ((track !== null) === this.#remote.has(source)) continue;
      const stream = track && this.#platform.createStream([track]);
      if (stream) this.#remote.set(source, stream);
      else this.#remote.delete(source);
      this.#hooks?.tell('track', { source, stream });
    }
  }
}
