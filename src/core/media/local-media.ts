/**
 * One's own microphone, camera and screen: what is wanted, what is, and the way between. Losses are immediate, in the
 * click itself; gains wait for the device. Losing a wish on the way costs nothing: whatever arrives unwanted is stopped.
 */
import { PmError, toPmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { NO_SOURCE, PENDING, type Source } from '../state/call-state.ts';
import { captureAll, captureOne } from './capture.ts';
import { constraintSteps, type Device } from './constraints.ts';
import type { DeviceControl } from './device-control.ts';
import { Input } from './input.ts';
import type { Local, LocalMediaHooks } from './local.ts';

const DEVICES: readonly Device[] = ['mic', 'camera'];

export class LocalMedia implements Local {
  readonly platform: Platform;
  readonly hooks: LocalMediaHooks;

  readonly inputs: Record<Device, Input>;
  #loading: Promise<DeviceControl> | null = null;
  #control: DeviceControl | null = null;
  /** The request to the browser that is under way. */
  #busy: Promise<void> | null = null;
  /** Counts releases: what was asked for before the last one is stopped on arrival. */
  epoch = 0;

  constructor(platform: Platform, hooks: LocalMediaHooks) {
    this.platform = platform;
    this.hooks = hooks;

    const input = (device: Device) =>
      new Input({
        ready: (track) => this.#showTrack(device, platform.createStream([track])),
        lost: () => this.#lose(device),
      });
    this.inputs = { mic: input('mic'), camera: input('camera') };
  }

  /** What is to be on, without capturing anything yet. */
  want(device: Device, on: boolean): void {
    const input = this.inputs[device];
    if (input.wanted === on) return;
    input.wanted = on;
    this.hooks.wanted(device, on);
  }

  wants(device: Device): boolean {
    return this.inputs[device].wanted;
  }

  /**
   * Switches a device. Off takes effect before this returns.
   * @throws {PmError} of the media family when it was to be on and cannot be had
   */
  async set(device: Device, on: boolean): Promise<void> {
    const input = this.inputs[device];
    // Asked for once more: what went wrong before is over, and is said again if it happens again.
    this.#setProblem(device, null);
    input.comeBack = false;
    this.want(device, on);
    if (!on) return this.#silence(device);
    await this.start();
    await input.settled;
    if (!input.wanted && input.problem) throw input.problem;
  }

  /**
   * Captures whatever is wanted, in one request where that is possible, so that the person is asked once. What cannot
   * be had becomes a `problem` and is no longer wanted.
   */
  start(): Promise<void> {
    // Whoever has left while another request was under way captures nothing any more.
    const { epoch } = this;
    return this.alone(async () => (epoch === this.epoch ? this.#captureMissing() : undefined));
  }

  /** Shares the screen or stops that. @throws {PmError} see `CallLike.toggleScreen` */
  share(on: boolean): Promise<void> {
    // The browser looks for the gesture in this very call stack, so nothing is awaited that is there.
    const { epoch } = this;
    return this.#control?.share(on) ?? this.use((control) => control.share(on && epoch === this.epoch));
  }

  /** The settings of the voice changed. */
  retune(): void {
    if (this.inputs.mic.raw) this.#quietly((control) => control.retune());
  }

  /** Stops every device and the screen. The wishes stay for the next time, except for the screen. */
  release(): void {
    this.epoch += 1;
    for (const device of DEVICES) this.drop(device, NO_SOURCE);
    this.#control?.release();
  }

  /** Runs a command of the part that knows the devices. @throws {PmError} `unsupported` when it cannot be loaded */
  async use<T>(run: (control: DeviceControl) => T): Promise<Awaited<T>> {
    this.#loading ??= this.platform.work(import('./device-control.ts')).then(
      ({ DeviceControl: Control }) => (this.#control = new Control(this)),
      (error: unknown) => {
        this.#loading = null;
        throw toPmError(error, 'unsupported');
      },
    );
    return await run(await this.#loading);
  }

  /** One device, or why not. */
  capture(device: Device, choice: string, strict?: boolean): Promise<MediaStreamTrack | PmError> {
    return captureOne(this.platform, device, this.#steps(device, choice, strict));
  }

  #quietly(run: (control: DeviceControl) => unknown): void {
    this.use(run).catch((error: unknown) => this.hooks.failed(toPmError(error, 'capture-failed')));
  }

  /** One request at a time, begun in the caller's own call stack when none is under way. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    while (this.#busy) await this.#busy;
    const result = task();
    const over = () => void (this.#busy = null);
    this.#busy = result.then(over, over);
    return result;
  }

  async #captureMissing(): Promise<void> {
    const missing = DEVICES.filter((device) => this.inputs[device].wanted && !this.#resume(device));
    for (const device of missing) this.show(device, PENDING);
    const epoch = this.epoch;
    const steps = new Map(missing.map((device) => [device, this.#steps(device, this.inputs[device].choice)]));
    for (const [device, result] of await captureAll(this.platform, steps)) {
      const wanted = epoch === this.epoch && this.inputs[device].wanted;
      if (result instanceof PmError) {
        if (wanted) this.fail(device, result);
      } else if (wanted) {
        this.#setProblem(device, null);
        void this.inputs[device].use(result);
      } else result.stop();
    }
    // With the permission come the names. And what a click may need is loaded before it.
    if (epoch === this.epoch && (missing.length || !this.#control))
      this.#quietly((control) => epoch === this.epoch && control.watch());
  }

  #steps(device: Device, choice: string, strict?: boolean): readonly MediaTrackConstraints[] {
    return constraintSteps(device, choice, this.hooks.settings().audioProcessing, strict);
  }

  /** Takes up a muted microphone again. @returns whether the device is live now */
  #resume(device: Device): boolean {
    const input = this.inputs[device];
    if (!input.raw) return false;
    input.enabled = true;
    this.#showTrack(device);
    return true;
  }

  #silence(device: Device): void {
    const input = this.inputs[device];
    // The microphone stays captured, so that talking again is immediate; the camera's light goes out.
    if (device === 'camera' || !input.track) return this.drop(device, NO_SOURCE);
    input.enabled = false;
    this.#showTrack(device);
  }

  #lose(device: Device): void {
    const input = this.inputs[device];
    const { wanted, raw } = input;
    this.drop(device, { state: 'lost', stream: null });
    this.fail(device, new PmError('device-not-found', `The ${device} went away.`));
    input.comeBack = wanted;
    this.#quietly((control) => control.lost(device, raw!.getSettings().deviceId));
  }

  fail(device: Device, error: PmError): void {
    this.want(device, false);
    if (this.inputs[device].source.state !== 'lost') this.show(device, NO_SOURCE);
    this.#setProblem(device, error);
  }

  #setProblem(device: Device, error: PmError | null): void {
    this.inputs[device].problem = error;
    this.hooks.problem(device, error);
  }

  drop(device: Device, source: Source): void {
    this.inputs[device].drop();
    this.show(device, source);
  }

  #showTrack(device: Device, stream = this.inputs[device].source.stream): void {
    const { raw, track, wanted } = this.inputs[device];
    if (!raw || !track) return;
    const { deviceId, facingMode } = raw.getSettings();
    this.show(device, {
      state: wanted ? 'on' : 'silenced',
      stream,
      device: deviceId ?? '',
      mirrored: device === 'camera' && facingMode !== 'environment',
    });
  }

  show(device: Device, source: Source): void {
    const input = this.inputs[device];
    if (input.source.state === source.state && input.source.stream === source.stream) return;
    input.source = Object.freeze(source);
    this.hooks.changed(device, input.source, input.track);
  }
}
