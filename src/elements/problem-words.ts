/** From a code to what people read: what is, then what to do. */
import type { CallState, PmErrorCode, Reason } from '../core/index.ts';
import type { WordKey } from './locales/en.ts';

export interface Words {
  readonly title: WordKey;
  readonly hint?: WordKey;
}
export type Device = 'mic' | 'camera';

type DeviceCause = 'blocked' | 'none' | 'busy' | 'insecure' | 'stuck';
const DEVICE_CAUSES: Partial<Record<PmErrorCode, DeviceCause>> = {
  'permission-denied': 'blocked',
  'device-not-found': 'none',
  'device-in-use': 'busy',
  'insecure-context': 'insecure',
};

/** Why devices could not be had. */
export function problemWords(devices: readonly Device[], code: PmErrorCode): Required<Words> {
  const cause = DEVICE_CAUSES[code] ?? 'stuck';
  const which = devices.length > 1 ? 'both' : (devices[0] ?? 'camera');
  return { title: `${which}-${cause}`, hint: `${cause}-hint` };
}

/** What is wrong with one's own devices, one entry per cause. */
export function deviceProblems(
  problems: CallState['problems'],
): { devices: Device[]; words: Required<Words> }[] {
  const { mic, camera } = problems;
  if (mic && mic === camera)
    return [{ devices: ['camera', 'mic'], words: problemWords(['camera', 'mic'], mic) }];
  return (['camera', 'mic'] as const).flatMap((device) => {
    const code = problems[device];
    return code ? [{ devices: [device], words: problemWords([device], code) }] : [];
  });
}

type End =
  'over' | 'removed' | 'replaced' | 'full' | 'locked' | 'token' | 'network' | 'busy' | 'setup' | 'failed';
const ENDS: Partial<Record<PmErrorCode | Reason, End>> = {
  'host-ended': 'over',
  removed: 'removed',
  replaced: 'replaced',
  'room-full': 'full',
  'room-locked': 'locked',
  'not-admitted': 'locked',
  refused: 'locked',
  'token-invalid': 'token',
  'token-expired': 'token',
  'relay-gone': 'network',
  'relay-unreachable': 'network',
  'relay-missing': 'setup',
  'relay-refused': 'setup',
  usage: 'setup',
  'rate-limited': 'busy',
};

/** Why a call ended, or did not begin. */
export function endWords({ phase, reason, failure }: Pick<CallState, 'phase' | 'reason' | 'failure'>): Words {
  const end = ENDS[failure?.code ?? reason ?? 'user'] ?? (phase === 'failed' ? 'failed' : 'left');
  return end === 'left' || end === 'over' || end === 'removed'
    ? { title: `end-${end}` }
    : { title: `end-${end}`, hint: `end-${end}-hint` };
}
