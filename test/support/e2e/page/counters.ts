/**
 * Runs in the page before anything else: counts what a page holds on to, so that leftovers are counted and not
 * guessed, and keeps the peer connections within a test's reach. Nothing here changes what the page sees.
 */

/** What is open, live or registered now. */
export interface Counts {
  peerConnections: number;
  dataChannels: number;
  tracks: number;
  sockets: number;
  timeouts: number;
  intervals: number;
  animationFrames: number;
  listeners: number;
  observers: number;
  audioContexts: number;
  elements: number;
}

/** How many were ever made. */
export interface Made {
  peerConnections: number;
  sockets: number;
  captures: number;
}

/** How many are still in memory of all that were ever made, open or not. */
export type Held = Record<
  'peerConnections' | 'dataChannels' | 'sockets' | 'tracks' | 'audioContexts',
  number
>;

export const native = {
  setTimeout: window.setTimeout.bind(window),
  clearTimeout: window.clearTimeout.bind(window),
  setInterval: window.setInterval.bind(window),
  clearInterval: window.clearInterval.bind(window),
  requestAnimationFrame: window.requestAnimationFrame.bind(window),
  AudioContext: window.AudioContext,
};

export const peerConnections: RTCPeerConnection[] = [];
export const sockets: WebSocket[] = [];
const dataChannels = new Set<RTCDataChannel>();
const tracks = new Set<MediaStreamTrack>();
const audioContexts = new Set<AudioContext>();
/** Everything that was ever made, so that what is over is seen to leave the memory as well. */
const ever: Record<keyof Held, WeakRef<object>[]> = {
  peerConnections: [],
  dataChannels: [],
  sockets: [],
  tracks: [],
  audioContexts: [],
};
const observers = new Set<object>();
const timeouts = new Map<number, string>();
const intervals = new Map<number, string>();
const animationFrames = new Map<number, string>();
let captures = 0;
let [connectionsMade, socketsMade] = [0, 0];

/** Waits without being counted. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => native.setTimeout(() => resolve(), ms));

/** Where a leftover was made: the page's own lines of the stack. */
function origin(): string {
  const lines = (new Error('origin').stack ?? '').split('\n').slice(1);
  return lines
    .filter((line) => line.includes('http') || line.includes('file:'))
    .slice(0, 4)
    .map((line) => line.trim())
    .join(' < ');
}

function countConnections(): void {
  const Native = window.RTCPeerConnection as typeof RTCPeerConnection | undefined;
  if (!Native) return;
  window.RTCPeerConnection = class RTCPeerConnection extends Native {
    constructor(config?: RTCConfiguration) {
      super(config);
      peerConnections.push(this);
      connectionsMade += 1;
      ever.peerConnections.push(new WeakRef(this));
      this.addEventListener('datachannel', ({ channel }) => noteChannel(channel));
    }
  };
  const create = Native.prototype.createDataChannel;
  Native.prototype.createDataChannel = function (this: RTCPeerConnection, label, init) {
    const channel = create.call(this, label, init);
    noteChannel(channel);
    return channel;
  };
}

function noteChannel(channel: RTCDataChannel): void {
  dataChannels.add(channel);
  ever.dataChannels.push(new WeakRef(channel));
}

function countSockets(): void {
  const Native = window.WebSocket;
  window.WebSocket = class WebSocket extends Native {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      sockets.push(this);
      socketsMade += 1;
      ever.sockets.push(new WeakRef(this));
    }
  };
}

function countTracks(): void {
  const note = (track: MediaStreamTrack): void => {
    tracks.add(track);
    ever.tracks.push(new WeakRef(track));
  };
  const add = (stream: MediaStream): void => stream.getTracks().forEach(note);
  const Devices = (window as { MediaDevices?: typeof MediaDevices }).MediaDevices;
  for (const name of ['getUserMedia', 'getDisplayMedia'] as const) {
    if (!Devices) break;
    const capture = Devices.prototype[name];
    Devices.prototype[name] = async function (this: MediaDevices, constraints?: MediaStreamConstraints) {
      captures += 1;
      const stream = await capture.call(this, constraints);
      add(stream);
      return stream;
    };
  }
  const clone = MediaStreamTrack.prototype.clone;
  MediaStreamTrack.prototype.clone = function (this: MediaStreamTrack) {
    const copy = clone.call(this);
    note(copy);
    return copy;
  };
  const cloneStream = MediaStream.prototype.clone;
  MediaStream.prototype.clone = function (this: MediaStream) {
    const copy = cloneStream.call(this);
    add(copy);
    return copy;
  };
  const captureStream = HTMLCanvasElement.prototype.captureStream;
  HTMLCanvasElement.prototype.captureStream = function (this: HTMLCanvasElement, rate?: number) {
    const stream = rate === undefined ? captureStream.call(this) : captureStream.call(this, rate);
    add(stream);
    return stream;
  };
  const Context = window.AudioContext;
  window.AudioContext = class AudioContext extends Context {
    constructor(options?: AudioContextOptions) {
      super(options);
      audioContexts.add(this);
      ever.audioContexts.push(new WeakRef(this));
    }
  };
}

