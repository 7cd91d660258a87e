/** Asking the browser for devices (getUserMedia), with less and less when it calls that too much. */
import { fromCaptureError, PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { Device } from './constraints.ts';

async function getTracks(
  platform: Platform,
  constraints: MediaStreamConstraints,
): Promise<MediaStreamTrack[]> {
  const { mediaDevices } = platform;
  if (!mediaDevices)
    throw new PmError('insecure-context', 'Browsers give devices to secure (https) pages alone.');
  return (await mediaDevices.getUserMedia(constraints)).getTracks();
}

/** One device, or why not. Never rejects. */
export async function captureOne(
  platform: Platform,
  device: Device,
  steps: readonly MediaTrackConstraints[],
): Promise<MediaStreamTrack | PmError> {
  let failure: PmError | null = null;
  for (const step of steps) {
    try {
      const [track] = await getTracks(platform, { [device === 'mic' ? 'audio' : 'video']: step });
      return track!;
    } catch (error) {
      failure = fromCaptureError(error);
      if (failure.code !== 'overconstrained') break;
    }
  }
  return failure!;
}

/** All of them in one request, so that the person is asked once; else one each: one that is missing costs no other. */
export async function captureAll(
  platform: Platform,
  wanted: ReadonlyMap<Device, readonly MediaTrackConstraints[]>,
): Promise<Map<Device, MediaStreamTrack | PmError>> {
  const results = new Map<Device, MediaStreamTrack | PmError>();
  const [mic, camera] = [wanted.get('mic'), wanted.get('camera')];
  if (mic && camera) {
    try {
      for (const track of await getTracks(platform, { audio: mic[0]!, video: camera[0]! }))
        results.set(track.kind === 'audio' ? 'mic' : 'camera', track);
      return results;
    } catch (error) {
      platform.log('debug', 'Not both devices at once.', error);
    }
  }
  for (const [device, steps] of wanted) results.set(device, await captureOne(platform, device, steps));
  return results;
}
