/** Signals between our clients over their own channel, while that works or the relay does not. */
import type { PeerMessage, Signal } from '../transport.ts';

const KINDS: readonly unknown[] = ['offer', 'answer', 'candidate'] satisfies Signal['kind'][];

/** The signal that a message carries, or null for any other message and for a malformed one. */
export function readSignal({ t, kind, payload, conn, offer, seq }: PeerMessage): Signal | null {
  if (t !== 'signal' || !KINDS.includes(kind) || typeof payload !== 'string') return null;
  return {
    kind: kind as Signal['kind'],
    payload,
    ...(typeof conn === 'string' ? { conn } : {}),
    ...(typeof offer === 'number' ? { offer } : {}),
    ...(typeof seq === 'number' ? { seq } : {}),
  };
}
