/** What a change of state is called when a page is told of it. */
import { SOURCE_NAMES, type CallState, type Participant } from '../state/call-state.ts';
import type { Action } from '../state/reducer.ts';
import type { CallEvents } from './types.ts';

type Emit = <K extends keyof CallEvents>(name: K, detail: CallEvents[K]) => void;

function changedKeys(before: Participant, after: Participant): (keyof Participant)[] {
  return (Object.keys(after) as (keyof Participant)[]).filter((key) => !Object.is(before[key], after[key]));
}

export function notify(before: CallState, after: CallState, action: Action, emit: Emit): void {
  if (before.phase !== after.phase) emit('state-change', { state: after.phase, reason: after.reason });
  if (action.type === 'chat' && action.said) emit('message', { message: action.said });
  if (action.type === 'speaker')
    emit('active-speaker', { participant: after.participants.find(({ id }) => id === action.id) ?? null });
  if (before.devices !== after.devices) emit('devices-change', { devices: after.devices });
  if (before.participants === after.participants || action.type === 'clear') return;
  if (action.type === 'remove') {
    const participant = before.participants.find(({ id }) => id === action.id);
    if (participant) emit('participant-left', { participant, reason: action.reason });
    return;
  }
  if (action.type === 'add') return emit('participant-joined', { participant: after.participants.at(-1)! });
  // Everything else replaces participants in place.
  after.participants.forEach((participant, index) => {
    const old = before.participants[index];
    if (!old || old === participant) return;
    emit('participant-updated', { participant, changed: changedKeys(old, participant) });
    const { quality } = participant;
    if (quality !== old.quality) emit('quality', { participant, quality });
    // One's own end comes with the file.
    const { recording } = participant;
    if (recording !== old.recording && (recording || !participant.self))
      emit('recording-change', { participant, recording, result: null });
    for (const source of SOURCE_NAMES) {
      const { stream } = participant.sources[source];
      if (stream && stream !== old.sources[source].stream) emit('track', { participant, source, stream });
    }
  });
}
