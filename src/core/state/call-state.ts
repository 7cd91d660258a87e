/** The call as a value: frozen snapshots that pages and elements read. Nothing here changes anything. */
import type { PmErrorCode, Reason } from '../errors.ts';

export type { Reason };
export type Role = 'host' | 'guest';

export type Phase = 'idle' | 'lobby' | 'joining' | 'waiting' | 'joined' | 'reconnecting' | 'left' | 'failed';
export type SourceName = 'mic' | 'camera' | 'screen' | 'screenAudio';
/** `silenced`: captured but muted. `lost`: the device went away. */
export type SourceState = 'off' | 'pending' | 'on' | 'silenced' | 'lost';
export type LinkState = 'new' | 'connecting' | 'connected' | 'interrupted' | 'failed' | 'none';
export type PathKind = 'unknown' | 'direct' | 'relayed';
export type QualityLevel = 'unknown' | 'good' | 'fair' | 'poor';
/** What a quality below `good` comes from: the network's loss, delay or jitter, or what the person sees of it. */
export type QualityReason = 'loss' | 'delay' | 'jitter' | 'freezes' | 'bandwidth' | 'processor';
export interface Quality {
  readonly level: QualityLevel;
  /** Null while the level is `good` or `unknown`. */
  readonly reason: QualityReason | null;
}

export interface Source {
  readonly state: SourceState;
  /** The media, for the page to play; null while there is none. */
  readonly stream: MediaStream | null;
  /** One's own camera, unless it looks away from oneself: shown as in a mirror. */
  readonly mirrored?: boolean;
  /** One's own device in use, by its id. */
  readonly device?: string;
}
export type Sources = Readonly<Record<SourceName, Source>>;

export interface Participant {
  readonly id: string;
  readonly name: string;
  readonly self: boolean;
  readonly role: Role;
  /** The peer connection to this person; `none` for oneself. */
  readonly link: LinkState;
  readonly path: PathKind;
  readonly speaking: boolean;
  readonly hand: boolean;
  /** Records the call on their device, and said so. */
  readonly recording: boolean;
  /** How well their media arrives here. */
  readonly quality: Quality;
  readonly sources: Sources;
}

/**
 * How a message is kept from others than those in the room: `encrypted` under a passphrase, `direct` from browser to
 * browser, `plain` not at all. `undecryptable`: written under another passphrase; its text comes with the right one.
 */
export type Security = 'encrypted' | 'direct' | 'plain' | 'undecryptable';

export interface ChatMessage {
  readonly id: string;
  /** A participant's id, who may have left since; `participants[0].id` is oneself. */
  readonly from: string;
  /** Their name when they said it. */
  readonly name: string;
  /** What was said; the file name of a picture. Empty while it cannot be decrypted. */
  readonly text: string;
  /** When it was said or came in, in milliseconds since the Unix epoch. */
  readonly at: number;
  /** One's own are `sending` until the relay has echoed them. A `failed` one is kept, and may be sent again. */
  readonly state: 'sending' | 'sent' | 'failed';
  readonly security: Security;
  /** PNG, JPEG, WebP or GIF, from an original client. */
  readonly image: Blob | null;
}

/** How the socket to the relay stands. Losing it never ends a call. */
export type RelayState = 'closed' | 'connecting' | 'open';

export interface Wanted {
  readonly mic: boolean;
  readonly camera: boolean;
  readonly screen: boolean;
}

export type DeviceKind = 'mic' | 'camera' | 'speaker';
export interface MediaDevice {
  readonly kind: DeviceKind;
  /** Empty, as the label is, until the browser has permission to tell. */
  readonly id: string;
  readonly label: string;
}

export interface CallFailure {
  readonly code: PmErrorCode;
  readonly recoverable: boolean;
  readonly message: string;
}

/** `paused`: the link is away; it goes on by itself. `declined`, `cancelled`: by either side. */
export type FileState = 'offered' | 'active' | 'paused' | 'done' | 'declined' | 'cancelled' | 'failed';

/** A file on its way between oneself and one other. */
export interface FileTransfer {
  readonly id: string;
  /** The other one's id. */
  readonly peer: string;
  readonly outgoing: boolean;
  /** Text without a path; a stranger's, as is `type`. */
  readonly name: string;
  /** The media type as the sender says it, or empty. */
  readonly type: string;
  /** In bytes. */
  readonly size: number;
  readonly state: FileState;
  /** Sent, or received; about five times a second. */
  readonly bytes: number;
  /** What arrived, once `done`: bytes without a type of their own. Null for what was sent. */
  readonly blob: File | null;
  /** Why it failed. */
  readonly code: PmErrorCode | null;
}

