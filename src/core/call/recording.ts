/** One's own recordings, one at a time. What it takes to make them is loaded for the first. */
import { PmError, toPmError } from '../errors.ts';
import type { Recorder, RecorderHooks } from '../media/recorder.ts';
import type { RecordedFile, RecordingOptions } from '../state/call-state.ts';

export class Recording {
  readonly #hooks: RecorderHooks;
  #newest: Promise<Recorder | null> = Promise.resolve(null);

  constructor(hooks: RecorderHooks) {
    this.#hooks = hooks;
  }

  /** Resolves when it runs, or runs already. */
  async start(options: RecordingOptions = {}): Promise<void> {
    const before = this.#newest.catch(() => null);
    this.#newest = before.then((last) => (last?.active ? last : this.#record(options)));
    await this.#newest;
  }

  async stop(): Promise<RecordedFile> {
    const recorder = await this.#newest;
    if (!recorder) throw new PmError('usage', 'Nothing is recorded.');
    return recorder.stop();
  }

  async #record(options: RecordingOptions): Promise<Recorder> {
    try {
      const { record } = await this.#hooks.platform.work(import('../media/recorder.ts'));
      return await record(this.#hooks, options);
    } catch (error) {
      const failure = toPmError(error, 'capture-failed');
      this.#hooks.fail(failure);
      throw failure;
    }
  }
}
