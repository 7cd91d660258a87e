/**
 * The measuring tools that every page of the tests between browsers carries as `window.e2e`, from before its first
 * script. They read the public surface of `<pm-room>` and the platform, never the insides of an element.
 */
import type { CallLike, SendDataOptions } from '../../../../src/core/call/types.ts';
import type { Processor } from '../../../../src/core/media/processing.ts';
import type {
  CallState,
  DeviceKind,
  MediaDevice,
  Participant,
  Phase,
  RecordedFile,
  SourceName,
} from '../../../../src/core/state/call-state.ts';
import {
  counts,
  everyElement,
  held,
  leftovers,
  letGo,
  made,
  pause,
  peerConnections,
  sockets,
  startCounting,
} from './counters.ts';
import { pictures, playedAloud, shown, sound, type Enough, type Pictures, type Sound } from './media.ts';

/** Set by the test before the page's first script. */
export interface PageOptions {
  /** Name of the DOMException with which getUserMedia rejects; `devices` limits it to requests that ask for that kind. */
  readonly capture?: { readonly error: string; readonly device?: 'audio' | 'video' };
  /** Upper bound of a random delay, in ms, of everything sent over a data channel; order is kept. */
  readonly dataChannelDelay?: number;
}

/** What pages of these tests use of `<pm-room>`. */
export interface RoomElement extends HTMLElement {
  readonly state: Phase;
  readonly participants: readonly Participant[];
  readonly snapshot: CallState;
  passphrase: string;
  readonly call: CallLike;
  join(): Promise<void>;
  leave(): Promise<void>;
  toggleMic(force?: boolean): Promise<boolean>;
  toggleCamera(force?: boolean): Promise<boolean>;
  toggleScreen(force?: boolean): Promise<boolean>;
  sendMessage(text: string): Promise<void>;
  setTyping(on: boolean): void;
  startRecording(): Promise<void>;
  stopRecording(): Promise<RecordedFile>;
  request(name: string, detail?: object): Promise<unknown>;
  sendData(topic: string, data: unknown, options?: SendDataOptions): Promise<void>;
  toggleHand(force?: boolean): Promise<boolean>;
  react(emoji: string): Promise<void>;
  devices(): Promise<readonly MediaDevice[]>;
  setDevice(kind: DeviceKind, id: string): Promise<void>;
  setProcessor(device: 'mic' | 'camera', processor: Processor | null): Promise<void>;
  getStats: CallLike['getStats'];
  sendFile(file: Blob): Promise<readonly string[]>;
  acceptFile(id: string): Promise<void>;
  cancelFile(id: string): Promise<void>;
}

export interface ParticipantSummary {
  id: string;
  name: string;
  self: boolean;
  link: string;
  sources: Record<SourceName, { state: string; video: number; audio: number }>;
}

export interface RoomSummary {
  state: string;
  participants: ParticipantSummary[];
}

export interface RemoteMedia {
  id: string;
  pictures: Pictures;
  sound: Sound;
  shown: boolean;
  playedAloud: boolean;
}

export interface ConnectionSummary {
  signalingState: string;
  connectionState: string;
  /** Distinct ICE transports of everything it carries. */
  iceTransports: number;
  directions: (string | null)[];
}

export interface SeenEvent {
  name: string;
  /** Id of the element that fired it. */
  target: string;
  detail: unknown;
  /** By `Date.now()`, to be compared across browsers. */
  at: number;
}

const events: SeenEvent[] = [];
const EVENT_NAMES = [
  'pm-state-change',
  'pm-joined',
  'pm-left',
  'pm-ready',
  'pm-participant-joined',
  'pm-participant-left',
  'pm-recording-change',
  'pm-data',
  'pm-error',
];

/** The serialisable part of an event's detail. */
function plain(detail: unknown): unknown {
  return JSON.parse(
    JSON.stringify(detail ?? null, (_key, value: unknown) =>
      value instanceof Error ? { name: value.name, message: value.message } : value,
    ),
  ) as unknown;
}

function room(selector: string): RoomElement {
  for (const element of everyElement()) if (element.matches(selector)) return element as RoomElement;
  throw new Error(`no ${selector} in the page`);
}

function summary(selector: string): RoomSummary {
  const element = room(selector);
  return {
    state: element.state,
    participants: (element.participants ?? []).map((each) => ({
      id: each.id,
      name: each.name,
      self: each.self,
      link: each.link,
      sources: Object.fromEntries(
        Object.entries(each.sources).map(([name, source]) => [
          name,
          {
            state: source.state,
            video: source.stream?.getVideoTracks().length ?? 0,
            audio: source.stream?.getAudioTracks().length ?? 0,
          },
        ]),
      ) as ParticipantSummary['sources'],
    })),
  };
}

/** Watches and listens to everybody else in the room for `ms`, or until there was enough of each. */
function remoteMedia(selector: string, ms: number, enough?: Enough): Promise<RemoteMedia[]> {
  const others = room(selector).participants.filter((each) => !each.self);
  const nothing = new MediaStream();
  return Promise.all(
    others.map(async (each) => {
      const camera = each.sources.camera.stream ?? nothing;
      const mic = each.sources.mic.stream ?? nothing;
      const [seen, heard] = await Promise.all([pictures(camera, ms, enough), sound(mic, ms, enough)]);
      return {
        id: each.id,
        pictures: seen,
        sound: heard,
        shown: camera.getVideoTracks().some(shown),
        playedAloud: mic.getAudioTracks().some(playedAloud),
      };
    }),
  );
}

