/** Statistics that grow with virtual time, computed when asked for, so that flowing media costs no entries. */
import type { TrackKind } from '../media-track.ts';
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
  private elapsed = 0;

  add(elapsed: number, perSecond: Pick<Tally, 'lost' | 'freezes' | 'energy' | 'bytes'>): void {
    const seconds = (elapsed - this.elapsed) / 1000;
    this.elapsed = elapsed;
    for (const name of ['lost', 'freezes', 'energy', 'bytes'] as const)
      this[name] += perSecond[name] * seconds;
  }
}

interface Entry {
  readonly id: string;
  readonly [field: string]: unknown;
}

const CODECS = { audio: 'audio/opus', video: 'video/VP8' } as const;

function counts(kind: TrackKind, elapsed: number) {
  return {
    packets: Math.floor((elapsed / 1000) * PACKETS_PER_SECOND[kind]) + 1,
    frames: Math.floor((elapsed / 1000) * FRAMES_PER_SECOND),
  };
}

function rtp(peer: PeerState, transceiver: FakeTransceiver, way: 'inbound' | 'outbound'): Entry[] {
  const { now } = peer.scope.scheduler;
  const { kind, mid } = transceiver;
  const end = way === 'inbound' ? transceiver.receiver : transceiver.sender;
  const elapsed = end.meter.elapsed(now);
  // Browsers list an inbound stream once its first packet is there.
  if (elapsed === 0) return [];
  const { packets, frames } = counts(kind, elapsed);
  const { conditions } = peer;
  const most = PACKETS_PER_SECOND[kind] * BYTES_PER_PACKET[kind];
  const { tally } = end;
  tally.add(elapsed, {
    lost: PACKETS_PER_SECOND[kind] * conditions.loss,
    freezes: conditions.freezes,
    energy: transceiver.receiver.track.level ** 2,
    bytes: Math.min(most, (transceiver.sender.encoding.maxBitrate ?? Infinity) / 8),
  });
  const bytes =
    BYTES_PER_PACKET[kind] + Math.floor(way === 'outbound' ? tally.bytes : (elapsed / 1000) * most);
  const id = `${way}-${mid}`;
  const common = { timestamp: now, kind, mid, transportId: 'T0' };
  const codec = { id: `codec-${way}-${kind}`, type: 'codec', timestamp: now, mimeType: CODECS[kind] };
  const size = kind === 'video' ? { frameWidth: 640, frameHeight: 480 } : {};
  if (way === 'outbound') {
    const chromium = peer.scope.flavour === 'chromium' && kind === 'video';
    const outbound = {
      ...common,
      ...size,
      id,
      type: 'outbound-rtp',
      codecId: codec.id,
      remoteId: `remote-${id}`,
      packetsSent: packets,
      bytesSent: bytes,
      ...(kind === 'video' ? { framesEncoded: frames } : {}),
      // DEVIATION: Firefox does not say what limits an encoder.
      ...(chromium ? { qualityLimitationReason: conditions.limitedBy } : {}),
    };
    const remote = {
      ...common,
      id: `remote-${id}`,
      type: 'remote-inbound-rtp',
      localId: id,
      packetsLost: Math.floor(tally.lost),
      fractionLost: conditions.loss,
      jitter: conditions.jitter / 1000,
      roundTripTime: conditions.roundTrip / 1000,
    };
    return [outbound, codec, remote];
  }
  const seen =
    kind === 'video'
      ? {
          framesDecoded: frames,
          framesReceived: frames,
          framesDropped: 0,
          freezeCount: Math.floor(tally.freezes),
        }
      : {
          audioLevel: transceiver.receiver.track.level,
          totalAudioEnergy: tally.energy,
          totalSamplesDuration: elapsed / 1000,
          totalSamplesReceived: elapsed * 48,
          concealedSamples: 0,
        };
  const inbound = {
    ...common,
    ...size,
    ...seen,
    id,
    type: 'inbound-rtp',
    codecId: codec.id,
    trackIdentifier: transceiver.receiver.track.id,
    packetsReceived: packets,
    packetsLost: Math.floor(tally.lost),
    bytesReceived: bytes,
    jitter: conditions.jitter / 1000,
  };
  return [inbound, codec];
}

export function collectStats(peer: PeerState, only: FakeTransceiver | null): Map<string, object> {
  const { now } = peer.scope.scheduler;
  const report = new Map<string, object>();
  const add = (entry: Entry): void => void report.set(entry.id, { timestamp: now, ...entry });
  const total = { bytesSent: 0, bytesReceived: peer.channels.received };
  for (const transceiver of only ? [only] : peer.transceivers) {
    for (const way of ['inbound', 'outbound'] as const) {
      for (const entry of rtp(peer, transceiver, way)) {
        add(entry);
        total.bytesSent += Number(entry['bytesSent'] ?? 0);
        total.bytesReceived += Number(entry['bytesReceived'] ?? 0);
      }
    }
  }
  const pair = peer.ice.selected;
  const chromium = peer.scope.flavour === 'chromium';
  add({
    id: 'T0',
    type: 'transport',
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
        candidateType: candidate.type,
        address: candidate.address,
        port: candidate.port,
        protocol: 'udp',
      });
    }
  }
  return report;
}
