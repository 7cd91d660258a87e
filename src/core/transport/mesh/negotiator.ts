/**
 * Perfect negotiation (W3C WebRTC 1.0, section 10.7) for one connection: both sides may offer at any time, the polite
 * one yields on glare, the impolite one ignores. What arrives is handled one message at a time.
 */
import { SerialQueue } from '../../util/async.ts';
import type { Signal } from '../transport.ts';

/** Candidates that may wait for the description they belong to; beyond that the oldest go, as stale. */
const QUEUED_CANDIDATES = 64;
/** What no honest peer needs: sections of one description, candidates of one connection. */
const MAX_SECTIONS = 32;
const MAX_CANDIDATES = 2_000;

export interface NegotiatorHooks {
  send(signal: Signal): void;
  /** A description is about to be applied, which takes a busy machine a while. */
  applying(): void;
  /** A remote offer is set and about to be answered. */
  adopt(): void;
  /** An offer of theirs came across ours, which stands. */
  ignored(): void;
  /** A description was applied: sections may have opened or closed. */
  settled(): void;
  /** A description was refused by the browser: the connection cannot be negotiated as it is. */
  failed(error: unknown): void;
  /** The peer breaks the rules for good. */
  misbehaved(why: string): void;
  /** Something odd that costs nothing but deserves a line in the log. */
  warn(message: string, error: unknown): void;
}

/**
 * A candidate as peers send it: JSON of `RTCIceCandidate.toJSON()`, or the bare candidate line that some clients send.
 * @returns null for anything else, and for an end-of-candidates mark
 */
export function parseCandidate(payload: string): RTCIceCandidateInit | null {
  if (!payload.startsWith('{')) {
    return payload.startsWith('candidate:') ? { candidate: payload, sdpMLineIndex: 0 } : null;
  }
  try {
    const value = JSON.parse(payload) as RTCIceCandidateInit;
    return typeof value.candidate === 'string' && value.candidate ? value : null;
  } catch {
    return null;
  }
}

/** Whether a candidate is of the ICE generation that `sdp` describes; one without a ufrag is taken for current. */
function belongsTo({ usernameFragment }: RTCIceCandidateInit, sdp: string): boolean {
  return !usernameFragment || sdp.split(/\r?\n/).includes(`a=ice-ufrag:${usernameFragment}`);
}

/**
 * The answer that settled who opens the DTLS association: it stays so (RFC 8842, 5.5). Firefox chooses anew when it has
 * rolled an offer back, which Chromium refuses, unless the offer leaves it no choice.
 */
function withKnownRole(
  offer: string,
  { currentLocalDescription: ours, currentRemoteDescription: theirs }: RTCPeerConnection,
) {
  const answer = ours?.type === 'answer' ? ours : theirs;
  const role = /^a=setup:(active|passive)/m.exec(answer?.sdp ?? '')?.[1];
  if (!role) return offer;
  const other = role === 'active' ? 'passive' : 'active';
  return offer.replace(/^a=setup:actpass/gm, `a=setup:${answer === theirs ? role : other}`);
}

/**
 * Addresses that STUN told have type preference 100, those that a check told 110 (RFC 8445, 5.1.2.1). After an ICE restart
 * Chromium meets relayed ones of the generation before as such, and a call that was direct would stay on TURN for good.
 * A priority of ten digits that begins with 16 is of the former; with 19 its preference is 117 or 118.
 */
const TOLD_BY_STUN = / 16(?=\d+ \S+ \d+ typ srflx)/g;

const mids = (sdp: string) => sdp.match(/^a=mid:.*/gm)?.join();
/** Which way every section goes. */
const directions = (sdp: string) => sdp.match(/^a=(sendrecv|sendonly|recvonly|inactive)/gm)?.join();

export class Negotiator {
  readonly #pc: RTCPeerConnection;
  readonly #polite: () => boolean;
  readonly #hooks: NegotiatorHooks;

  readonly #inbox: SerialQueue;
  #makingOffer = false;
  #ignoreOffer = false;
  #settingRemoteAnswer = false;
  /** Numbers our offers; an answer to an older one is stale. */
  #offers = 0;
  /** Numbers our descriptions; the highest one of theirs that counted. */
  #said = 0;
  #heard = 0;
  /** The number of their offer that was answered last. */
  #answered = 0;
  /** What the answer to our newest offer said of it. */
  #agreed: string | undefined;
  #candidates = 0;
  /** Candidates that came before the description they belong to. */
  #early: RTCIceCandidateInit[] = [];