function connections(): ConnectionSummary[] {
  return peerConnections
    .filter((each) => each.signalingState !== 'closed')
    .map((each) => {
      const dtls = each.getSenders().flatMap((sender) => (sender.transport ? [sender.transport] : []));
      return {
        signalingState: each.signalingState,
        connectionState: each.connectionState,
        iceTransports: new Set(dtls.map((transport) => transport.iceTransport)).size,
        directions: each.getTransceivers().map((transceiver) => transceiver.currentDirection),
      };
    });
}

/** How many streams of sound bring packets, by what arrives within `ms`. */
async function audioStreamsFlowing(ms: number): Promise<number> {
  const read = async (): Promise<number[]> => {
    const reports = await Promise.all(
      peerConnections
        .filter(({ signalingState }) => signalingState !== 'closed')
        .map((each) => each.getStats()),
    );
    return reports.map((report) => {
      let packets = 0;
      report.forEach((entry: { type: string; kind?: string; packetsReceived?: number }) => {
        if (entry.type === 'inbound-rtp' && entry.kind === 'audio') packets += entry.packetsReceived ?? 0;
      });
      return packets;
    });
  };
  const before = await read();
  await pause(ms);
  return (await read()).filter((packets, index) => packets > (before[index] ?? 0)).length;
}

/** Everything that a person can read in the page, alerts included, shadow roots included. */
function readable(): string {
  const lines: string[] = [];
  const visit = (root: Node): void => {
    for (const node of root.childNodes) {
      if (node instanceof Text) {
        const text = node.data.trim();
        if (text) lines.push(text);
      } else if (node instanceof HTMLSlotElement) {
        if (!node.assignedNodes().length) visit(node);
      } else if (node instanceof HTMLElement) {
        if (['SCRIPT', 'STYLE', 'TEMPLATE'].includes(node.tagName) || !node.checkVisibility()) continue;
        if (node.shadowRoot) visit(node.shadowRoot);
        visit(node);
      }
    }
  };
  visit(document.body);
  return lines.join('\n');
}

/** The first element, wherever in the shadow roots, that matches. */
function find(selector: string): Element | null {
  for (const element of everyElement()) if (element.matches(selector)) return element;
  return null;
}

/** What has the focus, through shadow roots: its tag, role, accessible name and pressed state as far as written. */
function focused(): { tag: string; name: string; pressed: string | null } {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return {
    tag: element?.localName ?? '',
    name: [element?.getAttribute('aria-label'), element?.textContent, element?.getAttribute('title')]
      .map((each) => each?.trim())
      .filter(Boolean)
      .join(' '),
    pressed: element?.getAttribute('aria-pressed') ?? null,
  };
}

/** Asks again and again until `probe` gives something truthy. */
async function until<T>(what: string, probe: () => T | Promise<T>): Promise<T> {
  for (const end = Date.now() + 20_000; ; await pause(10)) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
  }
}

declare const e2eOptions: PageOptions | undefined;

function failCaptures({ error, device }: NonNullable<PageOptions['capture']>): void {
  const Devices = (window as { MediaDevices?: typeof MediaDevices }).MediaDevices;
  if (!Devices) return;
  const capture = Devices.prototype.getUserMedia;
  Devices.prototype.getUserMedia = async function (this: MediaDevices, constraints?: MediaStreamConstraints) {
    if (!device || constraints?.[device]) {
      await pause(20);
      throw new DOMException('made by the test', error);
    }
    return capture.call(this, constraints);
  };
}

function delayDataChannels(most: number): void {
  const Channel = (window as { RTCDataChannel?: typeof RTCDataChannel }).RTCDataChannel;
  if (!Channel) return;
  const send = Channel.prototype.send as (this: RTCDataChannel, data: string) => void;
  const queues = new WeakMap<RTCDataChannel, Promise<void>>();
  Channel.prototype.send = function (this: RTCDataChannel, data: unknown) {
    if (this.readyState !== 'open') throw new DOMException('not open', 'InvalidStateError');
    const due = performance.now() + Math.random() * most;
    const turn = (queues.get(this) ?? Promise.resolve())
      .then(() => pause(Math.max(0, due - performance.now())))
      .then(() => void (this.readyState === 'open' && send.call(this, data as string)));
    queues.set(this, turn);
  };
}

const toolkit = {
  pause,
  until,
  counts,
  made,
  held,
  letGo,
  leftovers,
  events,
  peerConnections,
  sockets,
  room,
  summary,
  remoteMedia,
  audioStreamsFlowing,
  pictures,
  sound,
  connections,
  readable,
  find,
  focused,
  everyElement,
};
export type Toolkit = typeof toolkit;

declare global {
  // eslint-disable-next-line no-var
  var e2e: Toolkit;
}

// A page is set up once: Firefox hands preload scripts to about:blank and the page alike.
if (!('e2e' in globalThis)) {
  startCounting();
  if (typeof e2eOptions !== 'undefined') {
    if (e2eOptions.capture) failCaptures(e2eOptions.capture);
    if (e2eOptions.dataChannelDelay) delayDataChannels(e2eOptions.dataChannelDelay);
  }
  // tsx keeps function names by a helper which functions handed to a page would miss.
  Object.assign(globalThis, { e2e: toolkit, __name: (value: unknown) => value });
  for (const name of EVENT_NAMES) {
    addEventListener(name, (event) =>
      events.push({
        name,
        target: (event.target as Element | null)?.id ?? '',
        detail: plain((event as CustomEvent<unknown>).detail),
        at: Date.now(),
      }),
    );
  }
  addEventListener('unhandledrejection', (event) => {
    const reason: unknown = event.reason;
    console.error(
      `unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`,
    );
  });
}
