/** From a code to what people read: what is and, on a second line, what to do. */
import type { CallState, PmErrorCode, Reason } from '../core/index.ts';
import { keyFor, translate } from './base/localize.ts';

export type Device = 'mic' | 'camera';
export interface Problem {
  readonly devices: readonly Device[];
  readonly text: string;
}

/** Why devices could not be had. */
export function problem(code: PmErrorCode, ...devices: Device[]): Problem {
  const what = translate(`your-${devices.length > 1 ? 'both' : devices[0]!}`);
  return { devices, text: translate(keyFor(code, 'capture-failed'), what) };
}

/** What is wrong with one's own devices, one entry per cause. */
export function deviceProblems({ camera, mic }: CallState['problems']): Problem[] {
  if (camera && camera === mic) return [problem(camera, 'camera', 'mic')];
  return [...(camera ? [problem(camera, 'camera')] : []), ...(mic ? [problem(mic, 'mic')] : [])];
}

/** Codes and reasons that mean the same to people as another one. */
const ALIKE: Partial<Record<PmErrorCode | Reason, PmErrorCode>> = {
  'not-admitted': 'room-locked',
  refused: 'room-locked',
  'token-expired': 'token-invalid',
  'relay-gone': 'relay-unreachable',
  'relay-missing': 'usage',
  'relay-refused': 'usage',
};

/** Why a call ended, or did not begin. */
export function endWords({
  phase,
  reason,
  failure,
}: Pick<CallState, 'phase' | 'reason' | 'failure'>): string {
  const why = failure?.code ?? reason ?? 'user';
  return translate(keyFor(ALIKE[why] ?? why, phase === 'failed' ? 'failed' : 'ended'));
}
