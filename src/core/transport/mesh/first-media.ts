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
  packet(): void;
  frame(): void;
  path(path: PathKind): void;
  warn(message: string, error: unknown): void;
}

/** The path of the selected pair: relayed when either end of it is a TURN server's. */
export function pathOf(report: ReadonlyMap<string, Entry>): PathKind {
  const entries = [...report.values()];
  const selected = entries.find(({ type }) => type === 'transport')?.selectedCandidatePairId;
  const pair = selected
    ? report.get(selected)
    : entries.find((each) => each.type === 'candidate-pair' && each.nominated && each.state === 'succeeded');
  if (!pair) return 'unknown';
  const ends = [pair.localCandidateId, pair.remoteCandidateId].map(
    (id) => report.get(id ?? '')?.candidateType,
  );
  return ends.includes('relay') ? 'relayed' : 'direct';
}

/** Starts reading. @returns a function that stops it */
export function watchFirstMedia(
  platform: Platform,
  pc: RTCPeerConnection,
  hooks: FirstMediaHooks,
): () => void {
  let stopped = false;
  let cancel = () => {};
  let seen = { packet: false, frame: false };

  const read = async (): Promise<void> => {
    const report = (await pc.getStats()) as unknown as ReadonlyMap<string, Entry>;
    if (stopped) return;
    const inbound = [...report.values()].filter(({ type }) => type === 'inbound-rtp');
    const before = seen;
    seen = {
      packet: before.packet || inbound.some(({ packetsReceived = 0 }) => packetsReceived > 0),
      frame: before.frame || inbound.some(({ framesDecoded = 0 }) => framesDecoded > 0),
    };
    if (seen.packet && !before.packet) {
      hooks.packet();
      hooks.path(pathOf(report));
    }
    if (seen.frame && !before.frame) hooks.frame();
  };

  const next = (index: number): void => {
    if (stopped || index === READINGS || seen.frame) return;
    cancel = platform.after(FIRST_READING * 1.5 ** index, () => {
      read()
        .then(() => next(index + 1))
        .catch((error: unknown) => !stopped && hooks.warn('Statistics could not be read.', error));
    });
  };

  next(0);
  return () => {
    stopped = true;
    cancel();
  };
}
