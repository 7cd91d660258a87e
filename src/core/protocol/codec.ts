/** Frames to messages and back: bytes or text in, validated objects out, or a `ProtocolError`. */
import { LIMITS } from './limits.ts';
import { RELAY_DATA, type ClientMessage, type RelayMessage, type RelayType } from './schema.ts';

/** A frame that breaks the protocol. `text` is what the relay may answer; no code of ours throws anything else here. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: string;
  constructor(message: string, code = 'protocol') {
    super(message);
    this.code = code;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A socket frame as parsed JSON. Both directions use text and binary frames alike.
 * @throws {ProtocolError} when the frame is too long, not UTF-8, not JSON or not an object.
 */
export function decodeFrame(frame: string | ArrayBuffer | Uint8Array): Record<string, unknown> {
  const size = typeof frame === 'string' ? frame.length : frame.byteLength;
  if (size > LIMITS.frameBytes) throw new ProtocolError('Message is too long');
  let value: unknown;
  try {
    value = JSON.parse(typeof frame === 'string' ? frame : utf8.decode(frame));
  } catch {
    throw new ProtocolError('Invalid message');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProtocolError('Invalid message');
  return value as Record<string, unknown>;
}

/**
 * What the relay sent, narrowed to the messages this client knows.
 * @throws {ProtocolError} for anything else; an unknown type has the code `unknown-type`.
 */
export function decodeRelayMessage(frame: string | ArrayBuffer | Uint8Array): RelayMessage {
  const { type, room, from, data } = decodeFrame(frame);
  if (typeof type !== 'string' || !Object.hasOwn(RELAY_DATA, type)) {
    throw new ProtocolError(`Unknown message type ${String(type)}`, 'unknown-type');
  }
  if (!RELAY_DATA[type as RelayType](data)) throw new ProtocolError(`${type} with data of the wrong shape`);
  return {
    type,
    data,
    ...(typeof room === 'string' ? { room } : {}),
    ...(typeof from === 'string' ? { from } : {}),
  } as RelayMessage;
}

export function encode(
  message: ClientMessage | { type: string; room?: string; data: unknown; from?: string },
): string {
  return JSON.stringify(message);
}
