/** The internal slots of a connection (WebRTC 1.0 section 4.4.1.1), shared by the modules that implement its parts. */
import type { FakeEventTarget } from '../events.ts';
import type { FakeStream } from '../media-track.ts';
import type { Scope } from '../scope.ts';
import { ChannelTable } from './channel-table.ts';
import { IceAgent } from './ice-agent.ts';
import { updateNegotiationNeeded } from './negotiation-needed.ts';
import type { Network } from './network.ts';
import { OperationsChain } from './operations.ts';
import type { Direction, Sdp } from './sdp.ts';
import { calm, collectStats, type Conditions } from './stats.ts';
import type { FakeTransceiver } from './transceiver.ts';
import { FakeDtlsTransport, FakeIceTransport, type FakeSctpTransport } from './transports.ts';

export interface Applied {
  readonly type: 'offer' | 'answer';
  readonly sdp: Sdp;
}

/** What createOffer or createAnswer gave last: the only text setLocalDescription takes. */
export interface Draft {
  readonly text: string;
  readonly sdp: Sdp;
  readonly owners: ReadonlyMap<string, FakeTransceiver>;
}

/** What a rollback returns to: taken when the connection leaves `stable`. */
export interface Snapshot {
  readonly transceivers: ReadonlyMap<
    FakeTransceiver,
    {
      mid: string | null;
      index: number | null;
      fired: Direction | null;
      receptive: boolean;
      streams: FakeStream[];
    }
  >;
}

export class PeerState {
  closed = false;
  signalingState: RTCSignalingState = 'stable';
  pendingLocal: Applied | null = null;
  currentLocal: Applied | null = null;
  pendingRemote: Applied | null = null;
  currentRemote: Applied | null = null;
  lastOffer: Draft | null = null;
  lastAnswer: Draft | null = null;
  negotiationNeeded = false;
  snapshot: Snapshot | null = null;
  transceivers: FakeTransceiver[] = [];
  sctp: FakeSctpTransport | null = null;
  dtlsRole: 'client' | 'server' | null = null;
  version = 1;
  readonly conditions: Conditions = calm();
  readonly sessionId: string;
  /** ICE user fragments that the next offer must not repeat: restartIce was called. */
  readonly credentialsToReplace = new Set<string>();
  readonly remoteStreams = new Map<string, FakeStream>();
  readonly operations: OperationsChain;
  readonly iceTransport: FakeIceTransport;
  readonly dtls: FakeDtlsTransport;
  readonly ice: IceAgent;
  readonly channels: ChannelTable;
  private nextMid = 0;

  constructor(
    readonly scope: Scope,
    readonly network: Network,
    readonly facade: FakeEventTarget,
    readonly fingerprint: string,
    public configuration: RTCConfiguration,
  ) {
    this.sessionId = String(scope.random.integer(1e9, 1e12));
    this.operations = new OperationsChain(
      () => this.closed,
      () => this.updateNegotiationNeeded(),
    );
    this.iceTransport = new FakeIceTransport(scope.flavour);
    this.dtls = new FakeDtlsTransport(this.iceTransport);
    this.ice = new IceAgent(this);
    this.channels = new ChannelTable(this);
  }

  get local(): Applied | null {
    return this.pendingLocal ?? this.currentLocal;
  }

  get remote(): Applied | null {
    return this.pendingRemote ?? this.currentRemote;
  }

  emit(event: Event | string): void {
    if (!this.closed) this.facade.emit(event);
  }

  updateNegotiationNeeded(): void {
    updateNegotiationNeeded(this);
  }

  /** A section identifier that no description or transceiver of this connection uses or used. */
  newMid(): string {
    const taken = new Set<string>(this.transceivers.flatMap((each) => (each.mid === null ? [] : [each.mid])));
    for (const each of [this.pendingLocal, this.currentLocal, this.pendingRemote, this.currentRemote]) {
      for (const section of each?.sdp.sections ?? []) taken.add(section.mid);
    }
    while (taken.has(String(this.nextMid))) this.nextMid += 1;
    this.nextMid += 1;
    return String(this.nextMid - 1);
  }

  /** Media may flow differently from now on. */
  reflow(): void {
    this.network.reflow(this);
  }

  stats(only: FakeTransceiver | null): Promise<Map<string, object>> {
    const { scheduler, owner, delays } = this.scope;
    return scheduler.promise(owner, delays.compute, () => collectStats(this, only));
  }
}
