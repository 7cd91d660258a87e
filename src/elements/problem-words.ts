/** From a code to what people read: what is, then what to do. */
import type { CallState, PmErrorCode, Reason } from '../core/index.ts';
import { translate } from './base/localize.ts';

export interface Words {
  readonly title: string;
  readonly hint: string;
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
export function deviceWords(devices: readonly Device[], code: PmErrorCode): Words {
  const cause = DEVICE_CAUSES[code] ?? 'stuck';
  const what = translate(`your-${devices.length > 1 ? 'both' : (devices[0] ?? 'camera')}`);
  return { title: translate(cause, { what }), hint: translate(`${cause}-hint`) };
}

/** What is wrong with one's own devices, one entry per cause. */
export function deviceProblems(problems: CallState['problems']): (Words & { devices: readonly Device[] })[] {
  const failing = (['camera', 'mic'] as const).filter((device) => problems[device]);
  const groups =
    problems.mic === problems.camera && failing.length ? [failing] : failing.map((device) => [device]);
  return groups.map((devices) => ({ devices, ...deviceWords(devices, problems[devices[0]!]!) }));
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
  const plain = end === 'left' || end === 'over' || end === 'removed';
  return { title: translate(`end-${end}`), hint: plain ? '' : translate(`end-${end}-hint`) };
}
