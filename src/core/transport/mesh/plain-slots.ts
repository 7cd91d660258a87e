/**
 * What goes to and comes from a plain (original) client. It adds tracks in order of use, so sections have no fixed
 * meaning: its sources are told apart by stream, since its camera shares the microphone's and its screen has its own.
 * It shows one picture of us, and cannot tell a picture that is off from one that froze: on one sender the screen takes
 * the camera's place, and black frames that of either.
 */
import type { Platform } from '../../platform.ts';
import type { SourceName } from '../../state/call-state.ts';
import { PlainTurns } from './plain-turns.ts';
import type { SlotStreams } from './slots.ts';

/** How often a black picture is drawn anew (ms): without new frames nobody who comes later would get one. */
const BLACK_FRAMES = 500;

type Kind = 'audio' | 'video';
const KINDS: readonly Kind[] = ['audio', 'video'];

export interface PlainSources extends SlotStreams {
  /** This module, once an original client needs it. */
  kit?: { readonly PlainSlots: typeof PlainSlots };
  /** What is being sent to everybody. */
  readonly published: ReadonlyMap<SourceName, MediaStreamTrack | null>;
  /** A picture that is all black, once somebody needs one. */
  black?: MediaStreamTrack;
}

/** A black picture, until it is stopped. */
function drawBlack(platform: Platform): MediaStreamTrack {
  const canvas = Object.assign(platform.createCanvas(), { width: 160, height: 90 });
  const context = canvas.getContext('2d')!;
  const track = canvas.captureStream().getVideoTracks()[0]!;
  const draw = () => {
    if (track.readyState === 'ended') return;
    context.fillRect(0, 0, 160, 90);
    platform.after(BLACK_FRAMES, draw);
  };
  draw();
  return track;
}

/** Names the connection that a description is of (RFC 8866, section 5.2): another number, another connection. */
const originOf = (sdp: string) => /^o=\S+ (\d+)/m.exec(sdp)?.[1];

/** The stream of every section that sends, by its mid. */
function streamsOf(description: RTCSessionDescription | null): Map<string, string> {
  const streams = new Map<string, string>();
  for (const section of description?.sdp.split(/^m=/m).slice(1) ?? []) {
    const mid = /^a=mid:(\S+)/m.exec(section)?.[1];
    if (mid && /^a=send(recv|only)/m.test(section)) {
      streams.set(mid, /^a=msid:(\S+)/m.exec(section)?.[1] ?? '-');
    }
  }
  return streams;
}

export class PlainSlots {
  readonly #platform: Platform;
  readonly #pc: RTCPeerConnection;
  readonly #sources: PlainSources;

  readonly turns: PlainTurns;
  /** The section of each kind that carries ours. */
  readonly #own = new Map<Kind, RTCRtpTransceiver>();
  readonly #sent = new Map<Kind, MediaStreamTrack | null>();
  /** Their sources by section. */
  #theirs = new Map<string, SourceName>();
  /** The stream of their microphone and camera. */
  #main: string | undefined;

  constructor(platform: Platform, pc: RTCPeerConnection, sources: PlainSources) {
    this.#platform = platform;
    this.#pc = pc;
    this.#sources = sources;
    this.turns = new PlainTurns(platform, pc);
  }

  /** For the first offerer. Fires `negotiationneeded`. */
  create(): void {
    for (const kind of KINDS) {
      this.#own.set(kind, this.#pc.addTransceiver(kind, { streams: [this.#sources.main] }));
    }
    this.set();
  }

  /** Before an offer of theirs is answered: the first section of each kind carries ours too, all may carry theirs. */
  adopt(): void {
    const streams = streamsOf(this.#pc.remoteDescription);
    for (const transceiver of this.#pc.getTransceivers()) {
      const { mid, direction } = transceiver;
      if (mid === null || direction === 'stopped') continue;
      const kind = transceiver.receiver.track.kind as Kind;
      if (!this.#own.has(kind)) {
        this.#own.set(kind, transceiver);
        transceiver.sender.setStreams(this.#sources.main);
        transceiver.direction = 'sendrecv';
      } else if (direction === 'inactive' && streams.has(mid)) {
        transceiver.direction = 'recvonly';
      }
    }
    this.set();
  }

  /** Sends what is to be sent now. */
  set(): void {
    for (const [kind, { sender }] of this.#own) {
      const track = this.#track(kind);
      if (this.#sent.get(kind) === track) continue;
      this.#sent.set(kind, track);
      sender
        .replaceTrack(track)
        .catch((error: unknown) => this.#platform.log('warn', 'A track could not be sent.', error));
    }
  }

  /**
   * A description was applied. Adds a section of our own for what their offer had no room for, which an offer of theirs
   * may still use, and finds out what theirs carry.
   */
  complete(): void {
    this.#name();
    for (const kind of KINDS) {
      const track = this.#track(kind);
      if (!track || this.#own.has(kind)) continue;
      const sender = this.#pc.addTrack(track, this.#sources.main);
      const made = this.#pc.getTransceivers().find((each) => each.sender === sender);
      if (!made) continue;
      this.#own.set(kind, made);
      this.#sent.set(kind, track);
    }
  }

  /** Whether a description is of the connection which is at the other end of this one. */
  knows(sdp: string): boolean {
    const { remoteDescription } = this.#pc;
    return !remoteDescription || originOf(remoteDescription.sdp) === originOf(sdp);
  }

  remote(source: SourceName): MediaStreamTrack | null {
    const found = this.#pc.getTransceivers().find(({ mid }) => mid && this.#theirs.get(mid) === source);
    return found?.receiver.track ?? null;
  }

  /** Who sends a source; null while another one, or none, is what they see of us, unless the sender counts when `idle`. */
  sender(source: SourceName, idle = false): RTCRtpSender | null {
    const kind = source === 'mic' ? 'audio' : 'video';
    const track = this.#sources.published.get(source);
    return ((idle || (track && track === this.#track(kind))) && this.#own.get(kind)?.sender) || null;
  }

  sourceOf(mid: string): SourceName | null {
    return this.#theirs.get(mid) ?? null;
  }

  #track(kind: Kind): MediaStreamTrack | null {
    const { published } = this.#sources;
    if (kind === 'audio') return published.get('mic') ?? null;
    return (
      published.get('screen') ??
      published.get('camera') ??
      (this.#sources.black ??= drawBlack(this.#platform))
    );
  }

  #name(): void {
    const streams = streamsOf(this.#pc.remoteDescription);
    this.#theirs = new Map();
    // The microphone comes first.
    for (const kind of KINDS) {
      for (const { mid, currentDirection, receiver } of this.#pc.getTransceivers()) {
        if (receiver.track.kind !== kind || !mid || !/^(sendrecv|recvonly)$/.test(currentDirection ?? ''))
          continue;
        const stream = streams.get(mid);
        this.#main ??= stream;
        const camera = stream === this.#main;
        if (kind === 'audio') this.#theirs.set(mid, camera ? 'mic' : 'screenAudio');
        else this.#theirs.set(mid, camera ? 'camera' : 'screen');
      }
    }
  }
}
