/**
 * Recording of a call on this device, by MediaRecorder (MediaStream Recording, W3C): everybody laid out to one picture,
 * everybody's sound in one mix, written away once a second. Loaded when somebody records for the first time.
 */
import { PmError, toPmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { CallState, RecordedFile, RecordingOptions } from '../state/call-state.ts';
import { Scope } from '../util/scope.ts';
import { createScene } from './recording/scene.ts';
import { openSink } from './recording/sink.ts';

/** What the file holds, in order of preference: what is lightest to encode while a call runs comes first. */
const TYPES = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4'];
/** How often what is recorded is written away, in milliseconds. */
const SLICE = 1_000;
/** The most that waits in memory, in bytes: the whole file where there is no disk to write to. */
const MEMORY = 2 ** 29;
/** How long the sound may take to start, in milliseconds. */
const PATIENCE = 2_000;

export interface RecorderHooks {
  readonly platform: Platform;
  readonly state: () => CallState;
  /** Calls back at every change; the answer ends that. */
  readonly watch: (callback: () => void) => () => void;
  /** Tells everybody, before anything is recorded and once nothing is any more. */
  readonly announce: (on: boolean) => void;
  /** The file is complete; null when it could not be kept. */
  readonly ended: (result: RecordedFile | null) => void;
  readonly fail: (error: PmError) => void;
}

interface Live {
  active(): boolean;
  stop(): Promise<RecordedFile>;
}

/** Once a recording has ended nothing but its file is kept: no sound, no pictures, nobody who was in it. */
export class Recorder {
  #live: Live | null;
  readonly #file: Promise<RecordedFile>;

  constructor(live: Live, file: Promise<RecordedFile>) {
    this.#live = live;
    this.#file = file;
    const over = (): void => void (this.#live = null);
    file.then(over, over);
  }

  get active(): boolean {
    return !!this.#live?.active();
  }

  /** Twice gives the same file. @throws {PmError} `capture-failed` when it could not be kept */
  async stop(): Promise<RecordedFile> {
    return (await this.#live?.stop()) ?? this.#file;
  }
}

/** Resolves once everybody is told and recording is under way. @throws {PmError} */
export async function record(hooks: RecorderHooks, options: RecordingOptions): Promise<Recorder> {
  const { platform, announce } = hooks;
  const parts = platform.recorderParts();
  const mimeType = [options.mimeType ?? TYPES]
    .flat()
    .find((each) => parts?.MediaRecorder.isTypeSupported(each));
  if (!parts || !mimeType) throw new PmError('unsupported', 'No such recorder.');
  const inCall = (): boolean => /^(joined|reconnecting)$/.test(hooks.state().phase);
  const scope = new Scope();
  try {
    const audio = new parts.AudioContext();
    scope.add(() => void audio.close());
    // Sound is held back until the page was clicked, in Firefox also without a sound device, and the file with it.
    await Promise.race([
      audio.resume(),
      new Promise<void>((resolve) => scope.after(platform, PATIENCE, resolve)),
    ]);
    if (audio.state !== 'running') throw new PmError('activation-required', 'Sound needs a click.');
    const sink = await openSink(platform, mimeType, options.handle);
    scope.add(() => sink.abort());
    if (!inCall()) throw new PmError('usage', 'Not in a call.');
    announce(true);
    const withdraw = scope.add(() => announce(false));
    const scene = createScene(platform, parts, audio, scope, hooks.state());
    const recorder = new parts.MediaRecorder(scene.stream, {
      mimeType,
      videoBitsPerSecond: 2_500_000,
      audioBitsPerSecond: 128_000,
    });
    const started = platform.now();
    /** Bytes that are nowhere but in memory. */
    let held = 0;
    let written = Promise.resolve();
    let done: Promise<RecordedFile> | null = null;
    const finish = async (): Promise<RecordedFile> => {
      const durationMs = platform.now() - started;
      let result: RecordedFile | null = null;
      unwatch();
      if (recorder.state !== 'inactive') recorder.stop();
      withdraw();
      try {
        await stopped;
        await written;
        result = { file: await sink.close(durationMs), mimeType: recorder.mimeType, durationMs };
        return result;
      } catch (error) {
        const failure = toPmError(error, 'capture-failed');
        hooks.fail(failure);
        throw failure;
      } finally {
        scope.end();
        hooks.ended(result);
      }
    };
    let settle: (file: Promise<RecordedFile>) => void;
    const file = new Promise<RecordedFile>((resolve) => (settle = resolve));
    const stop = (): Promise<RecordedFile> => {
      if (!done) settle((done = finish()));
      return file;
    };
    /** Ends it with nobody waiting: a failure has been told by then. */
    const over = (): void => void stop().catch(() => undefined);

    recorder.ondataavailable = ({ data }) => {
      if ((held += data.size) > MEMORY) over();
      written = written.then(async () => {
        if (await sink.write(data)) held -= data.size;
      });
      written.catch(over);
    };
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    // The browser may end it by itself.
    void stopped.then(over);
    recorder.start(SLICE);
    const unwatch = scope.add(hooks.watch(() => (inCall() ? scene.sync(hooks.state()) : over())));
    return new Recorder({ active: () => !done, stop }, file);
  } catch (error) {
    scope.end();
    throw toPmError(error, 'capture-failed');
  }
}
