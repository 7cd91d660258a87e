/**
 * What goes to and comes from a plain (original) client. It adds tracks in order of use, so sections have no fixed
 * meaning: its sources are told apart by stream, since its camera shares the microphone's and its screen has its own.
 * It shows one picture of us, and cannot tell a picture that is off from one that froze: on one sender the screen takes
 * the camera's place, and black frames that of either.
 */
import type { Platform } from '../../platform.ts';
import type { SourceName } from '../../state/call-state.ts';
import type { Signal } from '../transport.ts';
import type { SlotStreams } from './slots.ts';

/** How often a black picture is drawn anew (ms): without new frames nobody who comes later would get one. */
const BLACK_FRAMES = 500;
/** How long after our answer its receiver may ignore an offer for good (ms), with time to spare for the way. */
const DEAF = 100;
/** How old a description may be (ms) to have met an absence, with the time after which it is said again. */
const LATELY = 3_000;
/**
 * How long a copy of an offer, or its answer, may be under way (ms): so long, which is more than lies between two copies,
 * or half as long again as the answer before it took, up to the other.
 */
const UNDER_WAY = 3_000;
const MOST_UNDER_WAY = 10_000;

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

  /** The section of each kind that carries ours. */
  readonly #own = new Map<Kind, RTCRtpTransceiver>();
  readonly #sent = new Map<Kind, MediaStreamTrack | null>();
  /** Their sources by section. */
  #theirs = new Map<string, SourceName>();
  #answered = -Infinity;
  /** Offers of ours that went out, the same one again included, less the answers that came: some of both are lost. */
  #copies = 0;
  /** When the first and the last of them went out. */
  #asked = 0;
  #offered = -Infinity;
  #patience = UNDER_WAY;
  /** Our last answer and the candidates after it; after an offer of ours its candidates alone. */
  #lately: Signal[] = [];
  #forgetHeld: (() => void) | null = null;
  /** The stream of their microphone and camera. */
  #main: string | undefined;

  constructor(platform: Platform, pc: RTCPeerConnection, sources: PlainSources) {
    this.#platform = platform;
    this.#pc = pc;
    this.#sources = sources;
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

  /**
   * A signal is about to go out.
   * @returns how long it has to wait (ms): an impolite original is deaf to an offer right after an answer
   */
  sends(signal: Signal): number {
    const now = this.#platform.now();
    if (signal.kind === 'offer') {
      if (now < this.#answered + DEAF) return DEAF;
      if (!this.#underWay) this.#asked = now;
      this.#copies += 1;
      this.#offered = now;
      this.#lately = [];
      return 0;
    }
    if (signal.kind === 'answer') {
      this.#answered = now;
      this.#lately = [signal];
    } else this.#lately = [...this.#lately, signal];
    return 0;
  }

  /**
   * What it may lack after an absence: servers drop signals to it while its microphone is switched, and it asks for
   * nothing twice. What is older it has, or has given up waiting for.
   */
  get lost(): readonly Signal[] {
    const recent = this.#platform.now() < Math.max(this.#answered, this.#offered) + LATELY;
    return recent && this.#pc.signalingState === 'stable' ? this.#lately : [];
  }

  /**
   * A polite original that has made an offer, and is then reached by a copy of one of ours, takes its own back without a
   * word, answers, and makes another. So while a copy may be under way its offer waits, and an answer makes it void:
   * what answers it would be taken for an answer to the next one.
   * @returns whether it waits
   */
  holds(signal: Signal, polite: boolean, deliver: () => void): boolean {
    if (signal.kind === 'candidate') return false;
    this.close();
    const now = this.#platform.now();
    if (signal.kind === 'answer') {
      this.#copies = Math.max(0, this.#copies - 1);
      this.#patience = Math.min(Math.max(UNDER_WAY, 1.5 * (now - this.#asked)), MOST_UNDER_WAY);
    } else if (!polite && this.#underWay) {
      const wait = this.#offered + this.#patience - now;
      this.#forgetHeld = this.#platform.after(wait, deliver);
      return true;
    }
    return false;
  }

  close(): void {
    this.#forgetHeld?.();
    this.#forgetHeld = null;
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

  /** Who sends a source; null while another one, or none, is what they see of us. */
  sender(source: SourceName): RTCRtpSender | null {
    const kind = source === 'mic' ? 'audio' : 'video';
    const track = this.#sources.published.get(source);
    return (track && track === this.#track(kind) && this.#own.get(kind)?.sender) || null;
  }

  sourceOf(mid: string): SourceName | null {
    return this.#theirs.get(mid) ?? null;
  }

  get #underWay(): boolean {
    return this.#copies > 0 && this.#platform.now() < this.#offered + this.#patience;
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