function countTimers(): void {
  const later = (handler: TimerHandler, done: () => void, args: unknown[]): TimerHandler =>
    typeof handler !== 'function'
      ? handler
      : () => {
          done();
          (handler as (...given: unknown[]) => void).apply(window, args);
        };
  const setTimeout = (handler: TimerHandler, ms?: number, ...args: unknown[]): number => {
    const id: number = native.setTimeout(
      later(handler, () => timeouts.delete(id), args),
      ms,
    );
    timeouts.set(id, `${String(ms)} ms ${origin()}`);
    return id;
  };
  const setInterval = (handler: TimerHandler, ms?: number, ...args: unknown[]): number => {
    const id = native.setInterval(
      later(handler, () => {}, args),
      ms,
    );
    intervals.set(id, `${String(ms)} ms ${origin()}`);
    return id;
  };
  const clear = (id?: number): void => {
    if (id === undefined) return;
    timeouts.delete(id);
    intervals.delete(id);
    native.clearTimeout(id);
  };
  Object.assign(window, { setTimeout, setInterval, clearTimeout: clear, clearInterval: clear });
  const cancel = window.cancelAnimationFrame.bind(window);
  window.requestAnimationFrame = (callback) => {
    const id: number = native.requestAnimationFrame((time) => {
      animationFrames.delete(id);
      callback(time);
    });
    animationFrames.set(id, origin());
    return id;
  };
  window.cancelAnimationFrame = (id) => {
    animationFrames.delete(id);
    cancel(id);
  };
}

type Listener = EventListenerOrEventListenerObject;
interface Registered {
  readonly given: Listener;
  readonly used: Listener;
  readonly from: string;
}
/** Listeners on targets that outlive every element, by `target type capture`. */
const listeners = new Map<string, Registered[]>();

function longLived(target: EventTarget | null | undefined): string | null {
  if (!target || target === window) return 'window';
  if (target === document) return 'document';
  if (target === document.documentElement) return 'html';
  if (target === document.body) return 'body';
  if (target === navigator.mediaDevices) return 'mediaDevices';
  if (target === window.visualViewport) return 'visualViewport';
  if (target instanceof MediaQueryList) return `media ${target.media}`;
  if ('connection' in navigator && target === navigator.connection) return 'connection';
  return null;
}

function countListeners(): void {
  const add = EventTarget.prototype.addEventListener;
  const remove = EventTarget.prototype.removeEventListener;
  const captures = (options?: boolean | EventListenerOptions): boolean =>
    typeof options === 'boolean' ? options : Boolean(options?.capture);
  const forget = (key: string, given: Listener): Registered | undefined => {
    const list = listeners.get(key) ?? [];
    const index = list.findIndex((each) => each.given === given);
    return index < 0 ? undefined : list.splice(index, 1)[0];
  };
  EventTarget.prototype.addEventListener = function (
    this: EventTarget | undefined,
    type: string,
    given: Listener | null,
    options?: boolean | AddEventListenerOptions,
  ) {
    const target = this ?? window;
    const place = given ? longLived(target) : null;
    if (!given || place === null) return add.call(target, type, given, options);
    const settings = typeof options === 'object' ? options : {};
    const key = `${place} ${type} ${String(captures(options))}`;
    const list = listeners.get(key) ?? [];
    if (settings.signal?.aborted || list.some((each) => each.given === given)) return;
    const used: Listener = !settings.once
      ? given
      : (event) => {
          forget(key, given);
          if (typeof given === 'function') given.call(target, event);
          else given.handleEvent(event);
        };
    list.push({ given, used, from: origin() });
    listeners.set(key, list);
    if (settings.signal) add.call(settings.signal, 'abort', () => forget(key, given), { once: true });
    return add.call(target, type, used, options);
  };
  EventTarget.prototype.removeEventListener = function (
    this: EventTarget | undefined,
    type: string,
    given: Listener | null,
    options?: boolean | EventListenerOptions,
  ) {
    const target = this ?? window;
    const place = given ? longLived(target) : null;
    const entry =
      given && place !== null ? forget(`${place} ${type} ${String(captures(options))}`, given) : undefined;
    return remove.call(target, type, entry?.used ?? given, options);
  };
}

