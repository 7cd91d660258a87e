/** What is asked of a device, and what is asked when it cannot give that. */
export type Device = 'mic' | 'camera';

/** What the browser does to a voice; all of it by default. */
export interface AudioProcessing {
  readonly echoCancellation?: boolean;
  readonly noiseSuppression?: boolean;
  readonly autoGainControl?: boolean;
}

/** A mesh sends every picture once per person: a modest size until the receivers' wishes are known. */
const CAMERA: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 360 },
  frameRate: { ideal: 30 },
  facingMode: 'user',
};

export const voice = (processing: AudioProcessing): MediaTrackConstraints => ({
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  ...processing,
});

/** A choice that names a side of the phone instead of a device. */
export const isFacing = (choice: string): boolean => choice === 'user' || choice === 'environment';

/**
 * What to ask for: steps to be tried in turn while the browser calls them too much (`OverconstrainedError`).
 * @param choice an id, a side of the phone, or empty
 * @param strict nothing but what was chosen will do
 */
export function constraintSteps(
  device: Device,
  choice: string,
  processing: AudioProcessing,
  strict?: boolean,
): readonly MediaTrackConstraints[] {
  const base = device === 'mic' ? voice(processing) : CAMERA;
  const exact = choice ? { [isFacing(choice) ? 'facingMode' : 'deviceId']: { exact: choice } } : {};
  const first = { ...base, ...exact };
  return strict ? [first] : [first, base, {}];
}
