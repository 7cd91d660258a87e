/**
 * Session descriptions as text: real SDP lines (RFC 8866, RFC 9429 section 5), few of them, so that code which reads or
 * trims a description meets what it would meet in a browser.
 */
import { exception } from '../errors.ts';

export type SectionKind = 'audio' | 'video' | 'application';
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface Section {
  readonly kind: SectionKind;
  readonly mid: string;
  readonly rejected: boolean;
  /** Written with port 0 although alive, until bundled (RFC 9143 section 6): Firefox does so under max-bundle. */
  readonly bundleOnly: boolean;
  readonly direction: Direction;
  /** Stream ids of `a=msid`; null without such a line, [] for `a=msid:-`. */
  readonly msids: readonly string[] | null;
  readonly trackId: string | null;
  readonly ufrag: string;
  readonly pwd: string;
  readonly fingerprint: string;
  readonly setup: string;
  candidates: readonly string[];
  ended: boolean;
}

export interface Sdp {
  readonly sessionId: string;
  readonly version: number;
  readonly sections: readonly Section[];
}

const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

export function reverse(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly';
  return direction === 'recvonly' ? 'sendonly' : direction;
}

export function direction(send: boolean, receive: boolean): Direction {
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}

export function sends(value: string | null): boolean {
  return value === 'sendrecv' || value === 'sendonly';
}

export function receives(value: string | null): boolean {
  return value === 'sendrecv' || value === 'recvonly';
}

/** What an answer may say at most: both sides' wishes, seen from the answerer. */
export function intersect(own: string, offeredReversed: Direction): Direction {
  return direction(sends(own) && sends(offeredReversed), receives(own) && receives(offeredReversed));
}

function formatSection(section: Section): string[] {
  const port = section.rejected || section.bundleOnly ? 0 : 9;
  const lines =
    section.kind === 'application'
      ? [`m=application ${port} UDP/DTLS/SCTP webrtc-datachannel`]
      : [`m=${section.kind} ${port} UDP/TLS/RTP/SAVPF ${section.kind === 'audio' ? 111 : 96}`];
  lines.push('c=IN IP4 0.0.0.0', `a=mid:${section.mid}`);
  if (section.rejected) {
    if (section.kind !== 'application') lines.push('a=inactive');
    return lines;
  }
  lines.push(`a=ice-ufrag:${section.ufrag}`, `a=ice-pwd:${section.pwd}`, 'a=ice-options:trickle');
  lines.push(`a=fingerprint:sha-256 ${section.fingerprint}`, `a=setup:${section.setup}`);
  if (section.kind === 'application') {
    lines.push('a=sctp-port:5000', 'a=max-message-size:262144');
  } else {
    lines.push(`a=${section.direction}`);
    const track = section.trackId ? ` ${section.trackId}` : '';
    for (const id of section.msids?.length ? section.msids : section.msids ? ['-'] : []) {
      lines.push(`a=msid:${id}${track}`);
    }
    lines.push(
      'a=rtcp-mux',
      section.kind === 'audio' ? 'a=rtpmap:111 opus/48000/2' : 'a=rtpmap:96 VP8/90000',
    );
  }
  if (section.bundleOnly) lines.push('a=bundle-only');
  for (const candidate of section.candidates) lines.push(`a=${candidate}`);
  if (section.ended) lines.push('a=end-of-candidates');
  return lines;
}

export function formatSdp(sdp: Sdp): string {
  const bundled = sdp.sections.filter((section) => !section.rejected).map((section) => section.mid);
  const head = ['v=0', `o=- ${sdp.sessionId} ${sdp.version} IN IP4 127.0.0.1`, 's=-', 't=0 0'];
  if (bundled.length > 0) head.push(`a=group:BUNDLE ${bundled.join(' ')}`);
  head.push('a=msid-semantic: WMS *');
  return `${[...head, ...sdp.sections.flatMap(formatSection)].join('\r\n')}\r\n`;
}

function syntaxError(message: string): DOMException {
  // An RTCError of detail `sdp-syntax-error`, which is an OperationError (WebRTC 1.0 section 4.4.1.5).
  return exception('OperationError', `Failed to parse SessionDescription: ${message}`);
}

function parseSection(block: readonly string[], session: readonly string[]): Section {
  const value = (name: string): string | null => {
    const prefix = `a=${name}:`;
    const found = [...block, ...session].find((line) => line.startsWith(prefix));
    return found === undefined ? null : found.slice(prefix.length);
  };
  const media = /^m=(audio|video|application) (\d+) /.exec(block[0] ?? '');
  if (!media) throw syntaxError(`unknown media: ${block[0]}`);
  const bundleOnly = block.includes('a=bundle-only');
  const rejected = media[2] === '0' && !bundleOnly;
  const mid = value('mid');
  if (mid === null) throw syntaxError('a media section without mid');
  const [ufrag, pwd, print] = [value('ice-ufrag'), value('ice-pwd'), value('fingerprint')];
  if (!rejected && (ufrag === null || pwd === null || print === null)) {
    throw exception('InvalidAccessError', `section ${mid} without ICE credentials or fingerprint`);
  }
  const msids = block.filter((line) => line.startsWith('a=msid:')).map((line) => line.slice(7).split(' '));
  return {
    kind: media[1] as SectionKind,
    mid,
    rejected,
    bundleOnly,
    direction: DIRECTIONS.find((name) => block.includes(`a=${name}`)) ?? 'sendrecv',
    msids: msids.length === 0 ? null : msids.map(([id]) => id ?? '-').filter((id) => id !== '-'),
    trackId: msids[0]?.[1] ?? null,
    ufrag: ufrag ?? '',
    pwd: pwd ?? '',
    fingerprint: (print ?? '').replace(/^\S+ /, ''),
    setup: value('setup') ?? '',
    candidates: block.filter((line) => line.startsWith('a=candidate:')).map((line) => line.slice(2)),
    ended: block.includes('a=end-of-candidates'),
  };
}

export function parseSdp(text: string): Sdp {
  const lines = text.split(/\r?\n/).filter(Boolean);
  if (lines[0] !== 'v=0') throw syntaxError('Expect line: v=');
  const origin = /^o=\S+ (\d+) (\d+) IN IP[46] \S+$/.exec(lines[1] ?? '');
  if (!origin) throw syntaxError('Expect line: o=');
  const bad = lines.find((line) => !/^[a-z]=/.test(line));
  if (bad !== undefined) throw syntaxError(bad);
  const blocks: string[][] = [];
  const session: string[] = [];
  for (const line of lines) {
    if (line.startsWith('m=')) blocks.push([line]);
    else (blocks.at(-1) ?? session).push(line);
  }
  const sections = blocks.map((block) => parseSection(block, session));
  if (new Set(sections.map((section) => section.mid)).size !== sections.length)
    throw syntaxError('a mid twice');
  return { sessionId: origin[1] ?? '', version: Number(origin[2]), sections };
}
