/**
 * getUserMedia (Media Capture and Streams, section 10), the list of devices (section 9) and getDisplayMedia (Screen
 * Capture), their prompts and their failures as the test scripts them.
 */
import { exception } from './errors.ts';
import { FakeStream, FakeTrack, overconstrained, type TrackKind } from './media-track.ts';
import type { Scope } from './scope.ts';

export type CaptureFailure =
  'NotAllowedError' | 'NotFoundError' | 'NotReadableError' | 'OverconstrainedError' | 'AbortError';

export type DisplayFailure = 'NotAllowedError' | 'InvalidStateError' | 'NotReadableError';

export interface Device {
  readonly deviceId: string;
  readonly kind: TrackKind | 'output';
  readonly label: string;
  readonly facingMode?: 'user' | 'environment';
}

const KINDS: readonly TrackKind[] = ['audio', 'video'];
const NAMES = { audio: 'audioinput', video: 'videoinput', output: 'audiooutput' } as const;

function exactly(
  constraints: boolean | MediaTrackConstraints,
  name: 'deviceId' | 'facingMode',
): string | null {
  const value = typeof constraints === 'object' ? constraints[name] : undefined;
  const exact = typeof value === 'object' && !Array.isArray(value) ? value.exact : undefined;
  return typeof exact === 'string' ? exact : null;
}

export class FakeMediaDevices {
  devices: Device[] = [
    { deviceId: 'mic-1', kind: 'audio', label: 'Fake microphone' },
    { deviceId: 'cam-1', kind: 'video', label: 'Fake camera' },
  ];
  /** How every request for a kind ends, until taken away. A request for both fails when either does. */
  readonly failures: Partial<Record<TrackKind, CaptureFailure>> = {};
  /** How every request for a screen ends, until taken away. */
  displayFailure: DisplayFailure | null = null;
  /** Whether a shared screen comes with its sound. */
  displaySound = true;
  /** As on a phone: while one device of this kind is open, no other can be. */
  readonly single = new Set<TrackKind>();
  /** How long the person takes to answer the prompt; null draws from the seed. Infinity: nobody answers. */
  promptDelay: number | null = null;
  /** Captures made so far, for tests that count prompts. */
  requests = 0;
  /** What was asked for, in order. */
  readonly asked: MediaStreamConstraints[] = [];
  /** The screens that are being shared, for tests that end one from the browser's own bar. */
  readonly displays: FakeTrack[] = [];
  private readonly live = new Set<FakeTrack>();
  private readonly watchers = new Set<{ callback: () => void }>();
  private permitted = false;

  constructor(private readonly scope: Scope) {}

  async getUserMedia(constraints: MediaStreamConstraints = {}): Promise<FakeStream> {
    const wanted = KINDS.filter((kind) => constraints[kind] !== undefined && constraints[kind] !== false);
    if (wanted.length === 0) throw new TypeError('at least one of audio and video must be requested');
    this.requests += 1;
    this.asked.push(constraints);
    return this.prompt(() => {
      // All or nothing, decided before a device is opened: a failure leaves no track behind.
      const chosen = wanted.map((kind) => this.choose(kind, constraints[kind] ?? true));
      this.permitted = true;
      return chosen.map((device) => this.open(device));
    });
  }

  async getDisplayMedia(options: DisplayMediaStreamOptions = {}): Promise<FakeStream> {
    if (this.displayFailure === 'InvalidStateError') throw exception('InvalidStateError', 'no gesture');
    return this.prompt(() => {
      if (this.displayFailure) throw exception(this.displayFailure, 'scripted for the screen');
      const kinds = KINDS.filter((kind) => kind === 'video' || (options.audio && this.displaySound));
      const tracks = kinds.map((kind) => new FakeTrack(this.scope, kind, 'captured', { label: 'Screen' }));
      this.displays.push(...tracks);
      return tracks;
    });
  }

  /** Ids and labels come with the permission. */
  enumerateDevices(): Promise<MediaDeviceInfo[]> {
    const { scheduler, delays, owner } = this.scope;
    return scheduler.promise(owner, delays.compute, () =>
      this.devices.map(({ deviceId, kind, label }) => {
        const told = this.permitted ? { deviceId, label } : { deviceId: '', label: '' };
        return { ...told, kind: NAMES[kind], groupId: '', toJSON: () => ({}) };
      }),
    );
  }

  /** `devicechange`. */
  watch(callback: () => void): () => void {
    const watcher = { callback };
    this.watchers.add(watcher);
    this.scope.books.listeners.add(watcher);
    return () => {
      this.watchers.delete(watcher);
      this.scope.books.listeners.delete(watcher);
    };
  }

  private prompt(answer: () => FakeTrack[]): Promise<FakeStream> {
    const { scheduler, random, delays, owner } = this.scope;
    const delay = this.promptDelay ?? random.between(delays.capture[0], delays.capture[1]);
    if (delay === Infinity) return new Promise(() => undefined);
    return scheduler.promise(owner, [delay, delay], () => new FakeStream(this.scope, answer()));
  }

  private choose(kind: TrackKind, constraints: boolean | MediaTrackConstraints): Device {
    const failure = this.failures[kind];
    if (failure === 'OverconstrainedError') throw overconstrained('deviceId');
    if (failure) throw exception(failure, `scripted for ${kind}`);
    const present = this.devices.filter((device) => device.kind === kind);
    if (present.length === 0) throw exception('NotFoundError', `no ${kind} device`);
    const id = exactly(constraints, 'deviceId');
    const facing = exactly(constraints, 'facingMode');
    const device = present.find(
      (each) => (id === null || each.deviceId === id) && (facing === null || each.facingMode === facing),
    );
    if (!device) throw overconstrained(id === null ? 'facingMode' : 'deviceId');
    const others = [...this.live].filter((track) => track.readyState === 'live' && track.kind === kind);
    if (this.single.has(kind) && others.some(({ deviceId }) => deviceId !== device.deviceId))
      throw exception('NotReadableError', 'another one is open');
    return device;
  }

  private open({ deviceId, kind, label, facingMode }: Device): FakeTrack {
    const video = kind === 'video' ? { width: 640, height: 480, frameRate: 30 } : {};
    const settings = { ...video, ...(facingMode ? { facingMode } : {}) };
    const track = new FakeTrack(this.scope, kind as TrackKind, 'captured', { deviceId, label, settings });
    this.live.add(track);
    return track;
  }

  /** Devices are pulled out, one or all of a kind: they leave the list, their tracks end, and the page is told. */
  unplug(which: Device['kind'] | (string & {})): void {
    const gone = this.devices.filter(({ kind, deviceId }) => kind === which || deviceId === which);
    this.devices = this.devices.filter((device) => !gone.includes(device));
    for (const track of this.live) {
      if (track.readyState === 'ended') this.live.delete(track);
      else if (gone.some((device) => device.deviceId === track.deviceId)) track.end();
    }
    this.changed();
  }

  plug(kind: Device['kind'], deviceId?: string, more: Partial<Device> = {}): void {
    const count = this.devices.filter((device) => device.kind === kind).length + 1;
    const name = { audio: 'mic', video: 'cam', output: 'speaker' }[kind];
    const id = deviceId ?? `${name}-${count}`;
    this.devices = [...this.devices, { deviceId: id, kind, label: `Fake ${kind} device ${id}`, ...more }];
    this.changed();
  }

  private changed(): void {
    for (const { callback } of this.watchers)
      this.scope.scheduler.schedule('work', 0, this.scope.owner, callback);
  }
}
