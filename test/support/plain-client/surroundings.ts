/** What a plain client takes from its surroundings: a browser page, or one participant of a fake world. */
export interface PlainSocket {
  binaryType: BinaryType;
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

export interface Surroundings {
  createPeerConnection(configuration: RTCConfiguration): RTCPeerConnection;
  createSocket(url: string): PlainSocket;
  createStream(tracks: readonly MediaStreamTrack[]): MediaStream;
  capture(source: 'mic' | 'camera' | 'screen'): Promise<MediaStreamTrack>;
  fetch(url: string, init?: RequestInit): Promise<Response>;
  now(): number;
  after(ms: number, callback: () => void): () => void;
  /** Real asynchronous work for which a virtual clock stands still. */
  hold<T>(work: Promise<T>): Promise<T>;
}

/** A moving picture, where nothing can be shared: a headless Firefox has no screen. */
function drawnScreen(): MediaStreamTrack {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: 320, height: 200 });
  const context = canvas.getContext('2d');
  let hue = 0;
  const [track] = canvas.captureStream(10).getVideoTracks();
  if (!track || !context) throw new Error('no canvas');
  const timer = setInterval(() => {
    if (track.readyState === 'ended') return clearInterval(timer);
    hue += 31;
    context.fillStyle = `hsl(${String(hue % 360)} 80% 50%)`;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }, 100);
  return track;
}

export function browserSurroundings(): Surroundings {
  return {
    createPeerConnection: (configuration) => new RTCPeerConnection(configuration),
    createSocket: (url) => new WebSocket(url),
    createStream: (tracks) => new MediaStream([...tracks]),
    async capture(source) {
      if (source === 'screen') return drawnScreen();
      const wanted = source === 'mic' ? { audio: true } : { video: { width: 320, height: 240 } };
      const [track] = (await navigator.mediaDevices.getUserMedia(wanted)).getTracks();
      if (!track) throw new Error('no track');
      return track;
    },
    fetch: (url, init) => fetch(url, init),
    now: () => performance.now(),
    after: (ms, callback) => {
      const handle = setTimeout(callback, ms);
      return () => clearTimeout(handle);
    },
    hold: (work) => work,
  };
}
