/** Attributes that are more than text. What cannot be read throws; `<pm-room>` makes a `pm-error` of it. */
import type { ComplexAttributeConverter } from 'lit';
import { PmError } from '../../core/index.ts';

/** A converter that answers with `fallback` for an absent attribute and complains in one voice. */
function attribute<T>(
  fallback: T,
  read: (text: string) => T | undefined,
  expected: string,
): ComplexAttributeConverter<T> {
  return {
    fromAttribute(text) {
      if (text === null) return fallback;
      const value = read(text);
      if (value === undefined) throw new PmError('usage', `expected ${expected}, got "${text}"`);
      return value;
    },
  };
}

export function oneOf<T extends string>(...values: [T, ...T[]]): ComplexAttributeConverter<T> {
  return attribute(values[0], (text) => values.find((value) => value === text), values.join(' | '));
}

export const positive = (fallback: number): ComplexAttributeConverter<number> =>
  attribute(
    fallback,
    (text) => (/^[1-9]\d{0,3}$/.test(text.trim()) ? Number(text) : undefined),
    'a positive integer',
  );

function isIceServer(value: unknown): value is RTCIceServer {
  const urls = (value as RTCIceServer | null)?.urls as unknown;
  return [urls].flat().every((url) => typeof url === 'string' && /^(stun|turn)s?:/.test(url));
}

export const iceServers = attribute<readonly RTCIceServer[]>(
  [],
  (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) && value.every(isIceServer) ? value : undefined;
    } catch {
      return undefined;
    }
  },
  'a JSON list of RTCIceServer',
);
