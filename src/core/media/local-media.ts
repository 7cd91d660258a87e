/**
 * One's own microphone and camera: what is wanted, what is, and the way between. Losses are immediate, in the click
 * itself; gains wait for the device. Losing a wish on the way costs nothing: whatever arrives unwanted is stopped.
 */
import { fromCaptureError, PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { NO_SOURCE, type Source } from '../state/call-state.ts';

export type Device = 'mic' | 'camera';
const DEVICES: readonly Device[] = ['mic', 'camera'];

/** A mesh sends every picture once per person: a modest size until the receivers' wishes are known. */
const CONSTRAINTS: Readonly<Record<Device, MediaTrackConstraints>> = {
  mic: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  camera: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 }, facingMode: 'user' },
};

export interface LocalMediaHooks {
  wanted(device: Device, on: boolean): void;
  /** The source as others may see it, and the track that is to be sent (null: none). */
  changed(device: Device, source: Source, track: MediaStreamTrack | null): void;
  problem(device: Device, error: PmError | null): void;
}

interface Slot {
  wanted: boolean;
  track: MediaStreamTrack | null;
  source: Source;
  problem: PmError | null;
}

export class LocalMedia {
  readonly #platform: Platform;
  readonly #hooks: LocalMediaHooks;

  readonly #slots: Record<Device, Slot> = {
    mic: { wanted: false, track: null, source: NO_SOURCE, problem: null },
    camera: { wanted: false, track: null, source: NO_SOURCE, problem: null },
  };
  #capturing: Promise<void> | null = null;
  /** Counts releases: what was asked for before the last one is stopped on arrival. */
  #epoch = 0;

  constructor(platform: Platform, hooks: LocalMediaHooks) {
    this.#platform = platform;
    this.#hooks = hooks;
  }

  /** What is to be on, without capturing anything yet. */
  want(device: Device, on: boolean): void {
    const slot = this.#slots[device];
    if (slot.wanted === on) return;
    slot.wanted = on;
    this.#hooks.wanted(device, on);
  }

  wants(device: Device): boolean {
    return this.#slots[device].wanted;
  }

  /**
   * Switches a device. Off takes effect before this returns.
   * @throws {PmError} of the media family when it was to be on and cannot be had
   */
  async set(device: Device, on: boolean): Promise<void> {
    // Asked for once more: what went wrong before is over, and is said again if it happens again.
    this.#setProblem(device, null);
    this.want(device, on);
    if (!on) return this.#silence(device);
    await this.capture();
    const { wanted, problem } = this.#slots[device];
    if (!wanted && problem) throw problem;
  }

  /**
   * Captures whatever is wanted, in one request where that is possible, so that the person is asked once. What cannot
   * be had becomes a `problem` and is no longer wanted.
   */
  async capture(): Promise<void> {
    while (this.#capturing) await this.#capturing;
    this.#capturing = this.#captureMissing().finally(() => (this.#capturing = null));
    await this.#capturing;
  }

  /** Stops every device. The wishes stay for the next time. */
  release(): void {
    this.#epoch += 1;
    for (const device of DEVICES) this.#drop(device, NO_SOURCE);
  }

  async #captureMissing(): Promise<void> {
    const missing = DEVICES.filter((device) => this.#slots[device].wanted && !this.#resume(device));
    for (const device of missing) this.#show(device, { state: 'pending', stream: null });
    const epoch = this.#epoch;
    for (const [device, result] of await this.#request(missing)) {
      if (epoch !== this.#epoch) {
        if (!(result instanceof PmError)) result.stop();
        continue;
      }
      if (result instanceof PmError) this.#fail(device, result);
      else this.#adopt(device, result);
    }
  }

  /** One request for all, then one each: a missing camera must not cost the microphone. */
  async #request(devices: readonly Device[]): Promise<Map<Device, MediaStreamTrack | PmError>> {
    const results = new Map<Device, MediaStreamTrack | PmError>();
    if (devices.length === 0) return results;
    try {
      const stream = await this.#getUserMedia(devices);
      const [mic, camera] = [stream.getAudioTracks()[0], stream.getVideoTracks()[0]];
      if (mic) results.set('mic', mic);
      if (camera) results.set('camera', camera);
    } catch (error) {
      if (devices.length === 1) return results.set(devices[0]!, fromCaptureError(error));
      for (const device of devices) {
        for (const [each, result] of await this.#request([device])) results.set(each, result);
      }
    }
    return results;
  }

  #getUserMedia(devices: readonly Device[]): Promise<MediaStream> {
    const { mediaDevices } = this.#platform;
    if (!mediaDevices)
      throw new PmError('insecure-context', 'Browsers give devices to secure (https) pages alone.');
    const constraints: MediaStreamConstraints = {};
    if (devices.includes('mic')) constraints.audio = CONSTRAINTS.mic;
    if (devices.includes('camera')) constraints.video = CONSTRAINTS.camera;
    return mediaDevices.getUserMedia(constraints);
  }

  #adopt(device: Device, track: MediaStreamTrack): void {
    const slot = this.#slots[device];
    if (!slot.wanted) return track.stop();
    slot.track = track;
    track.onended = () => this.#lose(device);
    this.#setProblem(device, null);
    this.#show(device, { state: 'on', stream: this.#platform.createStream([track]) });
  }

  /** Takes up a muted microphone again. @returns whether the device is live now */
  #resume(device: Device): boolean {
    const { track, source } = this.#slots[device];
    if (!track) return false;
    track.enabled = true;
    this.#show(device, { state: 'on', stream: source.stream });
    return true;
  }

  #silence(device: Device): void {
    const { track, source } = this.#slots[device];
    if (!track) return this.#show(device, NO_SOURCE);
    track.enabled = false;
    // The microphone stays captured, so that talking again is immediate; the camera's light goes out.
    if (device === 'mic') this.#show(device, { state: 'silenced', stream: source.stream });
    else this.#drop(device, NO_SOURCE);
  }

  #lose(device: Device): void {
    this.#drop(device, { state: 'lost', stream: null });
    this.want(device, false);
    this.#setProblem(device, new PmError('device-not-found', `The ${device} went away.`));
  }

  #fail(device: Device, error: PmError): void {
    this.want(device, false);
    this.#show(device, NO_SOURCE);
    this.#setProblem(device, error);
  }

  #setProblem(device: Device, error: PmError | null): void {
    this.#slots[device].problem = error;
    this.#hooks.problem(device, error);
  }

  #drop(device: Device, source: Source): void {
    const slot = this.#slots[device];
    if (slot.track) {
      slot.track.onended = null;
      slot.track.stop();
      slot.track = null;
    }
    this.#show(device, source);
  }

  #show(device: Device, source: Source): void {
    const slot = this.#slots[device];
    if (slot.source.state === source.state && slot.source.stream === source.stream) return;
    slot.source = Object.freeze(source);
    this.#hooks.changed(device, slot.source, slot.track);
  }
}
