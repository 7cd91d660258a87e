/** The transport objects a connection shows (WebRTC 1.0 sections 5.5, 5.6, 6.1). One of each: everything is bundled. */
import { FakeEventTarget } from '../events.ts';
import type { Flavour } from '../scope.ts';

interface SelectedCandidate {
  readonly candidate: string;
  readonly type: string;
  readonly address: string;
  readonly port: number;
}

export interface SelectedPair {
  readonly local: SelectedCandidate;
  readonly remote: SelectedCandidate;
}

export class FakeIceTransport extends FakeEventTarget {
  readonly component = 'rtp';
  role: 'controlling' | 'controlled' | 'unknown' = 'unknown';
  state: RTCIceTransportState = 'new';
  gatheringState: RTCIceGathererState = 'new';
  onstatechange: ((event: Event) => void) | null = null;
  ongatheringstatechange: ((event: Event) => void) | null = null;
  onselectedcandidatepairchange: ((event: Event) => void) | null = null;
  /** Firefox has none. */
  readonly getSelectedCandidatePair?: () => SelectedPair | null;
  private pair: SelectedPair | null = null;

  constructor(flavour: Flavour) {
    super(['statechange', 'gatheringstatechange', 'selectedcandidatepairchange']);
    if (flavour === 'chromium') this.getSelectedCandidatePair = () => this.pair;
  }

  select(pair: SelectedPair): void {
    this.pair = pair;
    this.emit('selectedcandidatepairchange');
  }
}

export class FakeDtlsTransport extends FakeEventTarget {
  state: RTCDtlsTransportState = 'new';
  onstatechange: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  constructor(readonly iceTransport: FakeIceTransport) {
    super(['statechange', 'error']);
  }

  getRemoteCertificates(): ArrayBuffer[] {
    return [];
  }
}

export class FakeSctpTransport extends FakeEventTarget {
  state: RTCSctpTransportState = 'connecting';
  readonly maxMessageSize = 262144;
  readonly maxChannels = 65535;
  onstatechange: ((event: Event) => void) | null = null;

  constructor(readonly transport: FakeDtlsTransport) {
    super(['statechange']);
  }

  move(state: RTCSctpTransportState): void {
    if (this.state === state) return;
    this.state = state;
    this.emit('statechange');
  }
}
