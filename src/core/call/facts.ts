/** What our clients say of themselves to each other, read as what it is: a stranger's word. */
import { SOURCE_NAMES, type SourceName, type SourceState } from '../state/call-state.ts';
import type { MediaStates, PeerMessage } from '../transport/transport.ts';

const STATES: readonly unknown[] = ['off', 'pending', 'on', 'silenced', 'lost'] satisfies SourceState[];

/** The state of every source, or null for anything else. */
export function readMedia({ t, media }: PeerMessage): MediaStates | null {
  if (t !== 'media') return null;
  const said = (media ?? {}) as Record<SourceName, unknown>;
  if (!SOURCE_NAMES.every((name) => STATES.includes(said[name]))) return null;
  return Object.fromEntries(SOURCE_NAMES.map((name) => [name, said[name]])) as MediaStates;
}

/** Whether somebody records, or null for anything else. */
export function readRecording({ t, on }: PeerMessage): boolean | null {
  return t === 'recording' && typeof on === 'boolean' ? on : null;
}
