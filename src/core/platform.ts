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

export interface Platform {
  createPeerConnection(config: RTCConfiguration): RTCPeerConnection;
  /** An ECDSA P-256 certificate, reused by every connection of one call. */
  generateCertificate(): Promise<RTCCertificate>;
  createSocket(url: string): Socket;
  createStream(tracks: readonly MediaStreamTrack[]): MediaStream;
  /** Null where the page is not a secure context: browsers give no devices there. */
  readonly mediaDevices: Pick<MediaDevices, 'getUserMedia'> | null;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  /** A random string of `bits` bits in URL-safe characters. */
  randomId(bits?: number): string;
  /** Uniform in [0, 1). */
  random(): number;
  /** Milliseconds since an arbitrary start, monotonic. */
  now(): number;
  /** Runs `callback` once after `ms`; the answer cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** What relative addresses are resolved against. */
  readonly baseUrl: string;
  readonly online: boolean;
  /** Calls back on `pagehide`, `pageshow`, `online` and `visible`; the answer stops that. */
  onPage(callback: (event: PageEvent) => void): () => void;
  log(level: LogLevel, message: string, ...details: unknown[]): void;
}

export type PageEvent = 'pagehide' | 'pageshow' | 'online' | 'visible';

function randomId(bits = 128): string {
  const bytes = crypto.getRandomValues(new Uint8Array(Math.ceil(bits / 8)));
  return btoa(String.fromCharCode(...bytes))
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

/** The browser as it is. */
export function browserPlatform(): Platform {
  return {
    createPeerConnection: (config) => new RTCPeerConnection(config),
    generateCertificate: () =>
      RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' } as AlgorithmIdentifier),
    createSocket: (url) => new WebSocket(url),
    createStream: (tracks) => new MediaStream([...tracks]),
    get mediaDevices() {
      return (navigator.mediaDevices as MediaDevices | undefined) ?? null;
    },
    fetch: (url, init) => fetch(url, init),
    randomId,
    random: () => Math.random(),
    now: () => performance.now(),
    after: (ms, callback) => {
      const handle = setTimeout(callback, ms);
      return () => clearTimeout(handle);
    },
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
