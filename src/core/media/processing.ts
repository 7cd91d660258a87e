/** A page's own treatment of one's sound or picture, between the device and what is sent. */
import { PmError } from '../errors.ts';
import { halt } from './halt.ts';
import type { Input } from './input.ts';

/**
 * Blur, a noise model. It gets the device's track and answers with what is to be sent instead; null: the track as it
 * is. What it holds must go when `signal` aborts; the tracks are stopped for it.
 */
export type Processor = (track: MediaStreamTrack, signal: AbortSignal) => Promise<MediaStreamTrack | null>;

/**
 * Treats whatever the input's devices give from now on.
 * @param failed told when the processor fails, now or later; the device's own track is sent then
 */
export async function setProcessor(
  input: Input,
  processor: Processor | null,
  failed: (error: PmError) => void,
): Promise<PmError | null> {
  const failure = (cause: unknown) => {
    const error = new PmError('capture-failed', 'The processor failed: the device is sent as it is.', cause);
    failed(error);
    return error;
  };

  const treat = async (raw: MediaStreamTrack): Promise<PmError | null> => {
    const life = new AbortController();
    let track = raw;
    let error: PmError | null = null;
    const end = () => {
      life.abort();
      input.release(raw);
      if (track !== raw) halt(track);
    };
    input.giveUp = end;
    try {
      track = (await processor!(raw, life.signal)) ?? raw;
    } catch (cause) {
      if (!life.signal.aborted) error = failure(cause);
    }
    if (track !== raw)
      track.onended = () => {
        if (input.track !== track) return;
        input.treat = null;
        failure(null);
        void input.use(raw);
      };
    if (life.signal.aborted) end();
    else input.send(track, end);
    return error;
  };

  input.treat = processor && treat;
  return input.raw && input.use(input.raw);
}
