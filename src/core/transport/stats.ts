/**
 * What a connection's statistics say, in one shape for every browser. What a browser does not know is null.
 * @see W3C, Identifiers for WebRTC's Statistics API
 */
import type { PathKind, SourceName } from '../state/call-state.ts';

export interface LinkPath {
  readonly kind: PathKind;
  /** How packets leave this side: straight, or to its TURN server. */
  readonly protocol: 'udp' | 'tcp' | 'tls' | null;
  /** Types of the selected candidates (RFC 8445): `host`, `srflx`, `prflx`, `relay`. */
  readonly local: string | null;
  readonly remote: string | null;
}

interface StreamStats {
  /** The section of the description that carries it. */
  readonly mid: string;
  /** Null where the section belongs to none. */
  readonly source: SourceName | null;
  readonly kind: 'audio' | 'video';
  /** `VP8`, `opus`, … */
  readonly codec: string | null;
  /** Bit/s of payload since the reading before. */
  readonly bitrate: number;
  /** Packets so far. */
  readonly packets: number;
  /** Packets lost on the way so far. */
  readonly lost: number;
  /** Share of the packets lost since the reading before, 0 to 1; of sent ones, since the peer's last report. */
  readonly loss: number;
  /** Milliseconds, at the receiver. */
  readonly jitter: number | null;
  /** Pixels of the picture as sent; null for sound. */
  readonly width: number | null;
  readonly height: number | null;
  /** Pictures per second, decoded or encoded, since the reading before; null for sound. */
  readonly frameRate: number | null;
}

export interface InboundStats extends StreamStats {
  /** Pictures decoded so far. */
  readonly frames: number;
  /** How often the picture stood still so far. */
  readonly freezes: number;
  /** Loudness since the reading before, root mean square, 0 to 1; in Chromium 0 for what no element plays aloud. */
  readonly audioLevel: number | null;
  /** Share of the sound that was made up for lost packets since the reading before, 0 to 1. */
  readonly concealed: number | null;
}

export interface OutboundStats extends StreamStats {
  /** What keeps the picture below its best; Firefox does not say. */
  readonly limitedBy: 'none' | 'bandwidth' | 'processor' | 'other' | null;
}

/** One reading of one connection. */
export interface LinkStats {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly path: LinkPath;
  /** Bytes so far over the whole transport; they may begin anew after an ICE restart. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Milliseconds, as the newest report of the peer has it. */
  readonly roundTrip: number | null;
  /** Bit/s that the browser thinks can be sent; low while little is being sent. Firefox does not say. */
  readonly availableOutgoing: number | null;
  readonly inbound: readonly InboundStats[];
  readonly outbound: readonly OutboundStats[];
}
