/**
 * Every failure that a page or a person may meet, by code. Codes are string literals and the list is closed: tell
 * errors apart by `code`, never by `instanceof`, since two copies of this script may share a page.
 */
export type MediaErrorCode =
  | 'permission-denied'
  | 'device-not-found'
  | 'device-in-use'
  | 'overconstrained'
  | 'insecure-context'
  | 'capture-failed'
  | 'playback-blocked'
  | 'screen-refused';
export type SignalingErrorCode =
  | 'relay-missing'
  | 'relay-unreachable'
  | 'relay-refused'
  | 'token-invalid'
  | 'room-full'
  | 'room-locked'
  | 'not-admitted'
  | 'rate-limited'
  | 'protocol';
export type PeerErrorCode =
  | 'negotiation-failed'
  | 'ice-failed'
  | 'turn-needed'
  | 'data-closed'
  | 'file-refused'
  | 'file-corrupt'
  | 'peer-misbehaved';
export type CryptoErrorCode = 'crypto-unsupported' | 'decrypt-failed';
export type UseErrorCode = 'usage' | 'activation-required' | 'unsupported';
export type PmErrorCode =
  MediaErrorCode | SignalingErrorCode | PeerErrorCode | CryptoErrorCode | UseErrorCode;

/** Codes after which trying the same thing again may succeed without anybody changing a setting. */
const RECOVERABLE: readonly PmErrorCode[] = [
  'permission-denied',
  'device-not-found',
  'device-in-use',
  'capture-failed',
  'playback-blocked',
  'relay-unreachable',
  'room-full',
  'rate-limited',
];

/** An error with a code. `message` is for developers; what people read comes from the locales, by code. */
export class PmError extends Error {
  override readonly name = 'PmError';
  readonly code: PmErrorCode;
  readonly recoverable: boolean;

  constructor(code: PmErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.recoverable = RECOVERABLE.includes(code);
  }
}

/** Whether a thrown value is an error of ours, from whichever copy of the script. */
export function isPmError(value: unknown): value is PmError {
  return value instanceof Error && value.name === 'PmError' && 'code' in value;
}

/** `value` itself when it is ours, else wrapped under `code`. */
export function toPmError(value: unknown, code: PmErrorCode): PmError {
  if (isPmError(value)) return value;
  return new PmError(code, value instanceof Error ? value.message : String(value), value);
}

/** getUserMedia's DOMException names (Media Capture and Streams, and what browsers added) folded into causes. */
const CAPTURE_CODES: Readonly<Record<string, PmErrorCode>> = {
  NotAllowedError: 'permission-denied',
  SecurityError: 'permission-denied',
  NotFoundError: 'device-not-found',
  NotReadableError: 'device-in-use',
  OverconstrainedError: 'overconstrained',
  // getDisplayMedia without a gesture.
  InvalidStateError: 'activation-required',
};

/** A rejection of getUserMedia as a `PmError` of the media family. */
export function fromCaptureError(value: unknown): PmError {
  if (isPmError(value)) return value;
  const name = value instanceof Error ? value.name : '';
  return new PmError(
    CAPTURE_CODES[name] ?? 'capture-failed',
    value instanceof Error ? value.message : String(value),
    value,
  );
}

/** Reasons for which a call, or somebody's part in it, ends. The list is closed. */
export const REASONS = [
  'user',
  'removed',
  'host-ended',
  'replaced',
  'room-full',
  'room-locked',
  'token-expired',
  'refused',
  'relay-gone',
  'page-hidden',
  'element-removed',
] as const;
export type Reason = (typeof REASONS)[number];
