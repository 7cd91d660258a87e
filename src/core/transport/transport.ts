/** The seam between a call and whatever carries its media: a mesh today, an SFU later. Nothing above may know which. */
import type { PmError } from '../errors.ts';
import type { LinkState, PathKind, SourceName, SourceState } from '../state/call-state.ts';

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
}

/** The way signals leave. Whatever is behind it queues while no way is open. */
export interface SignalPort {
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
  /** Speaks our extension. */
  readonly ext: boolean;
  /** This side makes the first offer. */
  readonly initiator: boolean;
  /** Yields on glare (W3C perfect negotiation). */
  readonly polite: boolean;
}

export interface TransportEvents {
  link: { id: string; state: LinkState };
  path: { id: string; path: PathKind };
  /** A source's media arrived or went (`null`). */
  track: { id: string; source: SourceName; stream: MediaStream | null };
  /** What the peer says of its sources. */
  media: { id: string; media: MediaStates };
  /** The peer closed its side of the link. */
  bye: { id: string };
  error: { id: string; error: PmError };
}

export interface MediaTransport {
  on<K extends keyof TransportEvents>(name: K, callback: (detail: TransportEvents[K]) => void): () => void;
  configure(config: RTCConfiguration): void;
  /** Up to `count` offers gathered ahead of the join. Idempotent: tops up what is there. */
  prepare(count: number): Promise<readonly PreparedOffer[]>;
  /** Says who was dealt the prepared offer `conn`: its connection becomes the link to that peer. */
  assign(conn: string, peer: PeerInfo): void;
  /** Closes the prepared offers that nobody was dealt. */
  discardPrepared(): void;
  /** Opens a link, or returns with the one that is there. */
  connect(peer: PeerInfo): void;
  /** Ends the link to a peer. */
  disconnect(id: string): void;
  receive(from: string, signal: Signal): void;
  /** A signal may have been lost on the way: whatever still waits for an answer is sent again. */
  resend(): void;
  /** What is sent to everybody as `source`; null sends nothing. Needs no renegotiation for microphone and camera. */
  publish(source: SourceName, track: MediaStreamTrack | null): void;
  announce(media: MediaStates): void;
  timeline(id: string): readonly TimelineEntry[];
  close(): void;
}
