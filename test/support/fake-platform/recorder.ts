/**
 * What recording takes from a browser, without pictures or sound: MediaStream Recording's states and order of events,
 * an AudioContext that may be held back, files in the origin private file system. What it really does is tested in
 * browsers (test/e2e/recording.test.ts).
 */
import type { RecorderParts } from '../../../src/core/platform.ts';
import { exception, type ExceptionName } from './errors.ts';
import { FakeStream, FakeTrack, streamOf } from './media-track.ts';
import type { Scope } from './scope.ts';

interface FakeFile {
  readonly kind: 'file';
  readonly name: string;
  lastModified: number;
  content: Blob;
}

export class FakeRecording {
  /** False: a browser without MediaRecorder. */
  supported = true;
  /** Types that MediaRecorder can make. */
  types = ['video/webm;codecs=vp8,opus', 'video/webm'];
  /** The page was never clicked: an AudioContext stays suspended. */
  soundBlocked = false;
  /** How opening a file, or writing to it, fails from now on. */
  storageFailure: ExceptionName | null = null;
  writeFailure: ExceptionName | null = null;
  /** MediaRecorder's constructor refuses. */
  refuses = false;
  /** The content of every slice. */
  slice: () => BlobPart = () => 'x'.repeat(2_000);
  readonly files = new Map<string, FakeFile>();
  /** What was written in the newest picture. */
  names: string[] = [];
  /** How many pictures were drawn, and of how many videos the newest one was made. */
  pictures = 0;
  videos = 0;
  /** Streams whose sound is in the mix now. */
  readonly mixed = new Set<FakeStream>();
  /** AudioContexts that are not closed, and elements that hold a stream. */
  readonly contexts = new Set<object>();
  readonly playing = new Set<object>();
  recorder: FakeMediaRecorder | null = null;

  constructor(readonly scope: Scope) {}

  get parts(): RecorderParts | null {
    return this.supported ? partsOf(this) : null;
  }

  /** For `platform.storage`. */
  get storage(): StorageManager {
    return { getDirectory: () => this.directory() } as unknown as StorageManager;
  }

  canvas(): object {
    const context = {
      fillRect: (x: number, y: number, width: number) => {
        if (x !== 0 || y !== 0 || width < 1_280) return;
        this.pictures += 1;
        this.names = [];
        this.videos = 0;
      },
      fillText: (text: string) => this.names.push(text),
      strokeText: () => undefined,
      drawImage: () => (this.videos += 1),
    };
    return {
      getContext: () => context,
      captureStream: () => new FakeStream(this.scope, [new FakeTrack(this.scope, 'video', 'captured')]),
    };
  }

  video(): object {
    const { playing } = this;
    let held: unknown = null;
    const video = {
      muted: false,
      playsInline: false,
      videoHeight: 360,
      get srcObject() {
        return held;
      },
      set srcObject(stream: unknown) {
        held = stream;
        if (stream) playing.add(video);
        else playing.delete(video);
      },
      get videoWidth() {
        return held && streamOf(held).getVideoTracks().length ? 640 : 0;
      },
      play: async () => undefined,
    };
    return video;
  }

  private async directory(): Promise<object> {
    if (this.storageFailure) throw exception(this.storageFailure, 'scripted');
    const { files, scope } = this;
    const handle = (file: FakeFile) => ({
      kind: file.kind,
      name: file.name,
      getFile: async () => Object.assign(file.content, { lastModified: file.lastModified }),
      createWritable: async () => this.writable(file),
    });
    return {
      async getFileHandle(name: string) {
        const file: FakeFile = { kind: 'file', name, lastModified: scope.scheduler.now, content: new Blob() };
        files.set(name, file);
        return handle(file);
      },
      async *values() {
        for (const file of files.values()) yield handle(file);
      },
      removeEntry: async (name: string) => void files.delete(name),
    };
  }

