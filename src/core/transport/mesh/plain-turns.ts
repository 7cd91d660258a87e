/**
 * Whose turn it is towards a plain (original) client, which numbers nothing: copies of our offers and the answers to
 * them are counted, its own offers wait while a copy may be under way, and what it may have missed is kept.
 */
import type { Platform } from '../../platform.ts';
import type { Signal } from '../transport.ts';

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

export class PlainTurns {
  readonly #platform: Platform;
  readonly #pc: RTCPeerConnection;

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

  constructor(platform: Platform, pc: RTCPeerConnection) {
    this.#platform = platform;
    this.#pc = pc;
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

  get #underWay(): boolean {
    return this.#copies > 0 && this.#platform.now() < this.#offered + this.#patience;
  }
}
