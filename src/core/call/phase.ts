/** Which phase may follow which. Anything else is a bug of ours, not of the page. */
import type { Phase } from '../state/call-state.ts';

const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  idle: ['lobby', 'joining', 'failed'],
  lobby: ['joining', 'left', 'failed'],
  joining: ['waiting', 'joined', 'left', 'failed'],
  waiting: ['joined', 'left', 'failed'],
  joined: ['reconnecting', 'left', 'failed'],
  reconnecting: ['joined', 'left', 'failed'],
  left: ['lobby', 'joining', 'failed'],
  failed: ['lobby', 'joining', 'left', 'failed'],
};

export function mayFollow(from: Phase, to: Phase): boolean {
  return NEXT[from].includes(to);
}

/** Phases in which one is a member of the room, or on the way in. */
export function isActive(phase: Phase): boolean {
  return phase === 'joining' || phase === 'waiting' || phase === 'joined' || phase === 'reconnecting';
}
