/** MediaStreamTrack (Media Capture and Streams, section 4.3), as far as the core and its tests use it. */
import { exception } from './errors.ts';
import { eventWith, FakeEventTarget } from './events.ts';
import type { Scope } from './scope.ts';

export type TrackKind = 'audio' | 'video';
/** Captured tracks hold a device and count as leaks while live; remote ones end with their connection. */
export type TrackOrigin = 'captured' | 'remote';

export interface TrackOptions {
  readonly id?: string;
  readonly label?: string;
  readonly deviceId?: string;
  readonly settings?: MediaTrackSettings;
}

export class FakeTrack extends FakeEventTarget {
  readonly id: string;
  readonly label: string;
  readonly deviceId: string;
  enabled = true;
  contentHint = '';
  /** How loud it is, root mean square. */
  level = 0;
  muted = false;
  readyState: MediaStreamTrackState = 'live';
  onended: ((event: Event) => void) | null = null;
  onmute: ((event: Event) => void) | null = null;
  onunmute: ((event: Event) => void) | null = null;
  private constraints: MediaTrackConstraints = {};
  private readonly settings: MediaTrackSettings;

  constructor(
    private readonly scope: Scope,
    readonly kind: TrackKind,
    readonly origin: TrackOrigin,
    options: TrackOptions = {},
  ) {
    super(['ended', 'mute', 'unmute']);
    this.id = options.id ?? scope.random.uuid();
    this.label = options.label ?? `${origin} ${kind}`;
    this.deviceId = options.deviceId ?? `${kind}-default`;
    this.settings = { ...options.settings, deviceId: this.deviceId };
    this.muted = origin === 'remote';
    if (origin === 'captured') scope.books.tracks.add(this);
  }

  /** Stopping is the page's own doing: no `ended` event. */
  stop(): void {
    if (this.readyState === 'ended') return;
    this.readyState = 'ended';
    this.scope.books.tracks.delete(this);
  }

  /** Ended by something else (device lost, permission revoked, transceiver stopped): the event fires. */
  end(): void {
    if (this.readyState === 'ended') return;
    this.stop();
    this.emit('ended');
  }

  setMuted(muted: boolean): void {
    if (this.muted === muted || this.readyState === 'ended') return;
    this.muted = muted;
    this.emit(muted ? 'mute' : 'unmute');
  }

  clone(): FakeTrack {
    const copy = new FakeTrack(this.scope, this.kind, this.origin, {
      label: this.label,
      deviceId: this.deviceId,
      settings: this.settings,
    });
    copy.enabled = this.enabled;
    copy.muted = this.muted;
    copy.contentHint = this.contentHint;
    if (this.readyState === 'ended') copy.stop();
    return copy;
  }

  getSettings(): MediaTrackSettings {
    return { ...this.settings };
  }

  getConstraints(): MediaTrackConstraints {
    return this.constraints;
  }

  getCapabilities(): MediaTrackCapabilities {
    return { deviceId: this.deviceId };
  }

  async applyConstraints(constraints: MediaTrackConstraints = {}): Promise<void> {
    await this.scope.scheduler.promise(this.scope.owner, this.scope.delays.compute, () => {
      const exact = constraints.deviceId;
      if (
        typeof exact === 'object' &&
        !Array.isArray(exact) &&
        exact.exact &&
        exact.exact !== this.deviceId
      ) {
        throw overconstrained('deviceId');
      }
      this.constraints = constraints;
    });
  }
}

/** OverconstrainedError is no DOMException in every browser: what counts is its name and `constraint`. */
export function overconstrained(constraint: string): Error {
  return Object.assign(new Error(`cannot satisfy ${constraint}`), {
    name: 'OverconstrainedError',
    constraint,
  });
}

/** The fake behind a value typed as the real thing; anything else is refused as WebIDL would. */
export function trackOf(value: unknown): FakeTrack {
  if (value instanceof FakeTrack) return value;
  throw new TypeError('parameter is not of type MediaStreamTrack');
}

/** MediaStream (Media Capture and Streams, section 4.2). */
export class FakeStream extends FakeEventTarget {
  readonly id: string;
  onaddtrack: ((event: Event) => void) | null = null;
  onremovetrack: ((event: Event) => void) | null = null;
  private readonly tracks = new Set<FakeTrack>();

  constructor(
    private readonly scope: Scope,
    tracks: readonly FakeTrack[] = [],
    id?: string,
  ) {
    super(['addtrack', 'removetrack']);
    this.id = id ?? scope.random.uuid();
    for (const track of tracks) this.tracks.add(track);
  }

  get active(): boolean {
    return [...this.tracks].some((track) => track.readyState === 'live');
  }

  getTracks(): FakeTrack[] {
    return [...this.tracks];
  }

  getAudioTracks(): FakeTrack[] {
    return this.getTracks().filter((track) => track.kind === 'audio');
  }

  getVideoTracks(): FakeTrack[] {
    return this.getTracks().filter((track) => track.kind === 'video');
  }

  getTrackById(id: string): FakeTrack | null {
    return this.getTracks().find((track) => track.id === id) ?? null;
  }

  addTrack(track: unknown): void {
    this.tracks.add(trackOf(track));
  }

  removeTrack(track: unknown): void {
    this.tracks.delete(trackOf(track));
  }

  clone(): FakeStream {
    return new FakeStream(
      this.scope,
      this.getTracks().map((track) => track.clone()),
    );
  }

  /** A change made by the connection, not by the page: that fires. */
  change(name: 'addtrack' | 'removetrack', track: FakeTrack): void {
    if (name === 'addtrack') this.tracks.add(track);
    else this.tracks.delete(track);
    this.emit(eventWith(name, { track }));
  }
}

export function streamOf(value: unknown): FakeStream {
  if (value instanceof FakeStream) return value;
  throw new TypeError('parameter is not of type MediaStream');
}

export function requireLive(track: FakeTrack): void {
  if (track.readyState === 'ended') throw exception('InvalidStateError', 'the track has ended');
}
