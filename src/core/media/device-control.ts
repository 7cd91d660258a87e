/**
 * Which devices there are, which one is in use, and what happens when they come and go. Loaded with the first capture
 * or when a page asks: a join does not wait for it.
 */
import { PmError, toPmError } from '../errors.ts';
import {
  NO_SOURCE,
  PENDING,
  type CallState,
  type DeviceKind,
  type MediaDevice,
} from '../state/call-state.ts';
import { isFacing, voice, type Device } from './constraints.ts';
import type { Local } from './local.ts';
import { setProcessor, type Processor } from './processing.ts';
import { ScreenShare } from './screen-share.ts';

const KINDS: Readonly<Record<MediaDeviceKind, DeviceKind>> = {
  audioinput: 'mic',
  videoinput: 'camera',
  audiooutput: 'speaker',
};
/** What a browser says of a device while another one is open: phones open one camera at a time. */
const ONE_AT_A_TIME: readonly string[] = ['device-in-use', 'capture-failed'];

/** Whether `track` comes from what was chosen. */
function isChosen(track: MediaStreamTrack, choice: string): boolean {
  const { deviceId, facingMode } = track.getSettings();
  return choice === deviceId || choice === facingMode;
}

/** Whether another device than the chosen one had to do. A side of the phone is no device. */
function isStandIn(track: MediaStreamTrack, choice: string): boolean {
  return choice !== '' && !isFacing(choice) && !isChosen(track, choice);
}

const gone = (message: string): PmError => new PmError('device-not-found', message);
const has = (list: readonly MediaDevice[], id: string): boolean => list.some((each) => each.id === id);

export class DeviceControl {
  readonly #local: Local;
  readonly #screen: ScreenShare;

  #list: readonly MediaDevice[] = [];
  #chosen: CallState['chosen'] = { mic: '', camera: '', speaker: '' };
  #unwatch: (() => void) | null = null;
  /** The choice for which a person was told that another device stands in. */
  readonly #told: Record<Device, string> = { mic: '', camera: '' };

  constructor(local: Local) {
    this.#local = local;
    this.#screen = new ScreenShare(local);
  }

  /** Looks now, and whenever something is plugged in or out, until the release. */
  watch(): void {
    const local = this.#local;
    const look = () => {
      this.devices().catch((error: unknown) => local.hooks.failed(toPmError(error, 'capture-failed')));
    };
    this.#unwatch ??= local.platform.onDevices(look);
    look();
    for (const device of ['mic', 'camera'] as const) this.#tell(device);
  }

  /** The call was left. */
  release(): void {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#screen.stop();
  }

  /** @throws {PmError} see `CallLike.toggleScreen` */
  share(on: boolean): Promise<void> {
    return this.#screen.set(on);
  }

