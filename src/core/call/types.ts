/** What a call offers to a user interface: the contract between the core and the elements. */
import type { PmError } from '../errors.ts';
import type { AudioProcessing, Device } from '../media/constraints.ts';
import type { Processor } from '../media/processing.ts';
import type { ScreenHint } from '../media/local.ts';
import type {
  CallState,
  ChatMessage,
  FileTransfer,
  DeviceKind,
  MediaDevice,
  Participant,
  Phase,
  Quality,
  Reason,
  RecordedFile,
  RecordingOptions,
  SourceName,
} from '../state/call-state.ts';
import type { LinkStats } from '../transport/stats.ts';
import type { TimelineEntry } from '../transport/transport.ts';

/** Settings of a call. `room` and `relay` count for the next join, the others for the next use. */
export interface CallOptions {
  readonly room: string;
  /** Relay socket URLs, tried in turn; relative ones are resolved against the page. */
  readonly relay: string;
  readonly displayName: string;
  /** A JWT; absent: guest sign-in at the relay's origin. */
  readonly token: string | null;
  /** Asked before every connect, which waits 15 s for it at most; takes precedence over `token`. */
  readonly getToken: (() => Promise<string>) | null;
  readonly micOff: boolean;
  readonly cameraOff: boolean;
  readonly iceServers: readonly RTCIceServer[];
  readonly icePolicy: RTCIceTransportPolicy;
  /** Others in the mesh, self excluded. */
  readonly maxPeers: number;
  /** Overrides what the relay's welcome says; null follows the relay. */
  readonly roomPrefix: string | null;
  readonly e2eePrefix: string | null;
  readonly fileChannelLabel: string | null;
  /**
   * End-to-end key of the chat, exactly as typed; blank: none. What was written under another one stays unreadable until
   * it is set here.
   */
  readonly passphrase: string;
  /** What the browser does to one's voice; absent parts are on. At once where the browser can, else the next time. */
  readonly audioProcessing: AudioProcessing;
  /** What a shared screen is about, from the next one on: `detail` (sharp text) or `motion` (smooth films). */
  readonly screenHint: ScreenHint;
}

export interface SendDataOptions {
  /** A participant's id; absent: everybody of ours who is connected. */
  readonly to?: string;
  /** Neither ordered nor sent again: for values of which only the newest counts. */
  readonly unreliable?: boolean;
}

export interface SendFileOptions {
  /** A participant's id; absent: everybody of ours who is connected. */
  readonly to?: string;
}

