/**
 * The four fixed transceivers of a connection: microphone, camera, screen, screen audio. Only the first offerer adds
 * them; the other side adopts the sections of the offer, since transceivers made by `addTransceiver` are never reused
 * for a remote offer (JSEP, RFC 9429 section 5.10).
 */
import { SOURCE_NAMES, type SourceName } from '../../state/call-state.ts';

/** Sources whose section is open from the start; the others carry nothing until used. */
const OPEN: readonly SourceName[] = ['mic', 'camera'];

const kindOf = (source: SourceName): 'audio' | 'video' =>
  source === 'mic' || source === 'screenAudio' ? 'audio' : 'video';

export interface SlotStreams {
  /** The microphone's and the camera's, so that a receiver knows they belong together. */
  readonly main: MediaStream;
  readonly screen: MediaStream;
}

export class Slots {
  readonly #pc: RTCPeerConnection;
  readonly #streams: SlotStreams;
  readonly #report: (error: unknown) => void;

  readonly #transceivers = new Map<SourceName, RTCRtpTransceiver>();
  readonly #tracks = new Map<SourceName, MediaStreamTrack | null>();

  constructor(
    pc: RTCPeerConnection,
    streams: SlotStreams,
    /** A track could not be handed to its sender. */
    report: (error: unknown) => void,
  ) {
    this.#pc = pc;
    this.#streams = streams;
    this.#report = report;
  }

  /** For the first offerer. Fires `negotiationneeded`. */
  create(): void {
    for (const source of SOURCE_NAMES) {
      const streams = [this.#streamOf(source)];
      const direction = this.#direction(source);
      const transceiver = this.#pc.addTransceiver(kindOf(source), { direction, streams });
      this.#transceivers.set(source, transceiver);
      const track = this.#tracks.get(source);
      if (track) this.#replace(transceiver, track);
    }
  }

  /**
   * For the answerer, after a remote offer was set and before it is answered: the n-th audio and video sections become
   * the slots.
   */
  adopt(): void {
    const taken = new Set(this.#transceivers.values());
    for (const transceiver of this.#pc.getTransceivers()) {
      if (transceiver.mid === null || transceiver.currentDirection === 'stopped' || taken.has(transceiver))
        continue;
      const { kind } = transceiver.receiver.track;
      const source = SOURCE_NAMES.find((name) => kindOf(name) === kind && !this.#transceivers.has(name));
      if (source) this.#take(source, transceiver);
    }
  }

  /** Sends `track` as `source`; null sends nothing. Renegotiates only where no section for it is open yet. */
  set(source: SourceName, wanted: MediaStreamTrack | null): void {
    // Browsers encode and send silence fifty times a second, to everybody: nothing says the same.
    const track = wanted?.enabled ? wanted : null;
    if (this.#tracks.get(source) === track) return;
    this.#tracks.set(source, track);
    const transceiver = this.#transceivers.get(source);
    if (!transceiver || transceiver.direction === 'stopped' || this.#pc.signalingState === 'closed') return;
    this.#replace(transceiver, track);
    transceiver.direction = this.#direction(source);
  }

  /** The remote track of a source, or null while its section carries nothing towards us. */
  remote(source: SourceName): MediaStreamTrack | null {
    const transceiver = this.#transceivers.get(source);
    const direction = transceiver?.currentDirection;
    return transceiver && (direction === 'sendrecv' || direction === 'recvonly')
      ? transceiver.receiver.track
      : null;
  }

  sender(source: SourceName, _idle?: boolean): RTCRtpSender | null {
    return this.#transceivers.get(source)?.sender ?? null;
  }

  /** The source that a section of the description carries. */
  sourceOf(mid: string): SourceName | null {
    return SOURCE_NAMES.find((name) => this.#transceivers.get(name)?.mid === mid) ?? null;
  }

  #take(source: SourceName, transceiver: RTCRtpTransceiver): void {
    this.#transceivers.set(source, transceiver);
    transceiver.direction = this.#direction(source);
    transceiver.sender.setStreams(this.#streamOf(source));
    const track = this.#tracks.get(source);
    if (track) this.#replace(transceiver, track);
  }

  /**
   * Whoever sends nothing stays ready to receive, so that either side opens or closes its own half with one offer, also
   * while the other does the same. What may not be in an offer: `inactive` and `sendonly`. An answer cannot send against
   * them, which Chromium then takes for settled, and Firefox renegotiates for ever (its answer names no stream).
   */
  #direction(source: SourceName): RTCRtpTransceiverDirection {
    return OPEN.includes(source) || this.#tracks.get(source) ? 'sendrecv' : 'recvonly';
  }

  #replace(transceiver: RTCRtpTransceiver, track: MediaStreamTrack | null): void {
    transceiver.sender.replaceTrack(track).catch(this.#report);
  }

  #streamOf(source: SourceName): MediaStream {
    return source === 'screen' || source === 'screenAudio' ? this.#streams.screen : this.#streams.main;
  }
}
