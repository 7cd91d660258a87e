/** What a call offers to a user interface: the contract between the core and the elements. */
import type { PmError } from '../errors.ts';
import type { CallState, Participant, Phase, Reason, SourceName } from '../state/call-state.ts';
import type { TimelineEntry } from '../transport/transport.ts';

/** Settings of a call. `room` and `relay` count for the next join, the others for the next use. */
export interface CallOptions {
  readonly room: string;
  /** Relay socket URLs, tried in turn; relative ones are resolved against the page. */
  readonly relay: string;
  readonly displayName: string;
  /** A JWT; absent: guest sign-in at the relay's origin. */
  readonly token: string | null;
  /** Asked before every connect; takes precedence over `token`. */
  readonly getToken: (() => Promise<string>) | null;
  readonly micOff: boolean;
  readonly cameraOff: boolean;
  readonly iceServers: readonly RTCIceServer[];
  readonly icePolicy: RTCIceTransportPolicy;
  /** Others in the mesh, self excluded. */
  readonly maxPeers: number;
  /** Overrides what the relay's welcome says; null follows the relay. */
  readonly roomPrefix: string | null;
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
  track: { participant: Participant; source: SourceName; stream: MediaStream };
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
  /** The dated steps of the connection to a participant; kept after it closed, until the call is disposed. */
  timeline(id: string): readonly TimelineEntry[];
  /** Somebody's sound could not be started without a gesture; the page says so, and clears it by playing again. */
  reportPlaybackBlocked(cause: unknown): void;
  /** Leaves and releases everything for good. */
  dispose(reason?: Reason): void;
}
