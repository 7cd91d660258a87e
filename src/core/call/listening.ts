/**
 * The part of a call that watches the others: who speaks, how well they are received, how large each is shown here.
 * Everybody measures their own voice and says so, which works in every browser and needs no statistics at a pace that
 * would cost something; for whoever never says so, the loudness in the statistics has to do.
 */
import type { Platform } from '../platform.ts';
import {
  participant,
  UNKNOWN_QUALITY,
  type CallState,
  type Participant,
  type Quality,
} from '../state/call-state.ts';
import type { Action } from '../state/reducer.ts';
import type { LinkStats } from '../transport/stats.ts';
import type { MediaTransport } from '../transport/transport.ts';
import { Scope } from '../util/scope.ts';
import { Meters, type Meter } from './meters.ts';
import { Received } from './received.ts';
import type { Size } from './types.ts';

/** Milliseconds between two looks at a level, and before the first: opening the sound would hold up a first picture. */
const LOOK = 200;
const BEGIN = 1_000;
/** As loud as this is speech (root mean square), so loud twice in a row; it has ended after so many milliseconds. */
const SPEECH = 0.02;
const SILENCE = 0.01;
const PAUSE = 900;
/** How long the same one stays the active speaker at least. */
const DWELL = 1_000;
/** Sizes are told together, at most this often. */
const WISHES = 300;

export interface ListeningHooks {
  readonly platform: Platform;
  state(): CallState;
  subscribe<T>(selector: (state: CallState) => T, callback: () => void): () => void;
  dispatch(action: Action): void;
}

interface Other {
  readonly received: Received;
  /** They say themselves whether they speak. */
  says: boolean;
  readonly sizes: Partial<Record<'camera' | 'screen', Map<object, Size>>>;
  wish: string;
}

export class Listening {
  readonly #hooks: ListeningHooks;
  readonly #transport: MediaTransport;
  readonly #scope = new Scope();
  readonly #meters: Meters;
  readonly #others = new Map<string, Other>();
  #stop = () => {};
  #begin = BEGIN;
  #loud = 0;
  #heardAt = -Infinity;
  #said: boolean | null = null;
  #since = -Infinity;
  #telling = false;

  constructor(hooks: ListeningHooks, transport: MediaTransport) {
    this.#hooks = hooks;
    this.#transport = transport;
    this.#meters = new Meters(hooks.platform);
    const mic = ({ participants: [self, ...others] }: CallState) =>
      others.length && self!.sources.mic.state === 'on' ? self!.sources.mic.stream : null;
    for (const stop of [
      transport.on('stats', ({ id, stats }) => this.#read(id, stats)),
      transport.on('message', ({ id, message: { t, on } }) => {
        if (t !== 'speaking') return;
        this.#other(id).says = true;
        this.#speaks(id, on === true);
      }),
      transport.on('link', ({ id, state }) => {
        if (state !== 'connected') this.#update(id, { quality: UNKNOWN_QUALITY, speaking: false });
      }),
      transport.on('limited', ({ by }) => {
        const quality: Quality = { level: by ? 'fair' : 'good', reason: by };
        this.#update('self', { quality: Object.freeze(quality) });
      }),
      hooks.subscribe(mic, () => this.#listen(mic(hooks.state()))),
      hooks.subscribe(
        ({ participants }) => participants,
        () => this.#present(),
      ),
      hooks.subscribe(
        ({ activeSpeaker }) => activeSpeaker,
        () => this.#tellSoon(),
      ),
    ])
      this.#scope.add(stop);
    this.#listen(mic(hooks.state()));
  }

  end(): void {
    this.#listen(null);
    this.#scope.end();
    this.#meters.close();
    this.#update('self', { quality: UNKNOWN_QUALITY });
  }

  show(id: string, source: 'camera' | 'screen', size: Size | null, viewer: object): void {
    const sizes = (this.#other(id).sizes[source] ??= new Map());
    if (size) sizes.set(viewer, size);
    else sizes.delete(viewer);
    this.#tellSoon();
  }

  levels(id: string, callback: (level: number) => void): () => void {
    let meter: Meter | null = null;
    let stream: MediaStream | null = null;
    let cancel = () => {};
    const look = () => {
      const mic = this.#participant(id)?.sources.mic;
      const heard = mic?.state === 'on' ? mic.stream : null;
      if (heard !== stream) {
        meter?.close();
        stream = heard;
        meter = heard && this.#meters.open(heard);
      }
      cancel = this.#hooks.platform.after(100, look);
      callback(Math.min(1, meter?.level() ?? 0));
    };
    cancel = this.#hooks.platform.after(0, look);
    return this.#scope.add(() => {
      cancel();
      meter?.close();
    });
  }

  #participant(id: string): Participant | undefined {
    return participant(this.#hooks.state(), id);
  }

  #other(id: string): Other {
    let other = this.#others.get(id);
    if (!other)
      this.#others.set(id, (other = { received: new Received(), says: false, sizes: {}, wish: '' }));
    return other;
  }

