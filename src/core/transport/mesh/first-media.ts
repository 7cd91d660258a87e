/**
 * Notices the first packet and the first decoded picture of a connection, and the path they take. Browsers have no
 * event for these, so the statistics are read a few times after the connection is up, and never again.
 */
import type { Platform } from '../../platform.ts';
import type { PathKind } from '../../state/call-state.ts';

/** The first reading comes after so many milliseconds, every next one after half as much again, for about a minute. */
const FIRST_READING = 20;
const READINGS = 18;

interface Entry {
  readonly id: string;
  readonly type: string;
  readonly kind?: string;
  readonly packetsReceived?: number;
  readonly framesDecoded?: number;
  readonly selectedCandidatePairId?: string;
  readonly selected?: boolean;
  readonly nominated?: boolean;
  readonly state?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly candidateType?: string;
}

export interface FirstMediaHooks {
  /** At every reading from the first packet on. */
  packet(): void;
  path(path: PathKind): void;
  frame(): void;
  warn(message: string, error: unknown): void;
}

/** The path of the selected pair: relayed when either end of it is a TURN server's. */
function pathOf(entries: readonly Entry[]): PathKind {
  const selected = entries.find(({ type }) => type === 'transport')?.selectedCandidatePairId;
  const pair = entries.find(({ id, nominated, state }) =>
    selected ? id === selected : nominated && state === 'succeeded',
  );
  if (!pair) return 'unknown';
  const relayed = entries.some(
    ({ id, candidateType }) =>
      candidateType === 'relay' && (id === pair.localCandidateId || id === pair.remoteCandidateId),
  );
  return relayed ? 'relayed' : 'direct';
}

/** Starts reading. @returns a function that stops it */
export function watchFirstMedia(
  platform: Platform,
  pc: RTCPeerConnection,
  hooks: FirstMediaHooks,
): () => void {
  let stopped = false;
  let cancel = () => {};

  const read = async (): Promise<void> => {
    const entries = [...((await pc.getStats()) as unknown as ReadonlyMap<string, Entry>).values()];
    if (stopped) return;
    const received = (count: 'packetsReceived' | 'framesDecoded') =>
      entries.some((entry) => entry.type === 'inbound-rtp' && (entry[count] ?? 0) > 0);
    if (received('packetsReceived')) {
      hooks.packet();
      hooks.path(pathOf(entries));
    }
    if (received('framesDecoded')) {
      hooks.frame();
      stopped = true;
    }
  };

  const next = (index: number): void => {
    if (stopped || index === READINGS) return;
    cancel = platform.after(FIRST_READING * 1.5 ** index, () => {
      read().then(
        () => next(index + 1),
        (error: unknown) => stopped || hooks.warn('Statistics could not be read.', error),
      );
    });
  };

  next(0);
  return () => {
    stopped = true;
    cancel();
  };
}
