/** RTCRtpTransceiver, RTCRtpSender and RTCRtpReceiver (WebRTC 1.0 sections 5.2 to 5.4). */
import { exception } from '../errors.ts';
import { FakeTrack, streamOf, trackOf, type FakeStream, type TrackKind } from '../media-track.ts';
import { receives, sends, type Direction } from './sdp.ts';
import { FlowMeter, Tally } from './stats.ts';
import type { PeerState } from './state.ts';
import type { FakeDtlsTransport } from './transports.ts';

export class FakeSender {
  readonly dtmf = null;
  readonly meter = new FlowMeter();
  readonly tally = new Tally();
  transport: FakeDtlsTransport | null = null;
  track: FakeTrack | null;
  streamIds: string[];
  /** The name of its media in descriptions, which replaceTrack does not change. */
  readonly id: string;
  private encodings: RTCRtpEncodingParameters[] = [{ active: true }];
  private lastReturned: string | null = null;

  constructor(
    private readonly peer: PeerState,
    private readonly transceiver: () => FakeTransceiver,
    track: FakeTrack | null,
    streams: readonly FakeStream[],
  ) {
    this.track = track;
    this.id = track?.id ?? peer.scope.random.uuid();
    this.streamIds = [...new Set(streams.map((stream) => stream.id))];
  }

  async replaceTrack(withTrack: unknown): Promise<void> {
    const track = withTrack === null ? null : trackOf(withTrack);
    const transceiver = this.transceiver();
    if (track && track.kind !== transceiver.kind) throw new TypeError('the track is of the other kind');
    return this.peer.operations.chain(() => {
      if (transceiver.stopping) throw exception('InvalidStateError', 'the transceiver is stopped');
      const { scheduler, delays, owner } = this.peer.scope;
      return scheduler.promise(owner, delays.replaceTrack, () => {
        if (this.peer.closed) return;
        this.track = track;
        this.peer.reflow();
      });
    });
  }

  setStreams(...streams: unknown[]): void {
    if (this.peer.closed) throw exception('InvalidStateError', 'The connection is closed.');
    const ids = new Set(streams.map((stream) => streamOf(stream).id));
    this.streamIds = [...ids];
    this.peer.updateNegotiationNeeded();
  }

  getParameters(): RTCRtpSendParameters {
    const transactionId = this.lastReturned ?? this.peer.scope.random.text(8);
    if (this.lastReturned === null) {
      this.lastReturned = transactionId;
      // Parameters are good for one task only (section 5.2, getParameters step 8).
      this.peer.scope.scheduler.schedule('work', 0, this.peer.scope.owner, () => (this.lastReturned = null));
    }
    return {
      transactionId,
      encodings: this.encodings.map((encoding) => ({ ...encoding })),
      codecs: [],
      headerExtensions: [],
      rtcp: { cname: 'fake', reducedSize: false },
    };
  }

  async setParameters(parameters: RTCRtpSendParameters): Promise<void> {
    if (this.transceiver().stopping) throw exception('InvalidStateError', 'the transceiver is stopped');
    if (this.lastReturned === null)
      throw exception('InvalidStateError', 'getParameters was not called before');
    if (parameters.transactionId !== this.lastReturned) {
      throw exception('InvalidModificationError', 'parameters of another getParameters');
    }
    if (parameters.encodings.length !== this.encodings.length) {
      throw exception('InvalidModificationError', 'the number of encodings cannot change');
    }
    if (parameters.encodings.some((each) => (each.scaleResolutionDownBy ?? 1) < 1)) {
      throw new RangeError('scaleResolutionDownBy must be at least 1');
    }
    this.lastReturned = null;
    const encodings = parameters.encodings.map((encoding) => ({ ...encoding }));
    const { scheduler, delays, owner } = this.peer.scope;
    await scheduler.promise(owner, delays.compute, () => {
      this.encodings = encodings;
      this.peer.reflow();
    });
  }