  private writable(file: FakeFile): object {
    const parts: BlobPart[] = [];
    return {
      write: async (part: BlobPart | { type: 'write'; position: number; data: DataView<ArrayBuffer> }) => {
        if (this.writeFailure) throw exception(this.writeFailure, 'scripted');
        if (typeof part !== 'object' || !('type' in part) || part instanceof Blob) {
          parts.push(part);
          return;
        }
        const { position, data } = part as { position: number; data: DataView<ArrayBuffer> };
        const whole = new Blob(parts.splice(0));
        parts.push(whole.slice(0, position), data, whole.slice(position + data.byteLength));
      },
      close: async () => void (file.content = new Blob(parts)),
      abort: async () => undefined,
    };
  }
}

class FakeAudioContext {
  state: AudioContextState = 'suspended';
  readonly destination = {};

  constructor(private readonly fake: FakeRecording) {
    fake.contexts.add(this);
  }

  get currentTime(): number {
    return this.fake.scope.scheduler.now / 1_000;
  }

  resume(): Promise<void> {
    if (this.fake.soundBlocked) return new Promise(() => undefined);
    const { scheduler, delays, owner } = this.fake.scope;
    return scheduler.promise(owner, delays.compute, () => void (this.state = 'running'));
  }

  async close(): Promise<void> {
    this.state = 'closed';
    this.fake.contexts.delete(this);
  }

  createMediaStreamDestination(): object {
    const { scope } = this.fake;
    return { stream: new FakeStream(scope, [new FakeTrack(scope, 'audio', 'captured')]) };
  }

  createMediaStreamSource(stream: unknown): object {
    const { mixed } = this.fake;
    const source = streamOf(stream);
    if (!source.getAudioTracks().length) throw exception('InvalidStateError', 'no sound in this stream');
    return { connect: () => mixed.add(source), disconnect: () => mixed.delete(source) };
  }

  createConstantSource(): object {
    const { scheduler, owner } = this.fake.scope;
    const node = {
      offset: { value: 1 },
      onended: null as (() => void) | null,
      connect: () => undefined,
      start: () => undefined,
      stop: (at: number) =>
        scheduler.schedule('timer', at * 1_000 - scheduler.now, owner, () => node.onended?.()),
    };
    return node;
  }
}

class FakeMediaRecorder {
  state: RecordingState = 'inactive';
  ondataavailable: ((event: { data: Blob }) => void) | null = null;
  onstop: (() => void) | null = null;
  /** Virtual time of the start. */
  startedAt = -1;
  readonly mimeType: string;
  private cancel = () => {};

  constructor(
    private readonly fake: FakeRecording,
    readonly stream: FakeStream,
    { mimeType = '' }: MediaRecorderOptions,
  ) {
    if (fake.refuses) throw exception('NotSupportedError', 'scripted');
    this.mimeType = mimeType;
    fake.recorder = this;
  }

  start(slice: number): void {
    this.state = 'recording';
    this.startedAt = this.fake.scope.scheduler.now;
    const { scheduler, owner } = this.fake.scope;
    const next = (): void => {
      this.cancel = scheduler.schedule('timer', slice, owner, () => {
        this.emit();
        next();
      });
    };
    next();
  }

  /** The last slice and `stop` come as tasks of their own. */
  stop(): void {
    if (this.state === 'inactive') throw exception('InvalidStateError', 'not recording');
    this.state = 'inactive';
    this.cancel();
    const { scheduler, delays, owner } = this.fake.scope;
    scheduler.soon(owner, delays.compute, () => {
      this.emit();
      this.onstop?.();
    });
  }

  private emit(): void {
    this.ondataavailable?.({ data: new Blob([this.fake.slice()]) });
  }
}

/** The documented cast: a fake stands for the real thing from here on, with the parts that the core uses. */
function partsOf(fake: FakeRecording): RecorderParts {
  return {
    document: { createElement: (tag: string) => (tag === 'canvas' ? fake.canvas() : fake.video()) },
    AudioContext: class extends FakeAudioContext {
      constructor() {
        super(fake);
      }
    },
    MediaRecorder: class extends FakeMediaRecorder {
      static isTypeSupported = (type: string) => fake.types.includes(type);
      constructor(stream: unknown, options: MediaRecorderOptions) {
        super(fake, streamOf(stream), options);
      }
    },
  } as unknown as RecorderParts;
}
