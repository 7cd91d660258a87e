/** getUserMedia (Media Capture and Streams, section 10), its prompts and its failures as the test scripts them. */
import { exception } from './errors.ts';
import { FakeStream, FakeTrack, overconstrained, type TrackKind } from './media-track.ts';
import type { Scope } from './scope.ts';

export type CaptureFailure =
  'NotAllowedError' | 'NotFoundError' | 'NotReadableError' | 'OverconstrainedError' | 'AbortError';

export interface Device {
  readonly deviceId: string;
  readonly kind: TrackKind;
  readonly label: string;
}

const KINDS: readonly TrackKind[] = ['audio', 'video'];

function exactDevice(constraints: MediaTrackConstraints | true): string | null {
  if (constraints === true) return null;
  const { deviceId } = constraints;
  if (typeof deviceId === 'object' && !Array.isArray(deviceId) && typeof deviceId.exact === 'string') {
    return deviceId.exact;
  }
  return null;
}

export class FakeMediaDevices {
  devices: Device[] = [
    { deviceId: 'mic-1', kind: 'audio', label: 'Fake microphone' },
    { deviceId: 'cam-1', kind: 'video', label: 'Fake camera' },
  ];
  /** How every request for a kind ends, until taken away. A request for both fails when either does. */
  readonly failures: Partial<Record<TrackKind, CaptureFailure>> = {};
  /** How long the person takes to answer the prompt; null draws from the seed. Infinity: nobody answers. */
  promptDelay: number | null = null;
  /** Captures made so far, for tests that count prompts. */
  requests = 0;
  private readonly live = new Set<FakeTrack>();

  constructor(private readonly scope: Scope) {}

  async getUserMedia(constraints: MediaStreamConstraints = {}): Promise<FakeStream> {
    const wanted = KINDS.filter((kind) => constraints[kind] !== undefined && constraints[kind] !== false);
    if (wanted.length === 0) throw new TypeError('at least one of audio and video must be requested');
    this.requests += 1;
    const { scheduler, random, delays, owner } = this.scope;
    const delay = this.promptDelay ?? random.between(delays.capture[0], delays.capture[1]);
    if (delay === Infinity) return new Promise(() => undefined);
    return scheduler.promise(owner, [delay, delay], () => {
      // All or nothing, decided before a device is opened: a failure leaves no track behind.
      const chosen = wanted.map((kind) => this.choose(kind, constraints[kind] ?? true));
      const tracks = chosen.map((device) => this.open(device));
      return new FakeStream(this.scope, tracks);
    });
  }

  private choose(kind: TrackKind, constraints: boolean | MediaTrackConstraints): Device {
    const failure = this.failures[kind];
    if (failure === 'OverconstrainedError') throw overconstrained('deviceId');
    if (failure) throw exception(failure, `scripted for ${kind}`);
    const present = this.devices.filter((device) => device.kind === kind);
    const exact = exactDevice(constraints === false ? true : constraints);
    if (present.length === 0) throw exception('NotFoundError', `no ${kind} device`);
    const device = exact === null ? present[0] : present.find((each) => each.deviceId === exact);
    if (!device) throw overconstrained('deviceId');
    return device;
  }

  private open(device: Device): FakeTrack {
    const video = device.kind === 'video' ? { width: 640, height: 480, frameRate: 30 } : {};
    const { deviceId, label } = device;
    const track = new FakeTrack(this.scope, device.kind, 'captured', { deviceId, label, settings: video });
    this.live.add(track);
    return track;
  }

  /** The device is pulled out: it leaves the list and its tracks end. */
  unplug(kind: TrackKind): void {
    const gone = this.devices.filter((device) => device.kind === kind);
    this.devices = this.devices.filter((device) => device.kind !== kind);
    for (const track of this.live) {
      if (track.readyState === 'ended') this.live.delete(track);
      else if (gone.some((device) => device.deviceId === track.deviceId)) track.end();
    }
  }

  plug(kind: TrackKind): void {
    const count = this.devices.filter((device) => device.kind === kind).length + 1;
    const deviceId = `${kind === 'audio' ? 'mic' : 'cam'}-${count}`;
    this.devices = [...this.devices, { deviceId, kind, label: `Fake ${kind} device ${count}` }];
  }
}