  /** The encoding as set, for tests. */
  get encoding(): RTCRtpEncodingParameters {
    return this.encodings[0] ?? {};
  }

  getStats(): Promise<Map<string, object>> {
    return this.peer.stats(this.transceiver());
  }
}

export class FakeReceiver {
  readonly meter = new FlowMeter();
  readonly tally = new Tally();
  transport: FakeDtlsTransport | null = null;
  jitterBufferTarget: number | null = null;
  streams: FakeStream[] = [];

  constructor(
    private readonly peer: PeerState,
    private readonly transceiver: () => FakeTransceiver,
    readonly track: FakeTrack,
  ) {}

  getStats(): Promise<Map<string, object>> {
    return this.peer.stats(this.transceiver());
  }

  getContributingSources(): RTCRtpContributingSource[] {
    return [];
  }

  getSynchronizationSources(): RTCRtpSynchronizationSource[] {
    return [];
  }
}

export class FakeTransceiver {
  readonly sender: FakeSender;
  readonly receiver: FakeReceiver;
  mid: string | null = null;
  /** Where its section stands in the description, once it has one. */
  index: number | null = null;
  current: Direction | null = null;
  fired: Direction | null = null;
  receptive = false;
  stopping = false;
  stopped = false;
  everSent = false;
  /** addTrack made it, or took it over: a remote offer may use it (RFC 9429 section 5.10). */
  fromAddTrack = false;

  constructor(
    private readonly peer: PeerState,
    readonly kind: TrackKind,
    private wish: Direction,
    track: FakeTrack | null,
    streams: readonly FakeStream[],
    remoteTrackId?: string,
  ) {
    this.sender = new FakeSender(peer, () => this, track, streams);
    const options = remoteTrackId === undefined ? {} : { id: remoteTrackId };
    this.receiver = new FakeReceiver(peer, () => this, new FakeTrack(peer.scope, kind, 'remote', options));
  }

  get direction(): RTCRtpTransceiverDirection {
    return this.stopping ? 'stopped' : this.wish;
  }

  set direction(value: RTCRtpTransceiverDirection) {
    if (this.stopping) throw exception('InvalidStateError', 'the transceiver is stopped');
    if (this.peer.closed) throw exception('InvalidStateError', 'The connection is closed.');
    if (value === 'stopped') throw new TypeError('use stop()');
    if (value === this.wish) return;
    this.wish = value;
    this.peer.updateNegotiationNeeded();
  }

  get currentDirection(): RTCRtpTransceiverDirection | null {
    return this.stopped ? 'stopped' : this.current;
  }

  get wanted(): Direction {
    return this.wish;
  }

  /** addTrack widens the direction without the setter's checks. */
  widen(value: Direction): void {
    this.wish = value;
  }

  stop(): void {
    if (this.peer.closed) throw exception('InvalidStateError', 'The connection is closed.');
    if (this.stopping) return;
    this.stopSendingAndReceiving();
    this.peer.updateNegotiationNeeded();
  }

  setCodecPreferences(codecs: unknown): void {
    if (!Array.isArray(codecs)) throw new TypeError('codecs must be a sequence');
  }

  stopSendingAndReceiving(): void {
    if (this.stopping) return;
    this.stopping = true;
    this.receptive = false;
    // In a task of its own: right after stop() the track is live still, in both browsers.
    const { scheduler, owner } = this.peer.scope;
    scheduler.schedule('work', 0, owner, () => this.receiver.track.end());
    this.peer.reflow();
  }

  /** The negotiated end (section 5.4, "stop the RTCRtpTransceiver"). */
  finish(): void {
    this.stopSendingAndReceiving();
    this.receiver.track.end();
    this.stopped = true;
    this.current = null;
  }

  negotiated(value: Direction): void {
    this.current = value;
    if (sends(value)) this.everSent = true;
    this.receptive = receives(value);
  }
}
