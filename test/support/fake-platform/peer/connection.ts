/**
 * RTCPeerConnection (W3C WebRTC 1.0, JSEP in RFC 9429), enforcing the states of the specification: what a browser
 * refuses is refused here, by the same name.
 */
import { exception } from '../errors.ts';
import { FakeEventTarget } from '../events.ts';
import { FakeTrack, requireLive, streamOf, trackOf, type TrackKind } from '../media-track.ts';
import type { Scope } from '../scope.ts';
import { addIceCandidate } from './add-candidate.ts';
import { applyLocal, applyRemote, applyRollback } from './apply.ts';
import type { FakeCertificate } from './certificate.ts';
import { isAllowed, requireState } from './check.ts';
import { checkConfiguration } from './configuration.ts';
import type { FakeDataChannel } from './data-channel.ts';
import { draftAnswer, draftOffer } from './describe.ts';
import type { Network } from './network.ts';
import { formatSdp, parseSdp, receives, sends, type Direction } from './sdp.ts';
import type { Conditions } from './stats.ts';
import { PeerState, type Applied, type Draft } from './state.ts';
import { FakeTransceiver, type FakeReceiver, type FakeSender } from './transceiver.ts';
import type { FakeSctpTransport } from './transports.ts';

const EVENTS = [
  'negotiationneeded',
  'icecandidate',
  'icecandidateerror',
  'signalingstatechange',
  'iceconnectionstatechange',
  'icegatheringstatechange',
  'connectionstatechange',
  'track',
  'datachannel',
];

type Handler = ((event: Event) => void) | null;

class FakeDescription {
  constructor(
    readonly type: RTCSdpType,
    readonly sdp: string,
  ) {}

  toJSON(): RTCSessionDescriptionInit {
    return { type: this.type, sdp: this.sdp };
  }
}

function show(applied: Applied | null): FakeDescription | null {
  return applied && new FakeDescription(applied.type, formatSdp(applied.sdp));
}

export class FakePeerConnection extends FakeEventTarget {
  onnegotiationneeded: Handler = null;
  onicecandidate: Handler = null;
  onicecandidateerror: Handler = null;
  onsignalingstatechange: Handler = null;
  oniceconnectionstatechange: Handler = null;
  onicegatheringstatechange: Handler = null;
  onconnectionstatechange: Handler = null;
  ontrack: Handler = null;
  ondatachannel: Handler = null;
  private readonly peer: PeerState;

  constructor(
    private readonly scope: Scope,
    private readonly network: Network,
    configuration: RTCConfiguration,
    certificate: FakeCertificate,
  ) {
    super(EVENTS);
    checkConfiguration(configuration, null, false);
    this.peer = new PeerState(scope, network, this, certificate.fingerprint, { ...configuration });
    network.add(this.peer);
    scope.books.connections.add(this);
  }

  get owner(): string {
    return this.scope.owner;
  }

  /** What its statistics tell, for tests to change. */
  get conditions(): Conditions {
    return this.peer.conditions;
  }

  get signalingState(): RTCSignalingState {
    return this.peer.signalingState;
  }

  get iceConnectionState(): RTCIceConnectionState {
    return this.peer.ice.state;
  }

  get iceGatheringState(): RTCIceGatheringState {
    return this.peer.ice.gathering;
  }

  get connectionState(): RTCPeerConnectionState {
    return this.peer.ice.connection;
  }

  get localDescription(): FakeDescription | null {
    return show(this.peer.local);
  }

  get currentLocalDescription(): FakeDescription | null {
    return show(this.peer.currentLocal);
  }

  get pendingLocalDescription(): FakeDescription | null {
    return show(this.peer.pendingLocal);
  }

  get remoteDescription(): FakeDescription | null {
    return show(this.peer.remote);
  }

  get currentRemoteDescription(): FakeDescription | null {
    return show(this.peer.currentRemote);
  }

  get pendingRemoteDescription(): FakeDescription | null {
    return show(this.peer.pendingRemote);
  }

  get canTrickleIceCandidates(): boolean | null {
    return this.peer.remote ? true : null;
  }

  get sctp(): FakeSctpTransport | null {
    return this.peer.sctp;
  }

  createOffer(options: RTCOfferOptions = {}): Promise<RTCSessionDescriptionInit> {
    return this.peer.operations.chain(async () => {
      this.requireOfferState();
      return this.draft('offer', options.iceRestart ?? false);
    });
  }

  createAnswer(): Promise<RTCSessionDescriptionInit> {
    return this.peer.operations.chain(async () => {
      requireState(this.peer, 'local', 'answer');
      return this.draft('answer', false);
    });
  }

