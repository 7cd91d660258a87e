/** The seam between a call and whatever carries its media: a mesh today, an SFU later. Nothing above may know which. */
import type { PmError } from '../errors.ts';
import type { LinkState, SourceName, SourceState } from '../state/call-state.ts';
import type { LinkStats } from './stats.ts';

/** The lifecycle of one WebRTC connection, in the order of the standards (JSEP, ICE, DTLS, RTP). */
export const TIMELINE_STEPS = [
  'signalling',
  'gathering',
  'first-candidate',
  'checking',
  'selected-pair',
  'dtls',
  'first-packet',
  'first-frame',
  'restart',
  'close',
] as const;
export type TimelineStep = (typeof TIMELINE_STEPS)[number];

export interface TimelineEntry {
  readonly step: TimelineStep;
  /** Milliseconds on the platform's monotonic clock (`performance.now()` in a browser). */
  readonly at: number;
  readonly detail?: string;
}

/** What people tell each other about their sources. */
export type MediaStates = Readonly<Record<SourceName, SourceState>>;

/** A signal to one peer, as it goes over the wire or the peer's own channel. */
export interface Signal {
  readonly kind: 'offer' | 'answer' | 'candidate';
  /** SDP of an offer or answer; of a candidate, `JSON.stringify(candidate.toJSON())`. */
  readonly payload: string;
  /** The connection it belongs to; absent from original clients. */
  readonly conn?: string;
  /** The number of the sender's offer, echoed by its answer; absent from original clients. */
  readonly offer?: number;
  /**
   * Counts the descriptions of the sender: two ways may bring them in another order, and a later one voids those
   * before it. Absent from original clients.
   */
  readonly seq?: number;
}

export interface LinkConfiguration extends RTCConfiguration {
  /**
   * What stands before the colon in the label of the data channel that original clients expect. It is told as `channel`,
   * whoever made it.
   */
  fileLabel?: string;
}

/** The way signals leave. Whatever is behind it queues while no way is open. */
export interface SignalPort {
  /** Whether what is sent now goes out now. */
  readonly open: boolean;
  /** It is open, and its relay is not silent where it should answer. */
  readonly sure: boolean;
  send(to: string, signal: Signal): void;
}

/** An offer made before anyone was there to take it, gathering since. */
export interface PreparedOffer {
  readonly conn: string;
  readonly offer: number;
  readonly sdp: string;
}

export interface PeerInfo {
  readonly id: string;
  /** Speaks our extension; null where the server cannot tell, until the peer's first description does. */
  readonly ext: boolean | null;
  /** This side makes the first offer. */
  readonly initiator: boolean;
  /** Yields on glare (W3C perfect negotiation). */
  readonly polite: boolean;
}

/** What our clients tell each other over their control channels: JSON, told apart by `t`. */
export interface PeerMessage {
  readonly t: string;
  readonly [field: string]: unknown;
}

export interface TransportEvents {
  link: { id: string; state: LinkState };
  /** A reading of the connection: every 500 ms at first, later every second, until the link is closed. */
  stats: { id: string; stats: LinkStats };
  /** What keeps the pictures that others see of us below what they wish. */
  limited: { by: 'bandwidth' | 'processor' | null };
  /** A source's media arrived or went (`null`). */
  track: { id: string; source: SourceName; stream: MediaStream | null };
  /** One of ours said something over its control channel. A stranger's word: whoever reads it checks it first. */
  message: { id: string; message: PeerMessage };
  /** One of ours opened a data channel of its own making. */
  channel: { id: string; channel: RTCDataChannel };
  /** The peer closed its side of the link. */
  bye: { id: string };
  error: { id: string; error: PmError };
}

export interface MediaTransport {
  on<K extends keyof TransportEvents>(name: K, callback: (detail: TransportEvents[K]) => void): () => void;
  configure(config: LinkConfiguration): void;
  /** Up to `count` offers gathered ahead of the join. Idempotent: tops up what is there. */
  prepare(count: number): Promise<readonly PreparedOffer[]>;
  /** Says who was dealt the prepared offer `conn`: its connection becomes the link to that peer. */
  assign(conn: string, peer: PeerInfo): void;
  /** The prepared offers that nobody was dealt are not needed any more; closed in a while. */
  discardPrepared(): void;
  /**
   * Opens a link, or returns with the one that is there.
   * @param back the relay lists the peer again, which it did not before
   */
  connect(peer: PeerInfo, back?: boolean): void;
  /** Ends the link to a peer. */
  disconnect(id: string): void;
  receive(from: string, signal: Signal): void;
  /** A signal may have been lost on the way: whatever still waits for an answer is sent again. */
  resend(): void;
  /** Signals arrive again: repairs that waited for that begin, unless the path is back by itself. */
  reachable(): void;
  /** The network changed under the page: paths that seem well may be gone. */
  nudge(): void;
  /** What is sent to everybody as `source`; null sends nothing. Needs no renegotiation for microphone and camera. */
  publish(source: SourceName, track: MediaStreamTrack | null): void;
  /**
   * Tells everybody of ours a fact about oneself, now and to whoever comes later, or one of them alone (`to`). Only the
   * newest of each `t` counts. `wish` is how large the other's pictures are shown here, which its transport reads:
   * `camera` and `screen` each as `[width, height]` in pixels, null while nobody looks; `first` unless somebody else
   * speaks.
   */
  announce(message: PeerMessage, to?: string): void;
  /** Tells one of ours, once, in order. @returns false when there is no open channel to it */
  tell(id: string, message: PeerMessage): boolean;
  /** Opens a data channel to one of ours. @returns null when there is no connection that could carry it */
  openChannel(id: string, label: string, init?: RTCDataChannelInit): RTCDataChannel | null;
  /** Ends the link to a peer that breaks the rules (`peer-misbehaved`); the room goes on. */
  cutOff(id: string, why: string): void;
  timeline(id: string): readonly TimelineEntry[];
  /** The newest reading of every link that was connected. */
  stats(): readonly (LinkStats & { readonly id: string })[];
  close(): void;
}