export interface AcceptFileOptions {
  /** A file to write to, from a save picker; absent: the browser's own storage, until the page goes. */
  readonly handle?: FileSystemFileHandle;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface CallEvents {
  'state-change': { state: Phase; reason: Reason | null };
  joined: { participant: Participant };
  left: { reason: Reason };
  /** In a two-person call (`maxPeers` 1), once the other is there. The caller is the one who offers. */
  ready: { role: 'caller' | 'callee' };
  'participant-joined': { participant: Participant };
  'participant-updated': { participant: Participant; changed: readonly (keyof Participant)[] };
  'participant-left': { participant: Participant; reason: Reason };
  /** Somebody said something, or it can be read now; one's own once the relay has echoed it. */
  message: { message: ChatMessage };
  track: { participant: Participant; source: SourceName; stream: MediaStream };
  /** Somebody else, oneself included, speaks now. */
  'active-speaker': { participant: Participant | null };
  /** How well somebody's media arrives; of oneself, what limits what others see. */
  quality: { participant: Participant; quality: Quality };
  /** Somebody, oneself included, reacted with one emoji. */
  reaction: { participant: Participant; emoji: string };
  /** Another page said something: JSON, or bytes as a `Uint8Array`. A stranger's word. `from` is a participant's id. */
  data: { topic: string; data: unknown; from: string };
  /** A file is offered to or by somebody, or its transfer is in another state. */
  file: FileTransfer;
  /**
   * Somebody says that they record the call, or no longer. One's own recording has ended once its file is complete:
   * `result`, null when it could not be kept.
   */
  'recording-change': { participant: Participant; recording: boolean; result: RecordedFile | null };
  'devices-change': { devices: readonly MediaDevice[] };
  error: { code: PmError['code']; recoverable: boolean; error: PmError };
}

/** A participant's presence in a room, headless. */
export interface CallLike {
  /** The current frozen state. */
  readonly snapshot: CallState;
  /** Calls back whenever the selected part changes by `Object.is`; the answer ends that. Never calls at once. */
  subscribe<T>(selector: (state: CallState) => T, callback: (value: T, before: T) => void): () => void;
  on<K extends keyof CallEvents>(name: K, callback: (detail: CallEvents[K]) => void): () => void;
  configure(options: Partial<CallOptions>): void;
  /** Enters the lobby: socket open, token checked, offers gathered; nobody in the room learns of it. Captures nothing. */
  prepare(): Promise<void>;
  /** In the lobby: captures what is wanted, so that one sees oneself. */
  preview(): Promise<void>;
  /** Twice returns one promise. @throws {PmError} when the join fails; the phase then is `failed`. */
  join(): Promise<void>;
  leave(reason?: Reason): Promise<void>;
  /** Resolves to what is wanted now, after it has become real. @throws {PmError} when the device cannot be had. */
  toggleMic(force?: boolean): Promise<boolean>;
  toggleCamera(force?: boolean): Promise<boolean>;
  /** Raises or lowers one's hand. Resolves to what it is now. */
  toggleHand(force?: boolean): Promise<boolean>;
  /** Shows everybody one emoji. @throws {PmError} `usage` for anything else */
  react(emoji: string): Promise<void>;
  /**
   * Sends the page's own data under a topic of 1 to 64 bytes that does not start with `pm:`: a JSON value or bytes, up
   * to 64 KiB, or 1,100 bytes when `unreliable`. Resolves once every addressee's channel has room for it.
   * @throws {PmError} `usage` for bad input, `data-closed` when an addressee cannot be reached, `rate-limited` when too
   *   much waits already
   */
  sendData(topic: string, data: unknown, options?: SendDataOptions): Promise<void>;
  /**
   * Says something to everybody in the room: 1 to 5,000 code points, or 3,000 and about 3,600 bytes of UTF-8 under a
   * passphrase. Appears in `messages` at once; resolves when the relay has echoed it.
   * @throws {PmError} `usage` for a text that cannot be said, `crypto-unsupported` on an insecure page with a passphrase,
   *   `relay-unreachable` when there was no echo within 20 s (it is said once the relay is back), or why it was refused
   */
  sendMessage(text: string): Promise<void>;
  /** Says a message again that is `failed`. @throws {PmError} as `sendMessage` */
  retryMessage(id: string): Promise<void>;
  /** Tells the others that one is typing; ends by itself 4 s after it was last set. */
  setTyping(on: boolean): void;
  /**
   * Offers a file, directly. Resolves to the ids of the transfers, one for each addressee, once it is offered; the
   * state's `files` and the event `file` tell the rest. It goes on by itself after a link was away.
   * A picture is shown at once to those with an original client, and in one's own chat.
   * @throws {PmError} `usage` for anything but a Blob, `data-closed` when nobody can be reached, `rate-limited` when
   *   eight offers wait for an answer already, `crypto-unsupported` on a page that is not secure
   */
  sendFile(file: Blob, options?: SendFileOptions): Promise<readonly string[]>;
  /**
   * Takes a file that is offered; it is in `files` as `blob` once it is whole and verified.
   * @throws {PmError} `usage` for another id, `unsupported` when there is no place for so much
   */
  acceptFile(id: string, options?: AcceptFileOptions): Promise<void>;
  /** The sender is told (`file-refused`). @throws {PmError} `usage` for an id that is not offered */
  declineFile(id: string): Promise<void>;
  /** Ends a transfer of either direction; of one that has ended, forgets what it left in the browser's storage. */
  cancelFile(id: string): Promise<void>;
  /**
   * Records the call on this device until `stopRecording`, or until the call ends: told to everybody first. Resolves
   * once it runs. @throws {PmError} `unsupported`, `activation-required`, `capture-failed`, `usage` outside a call
   */
  startRecording(options?: RecordingOptions): Promise<void>;
  /** The newest recording, ended now unless it has before. @throws {PmError} `capture-failed`, `usage` without one */
  stopRecording(): Promise<RecordedFile>;
  /**
   * Shares the screen, with its sound where the browser gives it. To be called from within a gesture.
   * @throws {PmError} `screen-refused`, `activation-required`, `unsupported`, or `usage` outside of a call
   */
  toggleScreen(force?: boolean): Promise<boolean>;
  /** What is plugged in; ids and labels as far as the browser has permission to tell. */
  devices(): Promise<readonly MediaDevice[]>;
  /**
   * Chooses a device, before or during a call; empty: whichever the browser takes. `camera` also takes `user` and
   * `environment`, a phone's front and back. During a call the one in use stays until the new one works.
   * @throws {PmError} of the media family when it cannot be had; the one before is back then. `unsupported` for a
   *   loudspeaker where the browser leaves no choice.
   */
  setDevice(kind: DeviceKind, id: string): Promise<void>;
  /**
   * Puts a treatment of the page's own between a device and what is sent and shown: blur, a noise model. Null ends it.
   * @throws {PmError} `capture-failed` when it fails; the device's own track is sent then, and `error` says so too
   */
  setProcessor(device: Device, processor: Processor | null): Promise<void>;
  /** The dated steps of the connection to a participant; kept after it closed, until the call is disposed. */
  timeline(id: string): readonly TimelineEntry[];
  /** The newest reading of every connection, at most a second old; empty outside a call. */
  getStats(): Promise<readonly (LinkStats & { readonly id: string })[]>;
  /**
   * Says how large a picture of somebody else is shown, in device pixels; null while nobody can see it. What is not
   * seen costs its sender next to nothing. Pictures of which nothing is said are sent at their usual size.
   * @param viewer what shows it, where there may be several: the largest counts
   */
  show(id: string, source: 'camera' | 'screen', size: Size | null, viewer?: object): void;
  /**
   * Calls back about ten times a second with how loud somebody is (root mean square, 0 to 1), past the store; the
   * answer ends that. Costs nothing while nobody listens.
   */
  levels(id: string, callback: (level: number) => void): () => void;
  /**
   * For whoever plays the sound: it could not be started without a gesture. Null: it plays.
   * @param resume starts it; called by `playSound` in the call stack of a gesture
   */
  reportPlaybackBlocked(cause: unknown, resume?: () => void): void;
  /** Starts the sound that the browser held back (`soundBlocked`). To be called from within a gesture. */
  playSound(): void;
  /** Leaves and releases everything for good: `join` fails with `usage` from then on. */
  dispose(reason?: Reason): void;
}
