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

export interface Source {
  readonly state: SourceState;
  /** The media, for the page to play; null while there is none. */
  readonly stream: MediaStream | null;
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
  readonly quality: QualityLevel;
  readonly sources: Sources;
}

/** How the socket to the relay stands. Losing it never ends a call. */
export type RelayState = 'closed' | 'connecting' | 'open';

export interface Wanted {
  readonly mic: boolean;
  readonly camera: boolean;
}

export interface CallFailure {
  readonly code: PmErrorCode;
  readonly recoverable: boolean;
  readonly message: string;
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
  /** Oneself first, then everybody else in order of appearance. Never empty. */
  readonly participants: readonly Participant[];
}

export const SOURCE_NAMES: readonly SourceName[] = ['mic', 'camera', 'screen', 'screenAudio'];
export const NO_SOURCE: Source = Object.freeze({ state: 'off', stream: null });
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
    quality: 'unknown' as const,
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
    wanted: Object.freeze({ mic: true, camera: true }),
    problems: Object.freeze({}),
    participants: Object.freeze([newParticipant({ id: 'self', name: '', self: true })]),
  });
}

/** The participant that `id` names; `self` names oneself. */
export function participant(state: CallState, id: string): Participant | undefined {
  return id === 'self' ? state.participants[0] : state.participants.find((each) => each.id === id);
}
