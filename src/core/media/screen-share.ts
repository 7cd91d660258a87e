/** Sharing one's screen, with its sound where the browser gives it (Screen Capture, W3C). */
import { fromCaptureError, PmError } from '../errors.ts';
import { NO_SOURCE, PENDING } from '../state/call-state.ts';
import { halt } from './halt.ts';
import type { Local } from './local.ts';

/** What is shared may be changed in the browser's bar; one's own tab would be a hall of mirrors. */
const OPTIONS = {
  video: { frameRate: { max: 30 } },
  // Music and films, not a voice; without the voices that this page plays itself.
  audio: {
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
    restrictOwnAudio: true,
  },
  surfaceSwitching: 'include',
  selfBrowserSurface: 'exclude',
} as DisplayMediaStreamOptions;

export class ScreenShare {
  readonly #local: Local;

  #wanted = false;
  #tracks: MediaStreamTrack[] = [];
  #starting: Promise<void> = Promise.resolve();
  /** Counts starts and stops: what was asked for before the last one is stopped on arrival. */
  #turn = 0;

  constructor(local: Local) {
    this.#local = local;
  }

  /**
   * Starts or stops. The browser asks the person in this very call stack, where it looks for their gesture.
   * @throws {PmError} see `CallLike.toggleScreen`
   */
  async set(on: boolean): Promise<void> {
    if (!on) return this.stop();
    if (!this.#wanted) this.#starting = this.#start();
    await this.#starting;
  }

  stop(): void {
    if (!this.#wanted) return;
    const { hooks } = this.#local;
    this.#turn += 1;
    this.#tracks.splice(0).forEach(halt);
    this.#want(false);
    hooks.changed('screen', NO_SOURCE, null);
    hooks.changed('screenAudio', NO_SOURCE, null);
  }

  async #start(): Promise<void> {
    const { hooks } = this.#local;
    const turn = (this.#turn += 1);
    this.#want(true);
    hooks.changed('screen', PENDING, null);
    try {
      const tracks = (await this.#ask()).getTracks();
      if (turn === this.#turn) this.#share(tracks);
      else tracks.forEach(halt);
    } catch (error) {
      // No longer wanted: nobody waits for the answer.
      if (turn !== this.#turn) return;
      this.stop();
      let failure = fromCaptureError(error);
      if (failure.code === 'permission-denied')
        failure = new PmError('screen-refused', failure.message, error);
      hooks.failed(failure);
      throw failure;
    }
  }

  #ask(): Promise<MediaStream> {
    const { mediaDevices } = this.#local.platform;
    if (mediaDevices?.getDisplayMedia) return mediaDevices.getDisplayMedia(OPTIONS);
    throw new PmError(mediaDevices ? 'unsupported' : 'insecure-context', 'No screen can be shared here.');
  }

  #want(on: boolean): void {
    this.#wanted = on;
    this.#local.hooks.wanted('screen', on);
  }

  #share(tracks: MediaStreamTrack[]): void {
    const { hooks, platform } = this.#local;
    this.#tracks = tracks;
    for (const track of tracks) {
      const picture = track.kind === 'video';
      if (picture) track.contentHint = hooks.settings().screenHint;
      // The browser's own bar ends it, or the window that was shared is closed.
      track.onended = () => (picture ? this.stop() : hooks.changed('screenAudio', NO_SOURCE, null));
      const stream = platform.createStream([track]);
      hooks.changed(picture ? 'screen' : 'screenAudio', Object.freeze({ state: 'on', stream }), track);
    }
  }
}
