/** One microphone or camera: what the device gives, and what is made of it to be sent. */
import type { PmError } from '../errors.ts';
import { NO_SOURCE, type Source } from '../state/call-state.ts';
import { halt } from './halt.ts';

export interface InputHooks {
  /** There is something new to be sent. */
  ready(track: MediaStreamTrack): void;
  /** The device went away. */
  lost(): void;
}

export class Input {
  readonly #hooks: InputHooks;

  wanted = false;
  source: Source = NO_SOURCE;
  problem: PmError | null = null;
  /** The device that the person wants; see `CallState.chosen`. */
  choice = '';
  /** Lost while it was on: on again as soon as there is one. */
  comeBack = false;
  /** The newest track of a device. This one is muted and stopped, whatever is made of it. */
  raw: MediaStreamTrack | null = null;
  /** What is sent; null until there is something. */
  track: MediaStreamTrack | null = null;
  /** Makes something else of the device's track, which it hands to `send`. */
  treat: ((raw: MediaStreamTrack) => Promise<PmError | null>) | null = null;
  /** Ends what is being made; see `send` for what is there. */
  giveUp: (() => void) | null = null;
  /** The change that is under way. */
  settled: Promise<PmError | null> = Promise.resolve(null);
  #end: (() => void) | null = null;

  constructor(hooks: InputHooks) {
    this.#hooks = hooks;
  }

  /** Sends what comes from `raw` from now on, or once it is treated: until then what is sent stays. */
  use(raw: MediaStreamTrack): Promise<PmError | null> {
    this.raw = raw;
    this.giveUp?.();
    this.giveUp = null;
    raw.enabled = this.wanted;
    raw.onended = () => raw === this.raw && this.#hooks.lost();
    // It may have gone while the browser opened it: nothing tells of that any more.
    if (raw.readyState === 'ended') this.#hooks.lost();
    else if (this.treat) this.settled = this.treat(raw);
    else this.send(raw, () => this.release(raw));
    return this.settled;
  }

  /** @param end ends it, once something else is sent or everything stops */
  send(track: MediaStreamTrack, end: () => void): void {
    const before = this.#end;
    this.#end = end;
    this.giveUp = null;
    this.track = track;
    this.enabled = this.wanted;
    this.#hooks.ready(track);
    before?.();
  }

  /** Stops a device, unless it is the one in use: a new treatment must not stop it. */
  release(raw: MediaStreamTrack): void {
    if (raw !== this.raw) halt(raw);
  }

  /** Silences before it returns, or takes it up again. */
  set enabled(on: boolean) {
    for (const track of [this.raw, this.track]) if (track) track.enabled = on;
  }

  /** Stops everything, now. */
  drop(): void {
    this.raw = this.track = null;
    this.giveUp?.();
    this.#end?.();
    this.giveUp = this.#end = null;
  }
}
