/**
 * Decides when a connection needs help, and which. Browsers notice a dead path after 5 to 10 s and tell nothing of a
 * shorter one; here silence is noticed by its bytes. Whoever made the first offer repairs; the other side does so a
 * moment later, if nothing has happened by then: its own offer is how it asks, and glare is settled by negotiation.
 */
import { Scope } from '../../util/scope.ts';

/** Nothing arrives for so long: ask for a sign of life; nothing still: the path is dead. Milliseconds. */
const ASK_AFTER = 900;
const SILENT_AFTER = 2_300;
/** Whoever cannot be asked sends reports of what arrives there at least: so long without any means a dead path, too. */
const MUTE_AFTER = 10_000;
/** Milliseconds between two readings at most while nothing is late, hidden pages included. */
const READING_PACE = 2_000;
/** How much later than its owner the other side repairs. */
const NOT_OWNER = 1_500;
/** Waits between repairs; the last one repeats. */
const WAITS: readonly number[] = [4_000, 4_000, 5_000, 8_000, 10_000];
/** What was just agreed on is given so long to bring the path back. */
const AGREED_WAIT = 3_000;
/** What waited at the relay is told first, and a path that came back with it is noticed. Milliseconds. */
const LISTEN = 300;
/** The wait where there never was a path: one may appear when somebody changes networks. */
const HOPELESS_WAIT = 30_000;
/** Every so manieth repair is a new connection: after a failure Firefox's data may stay dead for good. */
const REBUILD_EVERY = 3;
/** A first connection that is not up so long after its first check will not come up by itself. */
const FIRST_DEADLINE = 15_000;
/** A data channel that does not open within so long of a connection that is up will not open by itself. */
const CHANNEL_DEADLINE = 8_000;
/**
 * How long the other side's word may take once the path is back: a channel says what was lost again later and later, so
 * that on a thin line it may be 4 s late.
 */
const VERIFY_TIMEOUT = 8_000;

export interface HealthHooks {
  /** This side made the first offer. */
  owner(): boolean;
  /** The peer is one of ours, and its channel is not open. */
  mute(): boolean;
  /** Asks the peer for a sign of life; false where the peer knows no such thing. */
  ask(): boolean;
  /** Whether the peer could be told of a repair now. */
  reachable(): boolean;
  /** @param changed the network did, so that whatever was gathered before may be of no use */
  restart(changed: boolean): void;
  /** @returns false where a new connection could not be agreed on now */
  rebuild(): boolean;
  /** Nothing comes through although the browser has not noticed yet, or does again. */
  silent(is: boolean): void;
  /** No first connection within its time. @returns false when it has to be given more, or was begun anew */
  unreachable(): boolean;
  now(): number;
  after(ms: number, callback: () => void): () => void;
}

export class Health {
  readonly #hooks: HealthHooks;

  #state: RTCPeerConnectionState = 'new';
  #everUp = false;
  /** Milliseconds from the start to the first `connected`. */
  #took = 0;
  #started = 0;
  #hopeless = false;
  readonly #scope = new Scope();
  #bytes = -1;
  /** When bytes arrived last, and when it was looked last. */
  #heard = 0;
  #read = 0;
  #silent = false;
  /** Since all was well. */
  #troubled = false;
  #broken = false;
  #repairs = 0;
  #cancelRepair: (() => void) | null = null;
  #cancelDeadline: (() => void) | null = null;
  #cancelVerify: (() => void) | null = null;
  #awaiting = false;
  /** A repair waits for a way to tell the peer of it. */
  #due = false;

