/** Statistics that grow with virtual time, computed when asked for, so that flowing media costs no entries. */
import type { PeerState } from './state.ts';
import type { FakeTransceiver } from './transceiver.ts';

const PACKETS_PER_SECOND = { audio: 50, video: 90 } as const;
const BYTES_PER_PACKET = { audio: 90, video: 1000 } as const;
const FRAMES_PER_SECOND = 30;

/** How long media has been flowing, in virtual milliseconds. */
export class FlowMeter {
  private total = 0;
  private since: number | null = null;

  set(flowing: boolean, now: number): void {
    if (flowing === (this.since !== null)) return;
    if (this.since === null) this.since = now;
    else {
      this.total += now - this.since;
      this.since = null;
    }
  }

  get flowing(): boolean {
    return this.since !== null;
  }

  elapsed(now: number): number {
    return this.total + (this.since === null ? 0 : now - this.since);
  }
}

/** What the statistics of a connection tell, for tests to change; media itself flows on. */
export interface Conditions {
  /** Share of the packets lost, either way. */
  loss: number;
  /** Milliseconds. */
  roundTrip: number;
  jitter: number;
  /** Times a second that pictures stand still. */
  freezes: number;
  /** What Chromium thinks it could send, bit/s, and what it says keeps its encoder down. */
  available: number;
  limitedBy: 'none' | 'bandwidth' | 'cpu';
}

export const calm = (): Conditions => ({
  loss: 0,
  roundTrip: 20,
  jitter: 2,
  freezes: 0,
  available: 2_000_000,
  limitedBy: 'none',
});

/** Counters that go on from where they were when conditions change. */
export class Tally {
  lost = 0;
  freezes = 0;
  energy = 0;
  bytes = 0;
  /** The names of its entries: the same strings in every report are found fast. */
  ids: { readonly own: string; readonly codec: string; readonly remote: string } | null = null;
  private elapsed = 0;

  /** What is given is per second. */
  add(elapsed: number, lost: number, freezes: number, energy: number, bytes: number): void {
    const seconds = (elapsed - this.elapsed) / 1000;
    this.elapsed = elapsed;
    this.lost += lost * seconds;
    this.freezes += freezes * seconds;
    this.energy += energy * seconds;
    this.bytes += bytes * seconds;
  }
}

type Report = Map<string, object>;

const CODECS = { audio: 'audio/opus', video: 'video/VP8' } as const;

type Ids = NonNullable<Tally['ids']>;

function sent(
  report: Report,
  peer: PeerState,
  { own, codec, remote }: Ids,
  { kind, mid, sender }: FakeTransceiver,
  packetsSent: number,
  bytesSent: number,
  framesEncoded: number,
): void {
  const { conditions, scope } = peer;
  const timestamp = scope.scheduler.now;
  report.set(own, {
    id: own,
    type: 'outbound-rtp',
    timestamp,
    kind,
    mid,
    transportId: 'T0',
    codecId: codec,
    remoteId: remote,
    packetsSent,
    bytesSent,
    frameWidth: kind === 'video' ? 640 : undefined,
    frameHeight: kind === 'video' ? 480 : undefined,
    framesEncoded: kind === 'video' ? framesEncoded : undefined,
    // DEVIATION: Firefox does not say what limits an encoder.
    qualityLimitationReason:
      kind === 'video' && scope.flavour === 'chromium' ? conditions.limitedBy : undefined,
  });
  report.set(remote, {
    id: remote,
    type: 'remote-inbound-rtp',
    timestamp,
    kind,
    mid,
    transportId: 'T0',
    localId: own,
    packetsLost: Math.floor(sender.tally.lost),
    fractionLost: conditions.loss,
    jitter: conditions.jitter / 1000,
    roundTripTime: conditions.roundTrip / 1000,
  });
}

function received(
  report: Report,
  peer: PeerState,
  { own, codec }: Ids,
  { kind, mid, receiver }: FakeTransceiver,
  packetsReceived: number,
  bytesReceived: number,
  frames: number,
  elapsed: number,
): void {
  const { conditions, scope } = peer;
  const { tally, track } = receiver;
  const video = kind === 'video';
  report.set(own, {
    id: own,
    type: 'inbound-rtp',
    timestamp: scope.scheduler.now,
    kind,
    mid,
    transportId: 'T0',
    codecId: codec,
    trackIdentifier: track.id,
    packetsReceived,
    packetsLost: Math.floor(tally.lost),
    bytesReceived,
    jitter: conditions.jitter / 1000,
    frameWidth: video ? 640 : undefined,
    frameHeight: video ? 480 : undefined,
    framesDecoded: video ? frames : undefined,
    framesReceived: video ? frames : undefined,
    framesDropped: video ? 0 : undefined,
    freezeCount: video ? Math.floor(tally.freezes) : undefined,
    audioLevel: video ? undefined : track.level,
    totalAudioEnergy: video ? undefined : tally.energy,
    totalSamplesDuration: video ? undefined : elapsed / 1000,
    totalSamplesReceived: video ? undefined : elapsed * 48,
    concealedSamples: video ? undefined : 0,
  });
}