  async devices(): Promise<readonly MediaDevice[]> {
    const found = (await this.#local.platform.mediaDevices?.enumerateDevices()) ?? [];
    const now = found.map(({ kind, deviceId: id, label }) => Object.freeze({ kind: KINDS[kind], id, label }));
    const before = this.#list;
    if (JSON.stringify(now) !== JSON.stringify(before)) {
      this.#list = Object.freeze(now);
      this.#changed(before);
    }
    return this.#list;
  }

  /** @throws {PmError} see `CallLike.setDevice` */
  async choose(kind: DeviceKind, id: string): Promise<void> {
    const local = this.#local;
    const note = (choice: string) => {
      this.#chosen = Object.freeze({ ...this.#chosen, [kind]: choice });
      local.hooks.set({ chosen: this.#chosen });
    };
    if (kind === 'speaker') {
      if (!local.platform.sinks) throw new PmError('unsupported', 'This browser chooses the loudspeaker.');
      return note(id);
    }
    const input = local.inputs[kind];
    const before = input.choice;
    if (!id && !before) return;
    note((input.choice = id));
    const failure = await local.alone(() => this.#change(kind));
    await input.settled;
    if (!failure) return;
    if (input.choice === id) note((input.choice = before));
    throw failure;
  }

  /** @throws {PmError} see `CallLike.setProcessor` */
  async process(device: Device, processor: Processor | null): Promise<void> {
    const { inputs, hooks } = this.#local;
    const failure = await setProcessor(inputs[device], processor, (error) => hooks.failed(error));
    if (failure) throw failure;
  }

  /** The settings of the voice changed. A browser that cannot change a live device takes them the next time. */
  retune(): void {
    const { inputs, hooks, platform } = this.#local;
    inputs.mic.raw
      ?.applyConstraints(voice(hooks.settings().audioProcessing))
      .catch((error: unknown) => platform.log('warn', 'The voice settings count next time.', error));
  }

  /** A device went away while it was on (`wanted`) or muted: another one of its kind takes its place. */
  async lost(device: Device, id: string | undefined): Promise<void> {
    // The loss was told already; which device takes its place is seen.
    this.#told[device] = this.#local.inputs[device].choice;
    await this.devices();
    this.#revive(
      device,
      this.#list.filter((each) => each.id !== id),
    );
  }

  #changed(before: readonly MediaDevice[]): void {
    const { inputs, hooks } = this.#local;
    const now = this.#list;
    hooks.set({ devices: now });
    for (const device of ['mic', 'camera'] as const) {
      const { raw, choice } = inputs[device];
      this.#revive(device, now);
      if (raw && isStandIn(raw, choice) && has(now, choice))
        this.choose(device, choice).catch((error: unknown) =>
          hooks.failed(toPmError(error, 'capture-failed')),
        );
    }
    const { speaker } = this.#chosen;
    if (has(before, speaker) && !has(now, speaker)) hooks.failed(gone('The loudspeaker went away.'));
  }

  /** What was lost is on again, or may be switched on again, with whatever there is of its kind. */
  #revive(device: Device, list: readonly MediaDevice[]): void {
    const local = this.#local;
    const { source, comeBack } = local.inputs[device];
    if (source.state !== 'lost' || !list.some(({ kind }) => kind === device)) return;
    if (!comeBack) return local.show(device, NO_SOURCE);
    // Told as the device's problem.
    local
      .set(device, true)
      .catch((error: unknown) => local.platform.log('debug', 'No device took its place.', error));
  }

  #tell(device: Device): void {
    const { raw, choice } = this.#local.inputs[device];
    if (!raw) return;
    const missing = isStandIn(raw, choice) ? choice : '';
    if (missing && missing !== this.#told[device])
      this.#local.hooks.failed(gone(`The chosen ${device} is not there: another one stands in.`));
    this.#told[device] = missing;
  }

  /** Changes over to the chosen device. @returns why not, with the old one in its place */
  async #change(device: Device): Promise<PmError | null> {
    const local = this.#local;
    const input = local.inputs[device];
    const { raw, choice } = input;
    if (!raw || isChosen(raw, choice)) return null;
    const { epoch } = local;
    let result = await local.capture(device, choice, true);
    let stopped = false;
    let failure = result instanceof PmError ? result : null;
    if (failure && ONE_AT_A_TIME.includes(failure.code) && input.raw === raw) {
      stopped = true;
      local.drop(device, PENDING);
      result = await local.capture(device, choice, true);
      failure = result instanceof PmError ? result : null;
      if (failure) result = await local.capture(device, raw.getSettings().deviceId ?? '');
    }
    // Off, lost or left in the meantime. A microphone that is muted meanwhile goes on, muted.
    const needed = stopped ? input.wanted || device === 'mic' : input.raw === raw;
    const still = needed && epoch === local.epoch;
    if (!(result instanceof PmError)) {
      if (still) void input.use(result);
      else result.stop();
    } else if (stopped && still) local.fail(device, result);
    return failure;
  }
}