  constructor(hooks: HealthHooks) {
    this.#hooks = hooks;
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** Something arrived lately: a browser may say `disconnected` for some seconds more. */
  get flowing(): boolean {
    return this.#everUp && !this.#silent && this.#hooks.now() - this.#heard < SILENT_AFTER;
  }

  /** There is somebody at the other end from now on, or only now something to check. */
  start(): void {
    this.#started ||= this.#hooks.now();
    this.#cancelDeadline?.();
    this.#cancelDeadline = this.#after(FIRST_DEADLINE, () => {
      if (this.#everUp) return;
      this.#hopeless = this.#hooks.unreachable();
      if (!this.#hopeless) this.start();
    });
  }

  /** The connection's combined state changed. */
  connection(state: RTCPeerConnectionState): void {
    this.#state = state;
    if (state === 'connected') {
      this.#heard = this.#hooks.now();
      if (!this.#everUp) this.#took = this.#heard - this.#started;
      this.#everUp = true;
      this.#hopeless = false;
      this.#recovered();
    } else if (state === 'disconnected' || state === 'failed') this.#trouble();
    // Checks of an ICE restart may come to nothing.
    else if (state === 'connecting' && this.#everUp && !this.#cancelRepair)
      this.#await(this.#patient(AGREED_WAIT));
  }

  /** @param bytes received so far over the whole connection */
  reading(bytes: number): void {
    const now = this.#hooks.now();
    // Time in which nobody looked, since the page slept or has too much to do, says nothing about the peer.
    this.#heard += Math.max(0, now - this.#read - READING_PACE);
    this.#read = now;
    const quiet = now - this.#heard;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#heard = now;
      if (this.#state === 'disconnected' || (this.#silent && this.#state === 'connected')) this.#recovered();
      // Over before it was noticed. Whoever may be asked is never quiet for so long.
      else if (quiet >= SILENT_AFTER && this.#hooks.ask()) this.#hooks.silent(false);
      return;
    }
    const asks = this.#state === 'connected' && quiet >= ASK_AFTER && this.#hooks.ask();
    if (!asks && this.#state !== 'disconnected' && quiet < MUTE_AFTER) return;
    if (quiet < SILENT_AFTER || this.#silent) return;
    this.#silent = true;
    this.#hooks.silent(true);
    this.#trouble();
  }

  /** The network changed under the page: what was there before may be gone, and only this side knows. */
  nudge(): void {
    // A first attempt that is under way has met the new network already.
    if (!this.#everUp && !this.#cancelRepair) return;
    this.#repair(true);
  }

  /**
   * The peer can be told of repairs again.
   * @param wait how long it may take to begin anew by itself (ms), which no repair must come upon
   */
  reached(wait?: number): void {
    if (wait ? !this.#cancelRepair : !this.#due) return;
    this.#due = false;
    this.#await(wait ?? LISTEN);
  }

  /** A description is applied, or was: another repair on top of it would only begin the checks of paths anew. */
  agreed(): void {
    if (this.#cancelRepair && !this.#broken) this.#await(this.#patient(AGREED_WAIT));
  }

  /** The connection cannot be negotiated any more, or the peer closed it: nothing but a new one helps. */
  broken(wait = 0): void {
    this.#broken = true;
    this.#trouble(wait);
  }

  /** The peer gave a sign of life over its channel. */
  answered(): void {
    this.#cancelVerify?.();
    this.#cancelVerify = null;
  }

  stop(): void {
    this.#scope.end();
  }

  /** Media may be up and the data channel dead for good. */
  awaitChannel(): void {
    if (this.#awaiting || !this.#hooks.mute()) return;
    this.#awaiting = true;
    this.#after(this.#patient(CHANNEL_DEADLINE) + this.#turn, () => {
      this.#awaiting = false;
      if (!this.#hooks.mute()) return;
      // In trouble of another kind it is repaired anyway, and waited for anew.
      if (this.#state !== 'connected' || this.#silent || !this.#hooks.rebuild()) this.awaitChannel();
    });
  }

  #after(ms: number, callback: () => void): () => void {
    return this.#scope.after(this.#hooks, ms, callback);
  }

  get #turn(): number {
    return this.#hooks.owner() ? 0 : NOT_OWNER;
  }

  #trouble(wait = 0): void {
    this.#troubled = true;
    this.#cancelRepair ??= this.#after(this.#patient(wait) + this.#turn, () => this.#repair());
  }

  #repair(changed = false): void {
    const wait = this.#hopeless ? HOPELESS_WAIT : WAITS[Math.min(this.#repairs, WAITS.length - 1)]!;
    this.#await(this.#patient(wait));
    // What nobody can be told of only gathers in the dark, where Firefox asks its TURN server more and more rarely.
    this.#due = !changed && !this.#hooks.reachable();
    if (this.#due) return;
    this.#repairs += 1;
    const restart = !this.#broken && this.#repairs % REBUILD_EVERY > 0;
    if (restart || !this.#hooks.rebuild()) this.#hooks.restart(changed);
  }

  /** Repairs after `wait`, unless all is well by then. */
  #await(wait: number): void {
    this.#troubled = true;
    this.#cancelRepair?.();
    this.#cancelRepair = this.#after(wait, () => {
      this.#cancelRepair = null;
      if (this.#broken || this.#silent || !this.#isUp) this.#repair();
    });
  }

  get #isUp(): boolean {
    return this.#state === 'connected' || (this.#state === 'disconnected' && this.flowing);
  }

  /** Two machines that took long to connect take as long again: more attempts would only add to what they have to do. */
  #patient(wait: number): number {
    return wait && Math.max(wait, this.#took * 2);
  }

  #recovered(): void {
    if (!this.#troubled) return;
    this.#troubled = this.#silent = false;
    this.#hooks.silent(false);
    // A path that is back mends no connection that is of no use without its channel.
    if (this.#broken) return;
    this.#cancelRepair?.();
    this.#cancelRepair = null;
    if (!this.#repairs) return;
    this.#repairs = 0;
    // Media may be back while the data channel stays dead.
    if (!this.#hooks.ask()) return;
    this.#cancelVerify ??= this.#after(this.#patient(VERIFY_TIMEOUT), () => {
      this.#cancelVerify = null;
      this.#hooks.rebuild();
    });
  }
}
