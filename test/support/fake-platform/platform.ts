/** One participant's surroundings: the Platform interface of the core, on fakes. */
import type { LogLevel, PageEvent, Platform, RecorderParts } from '../../../src/core/platform.ts';
import { FakeAudioContext } from './audio.ts';
import { FakeMediaDevices } from './media-devices.ts';
import { FakeStream, FakeTrack, trackOf, type TrackKind } from './media-track.ts';
import { certificateOf, FakeCertificate } from './peer/certificate.ts';
import { FakePeerConnection } from './peer/connection.ts';
import type { Network } from './peer/network.ts';
import { FakeRecording } from './recorder.ts';
import type { Scope } from './scope.ts';
import { FakeSocket, type ConnectHandler } from './socket.ts';
import { subtleFor } from './subtle.ts';

/** Where the calendar of every fake world begins. */
const EPOCH = Date.UTC(2026, 0, 1);

export interface LogEntry {
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly details: readonly unknown[];
}

export type FetchHandler = (
  url: string,
  init: RequestInit | undefined,
  owner: string,
) => Response | Promise<Response>;

/** What a participant's platform asks of its world. */
export interface Surroundings {
  readonly network: Network;
  readonly server: (owner: string) => ConnectHandler | null;
  readonly fetch: () => FetchHandler | null;
  readonly baseUrl: string;
}

export class FakePlatform implements Platform {
  readonly devices: FakeMediaDevices;
  readonly recording: FakeRecording;
  readonly connections: FakePeerConnection[] = [];
  readonly sockets: FakeSocket[] = [];
  readonly logged: LogEntry[] = [];
  readonly baseUrl: string;
  /** False on a page that is no secure context. */
  secure = true;
  online = true;
  /** False in a browser without setSinkId. */
  sinks = true;
  private readonly realSubtle: SubtleCrypto;
  private readonly pageCallbacks = new Set<{ callback: (event: PageEvent) => void }>();

  constructor(
    readonly name: string,
    private readonly scope: Scope,
    private readonly surroundings: Surroundings,
  ) {
    this.devices = new FakeMediaDevices(scope);
    this.recording = new FakeRecording(scope);
    this.baseUrl = surroundings.baseUrl;
    this.realSubtle = subtleFor((promise) => this.work(promise));
  }

  /** None, unless a test gives it the browser's own: what is received is then kept in memory. */
  storage: StorageManager | null = null;
  locks: LockManager | null = null;

  get subtle(): SubtleCrypto | null {
    return this.secure ? this.realSubtle : null;
  }

  work<T>(promise: Promise<T>): Promise<T> {
    return this.scope.scheduler.hold(promise);
  }

  randomBytes(count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: count }, () => this.scope.random.integer(0, 255));
  }

  date(): number {
    return EPOCH + this.now();
  }

  get mediaDevices(): Platform['mediaDevices'] {
    return this.secure ? this.devices : null;
  }

  onDevices(callback: () => void): () => void {
    return this.devices.watch(callback);
  }

  /** The documented cast: a fake stands for the real thing from here on, with the parts that the core uses. */
  createPeerConnection(configuration: RTCConfiguration): RTCPeerConnection {
    const certificate = certificateOf(this.scope, configuration);
    const made = new FakePeerConnection(this.scope, this.surroundings.network, configuration, certificate);
    this.connections.push(made);
    return made as unknown as RTCPeerConnection;
  }

  generateCertificate(): Promise<RTCCertificate> {
    return this.later(() => new FakeCertificate(this.scope) as unknown as RTCCertificate);
  }

  createSocket(url: string): FakeSocket {
    const socket = new FakeSocket(this.scope, url, () =>
      this.online ? this.surroundings.server(this.name) : null,
    );
    this.sockets.push(socket);
    return socket;
  }

  createStream(tracks: readonly MediaStreamTrack[]): MediaStream {
    return new FakeStream(this.scope, tracks.map(trackOf));
  }

  recorderParts(): RecorderParts | null {
    return this.recording.parts;
  }

  /** One that is only ever drawn upon and captured. */
  createCanvas(): HTMLCanvasElement {
    const canvas = {
      getContext: () => ({ fillRect: () => undefined }),
      captureStream: () => this.createStream([this.track('video', 'canvas')]),
    };
    return canvas as unknown as HTMLCanvasElement;
  }

  /** A captured track without getUserMedia, for tests of the transport alone. */
  track(kind: TrackKind, label?: string): MediaStreamTrack {
    const track = new FakeTrack(this.scope, kind, 'captured', label === undefined ? {} : { label });
    return track;
  }

  createAudio(): AudioContext {
    return new FakeAudioContext(this.scope) as unknown as AudioContext;
  }

  fetch(url: string, init?: RequestInit): Promise<Response> {
    const { scheduler, delays, owner } = this.scope;
    const failed = (): Error => new TypeError('Failed to fetch');
    return new Promise((resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error), { once: true });
      scheduler.soon(owner, delays.fetch, () => {
        const handler = this.online ? this.surroundings.fetch() : null;
        if (!handler) return reject(failed());
        const answer = Promise.resolve().then(() => handler(url, init, this.name));
        scheduler.hold(answer).then(
          (response) => scheduler.soon(owner, delays.fetch, () => resolve(response)),
          () => scheduler.soon(owner, delays.fetch, () => reject(failed())),
        );
      });
    });
  }

  randomId(bits = 128): string {
    return this.scope.random.text(Math.ceil(bits / 6));
  }

  random(): number {
    return this.scope.random.next();
  }

  now(): number {
    return this.scope.scheduler.now;
  }

  after(ms: number, callback: () => void): () => void {
    const { scheduler, books, owner } = this.scope;
    const timer = { ms, owner };
    books.timers.add(timer);
    const cancel = scheduler.schedule('timer', ms, owner, () => {
      books.timers.delete(timer);
      callback();
    });
    return () => {
      books.timers.delete(timer);
      cancel();
    };
  }

  onPage(callback: (event: PageEvent) => void): () => void {
    const entry = { callback };
    this.pageCallbacks.add(entry);
    this.scope.books.listeners.add(entry);
    return () => {
      this.pageCallbacks.delete(entry);
      this.scope.books.listeners.delete(entry);
    };
  }

  log(level: LogLevel, message: string, ...details: unknown[]): void {
    this.logged.push({ at: this.now(), level, message, details });
  }

  /** Fires a page event, as the browser would. */
  emit(event: PageEvent): void {
    for (const { callback } of this.pageCallbacks) callback(event);
  }

  private later<T>(produce: () => T): Promise<T> {
    const { scheduler, delays, owner } = this.scope;
    return scheduler.promise(owner, delays.compute, produce);
  }
}
