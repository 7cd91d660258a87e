/**
 * Everything the core takes from its surroundings, behind one interface: the only file of the core that touches
 * globals. Tests pass a fake that enforces the specifications' states and owns the clock.
 */

/** The part of `WebSocket` (WHATWG) that the core uses. */
export interface Socket {
  binaryType: BinaryType;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type LogLevel = 'debug' | 'warn' | 'error';

/** What recording takes from a browser. */
export interface RecorderParts {
  readonly document: Pick<Document, 'createElement'>;
  readonly AudioContext: typeof AudioContext;
  readonly MediaRecorder: typeof MediaRecorder;
}

export interface Platform {
  createPeerConnection(config: RTCConfiguration): RTCPeerConnection;
  /** An ECDSA P-256 certificate, reused by every connection of one call. */
  generateCertificate(): Promise<RTCCertificate>;
  createSocket(url: string): Socket;
  createStream(tracks: readonly MediaStreamTrack[]): MediaStream;
  createCanvas(): HTMLCanvasElement;
  /** Null where the page is not a secure context: browsers give no devices there. */
  /** To be closed by whoever asked. It starts by itself once the browser allows sound. */
  createAudio(): AudioContext;
  readonly mediaDevices:
    | (Pick<MediaDevices, 'getUserMedia' | 'enumerateDevices'> &
        Partial<Pick<MediaDevices, 'getDisplayMedia'>>)
    | null;
  /** Calls back when a device was plugged in or out; the answer stops that. */
  onDevices(callback: () => void): () => void;
  /** Whether sound can be sent to a loudspeaker of one's choice (`setSinkId`). */
  readonly sinks: boolean;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** The origin private file system's manager, and locks by name; null where the page is not a secure context. */
  readonly storage: StorageManager | null;
  readonly locks: LockManager | null;
  /** WebCrypto; null where the page is not a secure context. */
  readonly subtle: SubtleCrypto | null;
  /**
   * Passes on `promise`, which takes real time: a module loaded on demand, a file being read. Nothing more in a browser;
   * a virtual clock stands still meanwhile.
   */
  work<T>(promise: Promise<T>): Promise<T>;
  /** Cryptographically strong. */
  randomBytes(count: number): Uint8Array<ArrayBuffer>;
  /** A random string of `bits` bits in URL-safe characters. */
  randomId(bits?: number): string;
  /** Uniform in [0, 1). */
  random(): number;
  /** Milliseconds since an arbitrary start, monotonic. */
  now(): number;
  /** Milliseconds since the Unix epoch, by a clock that may be set. */
  date(): number;
  /** Runs `callback` once after `ms`; the answer cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** Null where the browser has no MediaRecorder. */
  recorderParts(): RecorderParts | null;
  /** What relative addresses are resolved against. */
  readonly baseUrl: string;
  readonly online: boolean;
  /** Calls back on `pagehide`, `pageshow`, `online` and `visible`; the answer stops that. */
  onPage(callback: (event: PageEvent) => void): () => void;
  log(level: LogLevel, message: string, ...details: unknown[]): void;
}

export type PageEvent = 'pagehide' | 'pageshow' | 'online' | 'visible';

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));

function randomId(bits = 128): string {
  return btoa(String.fromCharCode(...randomBytes(Math.ceil(bits / 8))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function onPage(callback: (event: PageEvent) => void): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  for (const name of ['pagehide', 'pageshow', 'online'] as const) {
    window.addEventListener(name, () => callback(name), { signal });
  }
  document.addEventListener(
    'visibilitychange',
    () => document.visibilityState === 'visible' && callback('visible'),
    {
      signal,
    },
  );
  return () => controller.abort();
}

/** Starts with the next gesture where the browser wants one. */
function createAudio(): AudioContext {
  const context = new AudioContext();
  const waiting = new AbortController();
  const wake = () => context.resume().catch(() => undefined); // no gesture yet
  for (const name of ['click', 'keydown'])
    addEventListener(name, wake, { signal: waiting.signal, capture: true });
  context.onstatechange = () => context.state !== 'suspended' && waiting.abort();
  return context;
}

/** The browser as it is. */
export function browserPlatform(): Platform {
  return {
    createPeerConnection: (config) => new RTCPeerConnection(config),
    generateCertificate: () =>
      RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' } as AlgorithmIdentifier),
    createSocket: (url) => new WebSocket(url),
    createStream: (tracks) => new MediaStream([...tracks]),
    createCanvas: () => document.createElement('canvas'),
    get mediaDevices() {
      return (navigator.mediaDevices as MediaDevices | undefined) ?? null;
    },
    createAudio,
    onDevices: (callback) => {
      const { mediaDevices } = navigator as Partial<Navigator>;
      mediaDevices?.addEventListener('devicechange', callback);
      return () => mediaDevices?.removeEventListener('devicechange', callback);
    },
    get sinks() {
      return 'setSinkId' in HTMLMediaElement.prototype;
    },
    fetch: (url, init) => fetch(url, init),
    get storage() {
      return (navigator.storage as StorageManager | undefined) ?? null;
    },
    get locks() {
      return (navigator.locks as LockManager | undefined) ?? null;
    },
    get subtle() {
      return (crypto.subtle as SubtleCrypto | undefined) ?? null;
    },
    work: (promise) => promise,
    randomBytes,
    randomId,
    random: () => Math.random(),
    now: () => performance.now(),
    date: () => Date.now(),
    after: (ms, callback) => {
      const handle = setTimeout(callback, ms);
      return () => clearTimeout(handle);
    },
    recorderParts: () => (window.MediaRecorder ? { document, AudioContext, MediaRecorder } : null),
    get baseUrl() {
      return document.baseURI;
    },
    get online() {
      return navigator.onLine;
    },
    onPage,
    log: (level, message, ...details) => console[level](`[private-meet] ${message}`, ...details),
  };
}
