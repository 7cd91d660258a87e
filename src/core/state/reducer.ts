/** Every change of a call's state, as pure functions: the same state back when nothing changed. */
import type { PmErrorCode } from '../errors.ts';
import {
  newParticipant,
  type CallFailure,
  type CallState,
  type ChatMessage,
  type FileTransfer,
  type Participant,
  type Phase,
  type Reason,
  type RelayState,
  type Source,
  type SourceName,
  type Wanted,
} from './call-state.ts';

export type Action =
  | { type: 'phase'; phase: Phase; reason?: Reason | null; failure?: CallFailure | null }
  | { type: 'room'; room: string }
  | { type: 'relay'; relay: RelayState }
  | { type: 'wanted'; wanted: Partial<Wanted> }
  | { type: 'set'; patch: Partial<CallState> }
  | { type: 'problem'; source: 'mic' | 'camera'; code: PmErrorCode | null }
  | { type: 'files'; files: readonly FileTransfer[] }
  | { type: 'add'; participant: Participant }
  /** `self` names oneself, whatever the id. */
  | { type: 'update'; id: string; patch: Partial<Participant> }
  | { type: 'source'; id: string; source: SourceName; value: Partial<Source> }
  | { type: 'speaker'; id: string | null }
  | { type: 'remove'; id: string; reason: Reason }
  /** `said`: the message that is now said, or can now be read. */
  | { type: 'chat'; patch: Partial<Pick<CallState, 'messages' | 'typing'>>; said?: ChatMessage }
  /** Back to being alone. */
  | { type: 'clear' };

/** `base` with `patch` laid over it, frozen; `base` itself when that changes nothing. */
function merge<T extends object>(base: T, patch: Partial<T>): T {
  const changed = (Object.keys(patch) as (keyof T)[]).some((key) => !Object.is(base[key], patch[key]));
  return changed ? Object.freeze({ ...base, ...patch }) : base;
}

function updateParticipant(
  state: CallState,
  id: string,
  change: (before: Participant) => Participant,
): CallState {
  let changed = false;
  const participants = state.participants.map((before) => {
    if (before.id !== id && !(id === 'self' && before.self)) return before;
    const after = change(before);
    changed ||= after !== before;
    return after;
  });
  return changed ? merge(state, { participants: Object.freeze(participants) }) : state;
}

function setProblem(state: CallState, source: 'mic' | 'camera', code: PmErrorCode | null): CallState {
  if ((state.problems[source] ?? null) === code) return state;
  const { [source]: _, ...others } = state.problems;
  return merge(state, { problems: Object.freeze(code ? { ...others, [source]: code } : others) });
}

export function reduce(state: CallState, action: Action): CallState {
  switch (action.type) {
    case 'phase':
      return merge(state, {
        phase: action.phase,
        reason: action.reason ?? null,
        failure: action.failure ?? null,
      });
    case 'room':
      return merge(state, { room: action.room });
    case 'relay':
      return merge(state, { relay: action.relay });
    case 'wanted':
      return merge(state, { wanted: merge(state.wanted, action.wanted) });
    case 'set':
      return merge(state, action.patch);
    case 'problem':
      return setProblem(state, action.source, action.code);
    case 'files':
      return merge(state, { files: action.files });
    case 'add':
      return state.participants.some(({ id }) => id === action.participant.id)
        ? state
        : merge(state, {
            participants: Object.freeze([...state.participants, newParticipant(action.participant)]),
          });
    case 'update':
      return updateParticipant(state, action.id, (before) => merge(before, action.patch));
    case 'source':
      return updateParticipant(state, action.id, (before) => {
        const source = merge(before.sources[action.source], action.value);
        return merge(before, { sources: merge(before.sources, { [action.source]: source }) });
      });
    case 'speaker':
      return merge(state, { activeSpeaker: action.id });
    case 'remove':
      return state.participants.some(({ id, self }) => id === action.id && !self)
        ? merge(state, {
            participants: Object.freeze(state.participants.filter(({ id }) => id !== action.id)),
            typing: Object.freeze(state.typing.filter((id) => id !== action.id)),
            activeSpeaker: state.activeSpeaker === action.id ? null : state.activeSpeaker,
          })
        : state;
    case 'chat':
      return merge<CallState>(state, action.patch);
    case 'clear':
      return state.participants.length > 1 || state.activeSpeaker
        ? merge(state, { participants: Object.freeze(state.participants.slice(0, 1)), activeSpeaker: null })
        : state;
  }
}