/**
 * One way of one section, its codec and what the other end tells of it. Every entry is written out: reports are what
 * a simulated call makes most of.
 * @returns the bytes that it counts
 */
function rtp(
  report: Report,
  peer: PeerState,
  transceiver: FakeTransceiver,
  way: 'inbound' | 'outbound',
): number {
  const { now } = peer.scope.scheduler;
  const { kind, mid, sender, receiver } = transceiver;
  const end = way === 'inbound' ? receiver : sender;
  const elapsed = end.meter.elapsed(now);
  // Browsers list an inbound stream once its first packet is there.
  if (elapsed === 0) return 0;
  const packets = Math.floor((elapsed / 1000) * PACKETS_PER_SECOND[kind]) + 1;
  const frames = Math.floor((elapsed / 1000) * FRAMES_PER_SECOND);
  const { conditions } = peer;
  const most = PACKETS_PER_SECOND[kind] * BYTES_PER_PACKET[kind];
  const { tally } = end;
  tally.add(
    elapsed,
    PACKETS_PER_SECOND[kind] * conditions.loss,
    conditions.freezes,
    receiver.track.level ** 2,
    Math.min(most, (sender.encoding.maxBitrate ?? Infinity) / 8),
  );
  const bytes =
    BYTES_PER_PACKET[kind] + Math.floor(way === 'outbound' ? tally.bytes : (elapsed / 1000) * most);
  const ids = (tally.ids ??= {
    own: `${way}-${String(mid)}`,
    codec: `codec-${way}-${kind}`,
    remote: `remote-${way}-${String(mid)}`,
  });
  if (way === 'outbound') sent(report, peer, ids, transceiver, packets, bytes, frames);
  else received(report, peer, ids, transceiver, packets, bytes, frames, elapsed);
  report.set(ids.codec, { id: ids.codec, type: 'codec', timestamp: now, mimeType: CODECS[kind] });
  return bytes;
}

export function collectStats(peer: PeerState, only: FakeTransceiver | null): Report {
  const { now } = peer.scope.scheduler;
  const report: Report = new Map();
  const add = (entry: { readonly id: string; readonly [field: string]: unknown }): void =>
    void report.set(entry.id, entry);
  const total = { bytesSent: 0, bytesReceived: peer.channels.received };
  for (const transceiver of only ? [only] : peer.transceivers) {
    total.bytesReceived += rtp(report, peer, transceiver, 'inbound');
    total.bytesSent += rtp(report, peer, transceiver, 'outbound');
  }
  const pair = peer.ice.selected;
  const chromium = peer.scope.flavour === 'chromium';
  add({
    id: 'T0',
    type: 'transport',
    timestamp: now,
    dtlsState: peer.dtls.state,
    iceState: peer.iceTransport.state,
    iceRole: peer.iceTransport.role,
    ...(pair ? { selectedCandidatePairId: 'CP0' } : {}),
    // DEVIATION: Firefox counts by pair alone.
    ...(chromium ? total : {}),
  });
  if (pair) {
    add({
      id: 'CP0',
      type: 'candidate-pair',
      timestamp: now,
      transportId: 'T0',
      state: 'succeeded',
      nominated: true,
      localCandidateId: 'LC0',
      remoteCandidateId: 'RC0',
      ...total,
      // DEVIATION: Firefox has no estimate, and its round trip stays 0.
      ...(chromium
        ? { currentRoundTripTime: 0.02, availableOutgoingBitrate: peer.conditions.available }
        : { currentRoundTripTime: 0, selected: true }),
    });
    for (const [id, type, candidate] of [
      ['LC0', 'local-candidate', pair.local],
      ['RC0', 'remote-candidate', pair.remote],
    ] as const) {
      add({
        id,
        type,
        timestamp: now,
        candidateType: candidate.type,
        address: candidate.address,
        port: candidate.port,
        protocol: 'udp',
      });
    }
  }
  return report;
}
