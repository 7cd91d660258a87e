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

function rtp(transceiver: FakeTransceiver, way: 'inbound' | 'outbound', now: number): object | null {
  const end = way === 'inbound' ? transceiver.receiver : transceiver.sender;
  const elapsed = end.meter.elapsed(now);
  // Browsers list an inbound stream once its first packet is there.
  if (elapsed === 0) return null;
  const packets = Math.floor((elapsed / 1000) * PACKETS_PER_SECOND[transceiver.kind]) + 1;
  const bytes = packets * BYTES_PER_PACKET[transceiver.kind];
  const frames = Math.floor((elapsed / 1000) * FRAMES_PER_SECOND);
  const common = {
    id: `${way}-${transceiver.mid}`,
    type: `${way}-rtp`,
    timestamp: now,
    kind: transceiver.kind,
    mid: transceiver.mid,
    transportId: 'T0',
  };
  if (way === 'outbound') return { ...common, packetsSent: packets, bytesSent: bytes, framesEncoded: frames };
  const video = {
    framesDecoded: frames,
    framesReceived: frames,
    framesDropped: 0,
    frameWidth: 640,
    frameHeight: 480,
  };
  return {
    ...common,
    trackIdentifier: transceiver.receiver.track.id,
    packetsReceived: packets,
    packetsLost: 0,
    bytesReceived: bytes,
    jitter: 0.002,
    ...(transceiver.kind === 'video' ? video : { audioLevel: 0.2, totalAudioEnergy: elapsed / 25000 }),
  };
}

export function collectStats(peer: PeerState, only: FakeTransceiver | null): Map<string, object> {
  const { now } = peer.scope.scheduler;
  const report = new Map<string, object>();
  const add = (entry: { readonly id: string; readonly [field: string]: unknown }): void =>
    void report.set(entry.id, { timestamp: now, ...entry });
  for (const transceiver of only ? [only] : peer.transceivers) {
    for (const way of ['inbound', 'outbound'] as const) {
      const entry = rtp(transceiver, way, now);
      if (entry) add(entry as { id: string });
    }
  }
  const pair = peer.ice.selected;
  add({
    id: 'T0',
    type: 'transport',
    dtlsState: peer.dtls.state,
    iceState: peer.iceTransport.state,
    iceRole: peer.iceTransport.role,
    ...(pair ? { selectedCandidatePairId: 'CP0' } : {}),
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
      currentRoundTripTime: 0.02,
      ...(peer.scope.flavour === 'firefox' ? { selected: true } : {}),
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