  #update(id: string, patch: Partial<Participant>): void {
    this.#hooks.dispatch({ type: 'update', id, patch });
  }

  /** Measures one's own voice. */
  #listen(stream: MediaStream | null): void {
    this.#stop();
    this.#stop = () => {};
    this.#loud = 0;
    if (this.#said) this.#say(false);
    if (!stream) return;
    const { platform } = this.#hooks;
    let meter: Meter | null = null;
    const look = () => {
      meter ??= this.#meters.open(stream);
      if (!meter) return;
      cancel = platform.after(LOOK, look);
      this.#hear(meter.level());
    };
    let cancel = platform.after(this.#begin, look);
    this.#begin = 0;
    this.#stop = () => {
      cancel();
      meter?.close();
    };
  }

  #hear(level: number | null): void {
    // Nothing is known until the browser lets sound run: the others then go by what they hear.
    if (level === null) return;
    const now = this.#hooks.platform.now();
    this.#loud = level > SPEECH ? this.#loud + 1 : 0;
    if (level > SILENCE) this.#heardAt = now;
    if (this.#loud > 1) this.#say(true);
    else if (now - this.#heardAt > PAUSE) this.#say(false);
  }

  #say(on: boolean): void {
    if (on === this.#said) return;
    this.#said = on;
    this.#transport.announce({ t: 'speaking', on });
    this.#speaks('self', on);
  }

  #speaks(id: string, on: boolean): void {
    const person = this.#participant(id);
    if (!person) return;
    const speaking = on && person.sources.mic.state === 'on';
    this.#update(id, { speaking });
    this.#elect();
  }

  /** Whoever speaks stays it until silent, and nobody takes over within a moment. */
  #elect(): void {
    const { activeSpeaker, participants } = this.#hooks.state();
    const speaking = participants.filter((each) => each.speaking);
    if (!speaking.length || speaking.some(({ id }) => id === activeSpeaker)) return;
    const now = this.#hooks.platform.now();
    if (now - this.#since < DWELL) return;
    this.#since = now;
    this.#hooks.dispatch({ type: 'speaker', id: speaking[0]!.id });
  }

  #read(id: string, stats: LinkStats): void {
    const person = this.#participant(id);
    if (person?.link !== 'connected') return;
    const other = this.#other(id);
    const watched = !other.sizes.camera || other.sizes.camera.size > 0;
    this.#update(id, { quality: other.received.read(stats, watched) });
    const level = stats.inbound.find(({ source }) => source === 'mic')?.audioLevel ?? 0;
    if (other.says) this.#elect();
    else this.#speaks(id, level > (person.speaking ? SILENCE : SPEECH) / 2);
  }

  /** Somebody came, went, or switched something. */
  #present(): void {
    const { participants } = this.#hooks.state();
    for (const id of this.#others.keys()) if (!this.#participant(id)) this.#others.delete(id);
    for (const { id, speaking, sources } of participants)
      if (speaking && sources.mic.state !== 'on') this.#update(id, { speaking: false });
    this.#tellSoon();
  }

  #tellSoon(): void {
    if (this.#telling) return;
    this.#telling = true;
    this.#scope.after(this.#hooks.platform, WISHES, () => {
      this.#telling = false;
      for (const [id, other] of this.#others) this.#tell(id, other);
    });
  }

  #tell(id: string, other: Other): void {
    const { activeSpeaker, participants } = this.#hooks.state();
    if (!this.#participant(id)) return;
    const { camera, screen } = other.sizes;
    if (!camera && !screen) return;
    const first = participants.length < 3 || [null, id, participants[0]!.id].includes(activeSpeaker);
    const message = {
      t: 'wish',
      first,
      ...(camera ? { camera: largest(camera) } : {}),
      ...(screen ? { screen: largest(screen) } : {}),
    };
    const text = JSON.stringify(message);
    if (text === other.wish) return;
    other.wish = text;
    this.#transport.announce(message, id);
  }
}

/** In steps, so that a window that is being resized says little. */
function largest(sizes: ReadonlyMap<object, Size>): [number, number] | null {
  let most: Size | null = null;
  for (const size of sizes.values())
    if (!most || size.width * size.height > most.width * most.height) most = size;
  return most && [Math.ceil(most.width / 32) * 32, Math.ceil(most.height / 18) * 18];
}