  constructor(pc: RTCPeerConnection, polite: () => boolean, hooks: NegotiatorHooks) {
    this.#pc = pc;
    this.#polite = polite;
    this.#hooks = hooks;

    this.#inbox = new SerialQueue((error) => this.#fail(error));
    pc.onnegotiationneeded = () => void this.#offer();
  }

  receive({ kind, payload, ...ids }: Signal): void {
    this.#inbox.push(() => {
      if (this.#pc.signalingState === 'closed') return;
      const text = payload.replace(TOLD_BY_STUN, ' 19');
      return kind === 'candidate'
        ? this.#candidate(parseCandidate(text))
        : this.#description(kind, text, ids);
    });
  }

  /** An offer of ours that was never answered goes out again: it, or its answer, was lost on the way. */
  resend(): void {
    const pc = this.#pc;
    if (pc.signalingState === 'have-local-offer') this.#sendLocal(this.#offers);
  }

  async #offer(): Promise<void> {
    try {
      this.#makingOffer = true;
      await this.#pc.setLocalDescription();
      this.#offers += 1;
      this.#sendLocal(this.#offers);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#makingOffer = false;
    }
  }

  async #description(
    type: 'offer' | 'answer',
    sdp: string,
    { offer, seq }: Pick<Signal, 'offer' | 'seq'>,
  ): Promise<void> {
    const pc = this.#pc;
    if (seq !== undefined && seq <= this.#heard) return;
    const stale = () =>
      pc.signalingState !== 'have-local-offer' ||
      // Answers of original clients have no number; one to an older offer may be of other sections.
      (offer === undefined ? mids(sdp) !== mids(pc.localDescription?.sdp ?? '') : offer !== this.#offers);
    if (type === 'answer' && stale()) {
      // Our offer was sent again, and answered otherwise the second time: over there that one counts.
      const again = pc.signalingState === 'stable' && offer !== undefined && offer === this.#offers;
      if (again && !this.#makingOffer && directions(sdp) !== this.#agreed) void this.#offer();
      return;
    }
    const readyForOffer = !this.#makingOffer && (pc.signalingState === 'stable' || this.#settingRemoteAnswer);
    this.#ignoreOffer = !this.#polite() && type === 'offer' && !readyForOffer;
    if (this.#ignoreOffer) return this.#hooks.ignored();

    // Said once more: so is its answer. Firefox, asked to take an ICE restart twice, never comes out of its checks.
    if (type === 'offer' && offer === this.#answered && pc.localDescription?.type === 'answer') {
      this.#heard = seq ?? this.#heard;
      return this.#sendLocal(offer);
    }
    if (sdp.split('\nm=').length > MAX_SECTIONS) return this.#hooks.misbehaved('too many sections');
    this.#heard = seq ?? this.#heard;
    this.#hooks.applying();
    this.#settingRemoteAnswer = type === 'answer';
    try {
      await pc.setRemoteDescription({ type, sdp: type === 'offer' ? withKnownRole(sdp, pc) : sdp });
    } finally {
      this.#settingRemoteAnswer = false;
    }
    if (type === 'answer') this.#agreed = directions(sdp);
    else {
      this.#hooks.adopt();
      // Number 1 is a connection's very first offer, and theirs: ours begin at 2.
      this.#offers ||= 1;
      await pc.setLocalDescription();
      this.#answered = offer ?? 0;
      this.#sendLocal(offer);
    }
    for (const candidate of this.#early.splice(0)) await this.#candidate(candidate);
    this.#hooks.settled();
  }

  async #candidate(candidate: RTCIceCandidateInit | null): Promise<void> {
    if ((this.#candidates += 1) > MAX_CANDIDATES) return this.#hooks.misbehaved('too many candidates');
    if (!candidate) return;
    const { remoteDescription } = this.#pc;
    if (!remoteDescription || !belongsTo(candidate, remoteDescription.sdp)) {
      this.#early.push(candidate);
      if (this.#early.length > QUEUED_CANDIDATES) this.#early.shift();
      return;
    }
    try {
      await this.#pc.addIceCandidate(candidate);
    } catch (error) {
      // One candidate that the browser cannot use costs one path, not the connection.
      if (!this.#ignoreOffer) this.#hooks.warn('A candidate was not usable.', error);
    }
  }

  /** @param offer the number of the offer that this is, or answers */
  #sendLocal(offer: number | undefined): void {
    const { localDescription } = this.#pc;
    if (!localDescription) return;
    const kind = localDescription.type === 'offer' ? 'offer' : 'answer';
    const ids = offer === undefined ? {} : { offer, seq: (this.#said += 1) };
    this.#hooks.send({ kind, payload: localDescription.sdp, ...ids });
  }

  #fail(error: unknown): void {
    if (this.#pc.signalingState !== 'closed') this.#hooks.failed(error);
  }
}
