/** From the browsers' statistics reports to figures. Pure: two reports in, one reading out. */
import type { SourceName } from '../../state/call-state.ts';
import type { InboundStats, LinkPath, LinkStats, OutboundStats } from '../stats.ts';

export type StatsReport = ReadonlyMap<string, object>;

/** The members that are read, of any type of entry. */
interface Entry {
  readonly id: string;
  readonly type: string;
  readonly timestamp: number;
  readonly mid?: string;
  readonly kind?: 'audio' | 'video';
  readonly [member: string]: unknown;
}

const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const entry = (report: StatsReport | null, id: unknown) => report?.get(id as string) as Entry | undefined;
const ms = (seconds: unknown): number | null => (typeof seconds === 'number' ? seconds * 1_000 : null);

/**
 * @param before the report that rates are taken against; null for the first
 * @param sourceOf which source a section carries
 */
export function readStats(
  report: StatsReport,
  before: StatsReport | null,
  sourceOf: (mid: string) => SourceName | null,
): LinkStats {
  const types: Record<string, Entry[]> = {};
  for (const each of report.values() as Iterable<Entry>) (types[each.type] ??= []).push(each);
  const all = (type: string): readonly Entry[] => types[type] ?? [];
  /** How much a counter grew. One that began anew counts from nothing. */
  const grown = (now: Entry, since: Entry | undefined, member: string): number => {
    const value = number(now[member]) ?? 0;
    const last = number(since?.[member]) ?? 0;
    return value < last ? value : value - last;
  };
  const perSecond = (now: Entry, since: Entry | undefined, member: string): number => {
    const time = since ? now.timestamp - since.timestamp : 0;
    return time > 0 ? (grown(now, since, member) * 1_000) / time : 0;
  };

  const transport = all('transport').find((each) => each['selectedCandidatePairId']);
  const pairs = all('candidate-pair');
  const pair =
    entry(report, transport?.['selectedCandidatePairId']) ??
    pairs.find((each) => each['nominated'] && each['state'] === 'succeeded');
  const local = entry(report, pair?.['localCandidateId']);
  const ends = [local, entry(report, pair?.['remoteCandidateId'])].map((each) =>
    text(each?.['candidateType']),
  );
  // Chromium forgets pairs but counts by transport; Firefox counts by pair alone.
  const total = (member: string) =>
    number(transport?.[member]) ?? pairs.reduce((sum, each) => sum + (number(each[member]) ?? 0), 0);

  const stream = (each: Entry, since: Entry | undefined, bytes: string, packets: string, frames: string) => {
    const { mid = '', kind = 'audio' } = each;
    const video = kind === 'video';
    return {
      mid,
      source: sourceOf(mid),
      kind,
      codec: text(entry(report, each['codecId'])?.['mimeType'])?.split('/')[1] ?? null,
      bitrate: perSecond(each, since, bytes) * 8,
      packets: number(each[packets]) ?? 0,
      width: number(each['frameWidth']),
      height: number(each['frameHeight']),
      frameRate: video ? perSecond(each, since, frames) : null,
    };
  };

  const inbound = all('inbound-rtp').map((each): InboundStats => {
    const since = entry(before, each.id);
    const lost = Math.max(0, grown(each, since, 'packetsLost'));
    const samples = grown(each, since, 'totalSamplesReceived');
    const seconds = grown(each, since, 'totalSamplesDuration');
    return {
      ...stream(each, since, 'bytesReceived', 'packetsReceived', 'framesDecoded'),
      // A duplicate counts as less than none lost.
      lost: Math.max(0, number(each['packetsLost']) ?? 0),
      loss: lost / (lost + grown(each, since, 'packetsReceived') || 1),
      jitter: ms(each['jitter']),
      frames: number(each['framesDecoded']) ?? 0,
      freezes: number(each['freezeCount']) ?? 0,
      audioLevel: seconds ? Math.sqrt(grown(each, since, 'totalAudioEnergy') / seconds) : null,
      concealed: samples ? Math.min(1, grown(each, since, 'concealedSamples') / samples) : null,
    };
  });
  const outbound = all('outbound-rtp').map((each): OutboundStats => {
    const peer = entry(report, each['remoteId']);
    const limit = text(each['qualityLimitationReason']);
    return {
      ...stream(each, entry(before, each.id), 'bytesSent', 'packetsSent', 'framesEncoded'),
      lost: Math.max(0, number(peer?.['packetsLost']) ?? 0),
      loss: number(peer?.['fractionLost']) ?? 0,
      jitter: ms(peer?.['jitter']),
      limitedBy: (limit === 'cpu' ? 'processor' : limit) as OutboundStats['limitedBy'],
    };
  });

  // The peer's newest report; that of the connectivity checks lags by seconds, and is always 0 in Firefox.
  const [newest] = all('remote-inbound-rtp')
    .filter((each) => number(each['roundTripTime']) !== null)
    .sort((a, b) => b.timestamp - a.timestamp);
  return {
    at: (pair ?? (report.values().next().value as Entry | undefined))?.timestamp ?? 0,
    path: {
      kind: !pair ? 'unknown' : ends.includes('relay') ? 'relayed' : 'direct',
      protocol: text(local?.['relayProtocol'] ?? local?.['protocol']) as LinkPath['protocol'],
      local: ends[0] ?? null,
      remote: ends[1] ?? null,
    },
    bytesSent: total('bytesSent'),
    bytesReceived: total('bytesReceived'),
    roundTrip: ms(newest?.['roundTripTime'] ?? (pair?.['currentRoundTripTime'] || null)),
    availableOutgoing: number(pair?.['availableOutgoingBitrate']),
    inbound,
    outbound,
  };
}