/** Observers that watch something now; `disconnect` ends it. */
function countObservers(): void {
  for (const name of [
    'ResizeObserver',
    'IntersectionObserver',
    'MutationObserver',
    'PerformanceObserver',
  ] as const) {
    const prototype = window[name].prototype as unknown as Record<
      'observe' | 'disconnect',
      (...args: unknown[]) => void
    >;
    const { observe, disconnect } = prototype;
    prototype.observe = function (this: object, ...args: unknown[]) {
      observers.add(this);
      observe.apply(this, args);
    };
    prototype.disconnect = function (this: object) {
      observers.delete(this);
      disconnect.apply(this);
    };
  }
}

/** Every element of the document, those in open shadow roots included. */
export function* everyElement(root: Document | ShadowRoot | Element = document): Generator<Element> {
  for (const element of root.querySelectorAll('*')) {
    yield element;
    if (element.shadowRoot) yield* everyElement(element.shadowRoot);
  }
}

export function counts(): Counts {
  let elements = 0;
  for (const _ of everyElement()) elements += 1;
  return {
    peerConnections: peerConnections.filter((each) => each.signalingState !== 'closed').length,
    dataChannels: [...dataChannels].filter((each) => each.readyState !== 'closed').length,
    tracks: [...tracks].filter((each) => each.readyState === 'live').length,
    sockets: sockets.filter((each) => each.readyState !== WebSocket.CLOSED).length,
    timeouts: timeouts.size,
    intervals: intervals.size,
    animationFrames: animationFrames.size,
    listeners: [...listeners.values()].reduce((sum, list) => sum + list.length, 0),
    observers: observers.size,
    audioContexts: [...audioContexts].filter((each) => each.state !== 'closed').length,
    elements,
  };
}

export function made(): Made {
  return { peerConnections: connectionsMade, sockets: socketsMade, captures };
}

/**
 * Lets go of what is over. Until then everything that was made stays within a test's reach; what is open or live stays
 * so in any case, for it must not be collected uncounted.
 */
export function letGo(): void {
  const keep = <T>(list: T[], open: (each: T) => boolean): void =>
    void list.splice(0, list.length, ...list.filter(open));
  keep(peerConnections, ({ signalingState }) => signalingState !== 'closed');
  keep(sockets, ({ readyState }) => readyState !== WebSocket.CLOSED);
  for (const each of dataChannels) if (each.readyState === 'closed') dataChannels.delete(each);
  for (const each of tracks) if (each.readyState === 'ended') tracks.delete(each);
  for (const each of audioContexts) if (each.state === 'closed') audioContexts.delete(each);
}

/** To be asked after `letGo` and a collection of garbage. */
export function held(): Held {
  const there = Object.entries(ever).map(
    ([name, list]) => [name, list.flatMap((each) => each.deref() ?? [])] as const,
  );
  const all = Object.fromEntries(there) as Record<keyof Held, object[]>;
  // A connection that the browser keeps has kept what it sent: that is counted once.
  const sent = new Set<object | null>(
    (all.peerConnections as RTCPeerConnection[]).flatMap((pc) => pc.getSenders().map(({ track }) => track)),
  );
  all.tracks = all.tracks.filter(
    (track) => !sent.has(track) || (track as MediaStreamTrack).readyState === 'live',
  );
  return Object.fromEntries(Object.entries(all).map(([name, list]) => [name, list.length])) as Held;
}

/** What is still there, with the lines that made it: for the message of a failing test. */
export function leftovers(): string[] {
  return [
    ...[...timeouts.values()].map((each) => `timeout ${each}`),
    ...[...intervals.values()].map((each) => `interval ${each}`),
    ...[...animationFrames.values()].map((each) => `animation frame ${each}`),
    ...[...listeners].flatMap(([key, list]) => list.map((each) => `listener ${key} ${each.from}`)),
    ...[...tracks]
      .filter((each) => each.readyState === 'live')
      .map((each) => `track ${each.kind} ${each.label}`),
  ];
}

export function startCounting(): void {
  countConnections();
  countSockets();
  countTracks();
  countTimers();
  countListeners();
  countObservers();
}
