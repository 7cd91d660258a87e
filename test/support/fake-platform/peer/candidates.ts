/** Candidates as lines (RFC 8839 section 5.1) and what the fake network knows behind them. */
export type CandidateType = 'host' | 'srflx' | 'relay';

export interface Candidate {
  readonly type: CandidateType;
  readonly address: string;
  readonly port: number;
  readonly line: string;
}

export interface Credentials {
  readonly ufrag: string;
  readonly pwd: string;
}

const PREFERENCE: Record<CandidateType, number> = { host: 2122260223, srflx: 1686052607, relay: 41885439 };

export function makeCandidate(type: CandidateType, address: string, port: number, suffix: string): Candidate {
  const line = `candidate:${port % 9973} 1 udp ${PREFERENCE[type]} ${address} ${port} typ ${type}${suffix}`;
  return { type, address, port, line };
}

/** Null when the line is none. */
export function parseCandidate(line: string): { candidate: Candidate; ufrag: string | null } | null {
  const found =
    /^(?:a=)?candidate:\S+ \d+ (?:udp|tcp) \d+ (\S+) (\d+) typ (host|srflx|prflx|relay)\b(.*)$/i.exec(line);
  if (!found) return null;
  const [, address = '', port = '', type = 'host', rest = ''] = found;
  const ufrag = / ufrag (\S+)/.exec(rest)?.[1] ?? null;
  const kind = type === 'prflx' ? 'srflx' : (type as CandidateType);
  return { candidate: { type: kind, address, port: Number(port), line }, ufrag };
}

/** The event's candidate: fields as attributes, and toJSON as the wire takes it (WebRTC 1.0 section 4.8.1). */
export class FakeIceCandidate {
  readonly candidate: string;
  readonly sdpMid: string | null;
  readonly sdpMLineIndex: number | null;
  readonly usernameFragment: string | null;
  readonly type: CandidateType | null;
  readonly address: string | null;
  readonly port: number | null;
  readonly protocol = 'udp';

  constructor(candidate: Candidate | null, mid: string, index: number, ufrag: string) {
    this.candidate = candidate?.line ?? '';
    this.sdpMid = mid;
    this.sdpMLineIndex = index;
    this.usernameFragment = ufrag;
    this.type = candidate?.type ?? null;
    this.address = candidate?.address ?? null;
    this.port = candidate?.port ?? null;
  }

  toJSON(): RTCIceCandidateInit {
    const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = this;
    return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
  }
}