  setLocalDescription(description?: Partial<RTCSessionDescriptionInit>): Promise<void> {
    return this.peer.operations.chain(async () => {
      const { peer } = this;
      const offering = ['stable', 'have-local-offer', 'have-remote-pranswer'].includes(peer.signalingState);
      const type = description?.type ?? (offering ? 'offer' : 'answer');
      if (type === 'rollback') {
        this.requireRollback('have-local-offer');
        await this.operate(() => applyRollback(peer));
        return;
      }
      if (type === 'pranswer') throw exception('NotSupportedError', 'the fake makes no provisional answers');
      const given = description?.sdp ?? '';
      const last = type === 'offer' ? peer.lastOffer : peer.lastAnswer;
      if (given !== '' && given !== last?.text) {
        throw exception('InvalidModificationError', 'not what createOffer or createAnswer gave last');
      }
      requireState(peer, 'local', type);
      if (given === '') await this.draft(type, false);
      await this.operate(() => {
        const draft = type === 'offer' ? peer.lastOffer : peer.lastAnswer;
        if (!draft) throw exception('OperationError', 'nothing to set');
        requireState(peer, 'local', type);
        applyLocal(peer, type, draft);
      });
    });
  }

  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    if (typeof description !== 'object' || description === null || typeof description.type !== 'string') {
      return Promise.reject(new TypeError('not a session description'));
    }
    const queued = !this.peer.operations.empty;
    return this.peer.operations.chain(async () => {
      const { peer } = this;
      const { type, sdp = '' } = description;
      if (type === 'rollback') {
        this.requireRollback('have-remote-offer');
        await this.operate(() => applyRollback(peer));
        return;
      }
      if (type === 'pranswer') throw exception('NotSupportedError', 'the fake takes no provisional answers');
      if (type !== 'offer' && type !== 'answer') throw new TypeError(`no such type: ${String(type)}`);
      // The implicit rollback of section 4.4.2.2: an offer that comes upon our own takes its place.
      if (
        type === 'offer' &&
        !isAllowed(peer, 'remote', 'offer') &&
        peer.signalingState === 'have-local-offer'
      ) {
        // DEVIATION: a first offer that is taken back before Chromium began to gather leaves it without any candidate
        // for the rest of the connection's life.
        if (queued && !peer.currentLocal && this.scope.flavour === 'chromium') peer.ice.stuck = true;
        await this.operate(() => applyRollback(peer));
      }
      await this.operate(() => {
        requireState(peer, 'remote', type);
        applyRemote(peer, type, parseSdp(sdp));
      });
    });
  }

  addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
    return addIceCandidate(this.peer, candidate);
  }

  getTransceivers(): FakeTransceiver[] {
    return [...this.peer.transceivers];
  }

  getSenders(): FakeSender[] {
    return this.visible().map((each) => each.sender);
  }

  getReceivers(): FakeReceiver[] {
    return this.visible().map((each) => each.receiver);
  }

  addTransceiver(trackOrKind: unknown, init: RTCRtpTransceiverInit = {}): FakeTransceiver {
    const track = typeof trackOrKind === 'string' ? null : trackOf(trackOrKind);
    const kind = track ? track.kind : trackOrKind;
    if (kind !== 'audio' && kind !== 'video') throw new TypeError(`no such kind: ${String(kind)}`);
    this.requireOpen();
    const direction = init.direction ?? 'sendrecv';
    if (direction === 'stopped') throw new TypeError('a transceiver cannot start stopped');
    return this.addNew(kind, direction, track, init.streams ?? []);
  }

  addTrack(value: unknown, ...streams: unknown[]): FakeSender {
    const track = trackOf(value);
    const list = streams.map(streamOf);
    this.requireOpen();
    const { transceivers } = this.peer;
    if (this.visible().some((each) => each.sender.track === track)) {
      throw exception('InvalidAccessError', 'the track is being sent already');
    }
    const free = transceivers.find(
      (each) => each.kind === track.kind && each.sender.track === null && !each.stopping && !each.everSent,
    );
    if (!free) {
      const made = this.addNew(track.kind, 'sendrecv', track, list);
      made.fromAddTrack = true;
      return made.sender;
    }
    free.sender.track = track;
    free.sender.streamIds = [...new Set(list.map((stream) => stream.id))];
    free.fromAddTrack = true;
    free.widen(receives(free.wanted) ? 'sendrecv' : 'sendonly');
    this.peer.updateNegotiationNeeded();
    return free.sender;
  }

  removeTrack(sender: FakeSender): void {
    this.requireOpen();
    const transceiver = this.peer.transceivers.find((each) => each.sender === sender);
    if (!transceiver) throw exception('InvalidAccessError', 'a sender of another connection');
    if (transceiver.stopping || sender.track === null) return;
    sender.track = null;
    if (sends(transceiver.wanted)) transceiver.widen(receives(transceiver.wanted) ? 'recvonly' : 'inactive');
    this.peer.reflow();
    this.peer.updateNegotiationNeeded();
  }

  /** Not of the standard: what a test may send on behalf of a page that breaks the rules. */
  get dataChannels(): readonly FakeDataChannel[] {
    return this.peer.channels.list;
  }

  createDataChannel(label: string, options: RTCDataChannelInit = {}): FakeDataChannel {
    this.requireOpen();
    return this.peer.channels.create(label, options);
  }

  restartIce(): void {
    const { peer } = this;
    for (const each of [peer.pendingLocal, peer.currentLocal]) {
      for (const section of each?.sdp.sections ?? []) {
        if (!section.rejected) peer.credentialsToReplace.add(section.ufrag);
      }
    }
    if (!peer.closed) peer.updateNegotiationNeeded();
  }

  getConfiguration(): RTCConfiguration {
    return { ...this.peer.configuration };
  }

  setConfiguration(configuration: RTCConfiguration = {}): void {
    this.requireOpen();
    checkConfiguration(configuration, this.peer.configuration, this.peer.local !== null);
    this.peer.configuration = { ...configuration };
  }

  /** Works on a closed connection too, in both browsers. */
  getStats(selector: unknown = null): Promise<Map<string, object>> {
    if (selector === null || selector === undefined) return this.peer.stats(null);
    const matches = this.peer.transceivers.filter(
      (each) => each.sender.track === selector || each.receiver.track === selector,
    );
    const [only] = matches;
    if (!(selector instanceof FakeTrack) || !only || matches.length > 1) {
      return Promise.reject(
        exception('InvalidAccessError', 'the selector fits no single sender or receiver'),
      );
    }
    return this.peer.stats(only);
  }

  close(): void {
    this.end(false);
  }

  /** The page is gone without a word: no alert reaches the other side. */
  vanish(): void {
    this.end(true);
  }

  private end(silent: boolean): void {
    const { peer } = this;
    if (peer.closed) return;
    this.network.remove(peer, silent);
    peer.closed = true;
    peer.signalingState = 'closed';
    for (const transceiver of peer.transceivers) {
      transceiver.stopSendingAndReceiving();
      transceiver.stopped = true;
    }
    peer.channels.close();
    if (peer.sctp) peer.sctp.state = 'closed';
    peer.dtls.state = 'closed';
    peer.ice.close();
    this.scope.books.connections.delete(this);
  }

  private visible(): FakeTransceiver[] {
    return this.peer.transceivers.filter((each) => !each.stopped || this.peer.closed);
  }

  private addNew(
    kind: TrackKind,
    direction: Direction,
    track: FakeTrack | null,
    streams: unknown[],
  ): FakeTransceiver {
    if (track) requireLive(track);
    const made = new FakeTransceiver(this.peer, kind, direction, track, streams.map(streamOf));
    this.peer.transceivers.push(made);
    this.peer.updateNegotiationNeeded();
    return made;
  }

  private requireOpen(): void {
    if (this.peer.closed)
      throw exception('InvalidStateError', "The RTCPeerConnection's signalingState is 'closed'.");
  }

  private requireOfferState(): void {
    if (['stable', 'have-local-offer'].includes(this.peer.signalingState)) return;
    throw exception('InvalidStateError', `cannot offer in ${this.peer.signalingState}`);
  }

  /** Firefox rolls a local offer back through setLocalDescription alone, a remote one through the other. */
  private requireRollback(own: RTCSignalingState): void {
    const { signalingState } = this.peer;
    if (signalingState === own) return;
    if (signalingState === 'stable' || this.scope.flavour === 'firefox') {
      throw exception('InvalidStateError', `cannot roll back in ${signalingState}`);
    }
  }

  /** One step in parallel, then a task; nothing happens on a connection closed meanwhile. */
  private operate(task: () => void): Promise<void> {
    const { scheduler, owner, delays } = this.scope;
    return scheduler.promise(owner, delays.sdp, () => {
      if (!this.peer.closed) task();
    });
  }

  private async draft(type: 'offer' | 'answer', iceRestart: boolean): Promise<RTCSessionDescriptionInit> {
    const made: { draft?: Draft } = {};
    await this.operate(() => {
      made.draft = type === 'offer' ? draftOffer(this.peer, iceRestart) : draftAnswer(this.peer);
      if (type === 'offer') this.peer.lastOffer = made.draft;
      else this.peer.lastAnswer = made.draft;
    });
    return { type, sdp: made.draft?.text ?? '' };
  }
}