export interface CallState {
  readonly phase: Phase;
  /** Why the call ended, once `phase` is `left` or `failed`. */
  readonly reason: Reason | null;
  /** What ended the attempt, once `phase` is `failed`. */
  readonly failure: CallFailure | null;
  readonly room: string;
  readonly relay: RelayState;
  /** What the person asked for; `participants[0].sources` says what is. */
  readonly wanted: Wanted;
  /** The last capture failure of each device, until it works or is switched off. */
  readonly problems: Readonly<Partial<Record<'mic' | 'camera', PmErrorCode>>>;
  /** What is plugged in, as last looked at. */
  readonly devices: readonly MediaDevice[];
  /**
   * What the person chose, by id; empty: whatever the browser takes. A camera may be `user` or `environment`, a phone's
   * front and back. A device that is missing stays chosen: `sources` says which one is in use.
   */
  readonly chosen: Readonly<Record<DeviceKind, string>>;
  /** The browser holds sound back until a gesture: `playSound()` within one mends it. */
  readonly soundBlocked: boolean;
  /** Oneself first, then everybody else in order of appearance. Never empty. */
  readonly participants: readonly Participant[];
  /** The newest 500, in the order in which they came. */
  readonly messages: readonly ChatMessage[];
  /** Ids of those who are typing, oneself never among them. */
  readonly typing: readonly string[];
  /** Files on their way and those that came, in order of appearance. */
  readonly files: readonly FileTransfer[];
  /** Id of whoever speaks, or spoke last and is still there. */
  readonly activeSpeaker: string | null;
}

export const NONE: readonly never[] = Object.freeze([]);
export interface RecordingOptions {
  /** A file that the person chose (File System Access), written while the recording runs. */
  readonly handle?: FileSystemFileHandle;
  /** What the file is to hold; by default what the browser encodes most lightly. */
  readonly mimeType?: string;
}

/** A recording that has ended. */
export interface RecordedFile {
  /** On disk where the browser can; in the origin private file system it is kept for a day. */
  readonly file: Blob;
  readonly mimeType: string;
  readonly durationMs: number;
}

export const UNKNOWN_QUALITY: Quality = Object.freeze({ level: 'unknown', reason: null });
export const SOURCE_NAMES: readonly SourceName[] = ['mic', 'camera', 'screen', 'screenAudio'];
export const NO_SOURCE: Source = Object.freeze({ state: 'off', stream: null });
export const PENDING: Source = Object.freeze({ state: 'pending', stream: null });
export const NO_SOURCES: Sources = Object.freeze({
  mic: NO_SOURCE,
  camera: NO_SOURCE,
  screen: NO_SOURCE,
  screenAudio: NO_SOURCE,
});

export const asRole = (text: string | undefined): Role => (text === 'host' ? 'host' : 'guest');

export function newParticipant(
  fields: Pick<Participant, 'id' | 'name' | 'self'> & Partial<Participant>,
): Participant {
  return Object.freeze({
    role: 'guest' as const,
    link: fields.self ? ('none' as const) : ('new' as const),
    path: 'unknown' as const,
    speaking: false,
    hand: false,
    recording: false,
    quality: UNKNOWN_QUALITY,
    sources: NO_SOURCES,
    ...fields,
  });
}

export function initialState(): CallState {
  return Object.freeze({
    phase: 'idle' as const,
    reason: null,
    failure: null,
    room: '',
    relay: 'closed' as const,
    wanted: Object.freeze({ mic: true, camera: true, screen: false }),
    problems: Object.freeze({}),
    activeSpeaker: null,
    devices: Object.freeze([]),
    chosen: Object.freeze({ mic: '', camera: '', speaker: '' }),
    soundBlocked: false,
    participants: Object.freeze([newParticipant({ id: 'self', name: '', self: true })]),
    messages: NONE,
    typing: NONE,
    files: NONE,
  });
}

/** The participant that `id` names; `self` names oneself. */
export function participant(state: CallState, id: string): Participant | undefined {
  return id === 'self' ? state.participants[0] : state.participants.find((each) => each.id === id);
}
