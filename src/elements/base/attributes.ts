/** Attributes that are more than text: how each is read, and what is said when it cannot be. */
import type { ComplexAttributeConverter } from 'lit';

interface Reader<T> {
  /** What an absent attribute means. */
  readonly fallback: T;
  /** What a page is told to write instead. */
  readonly expected: string;
  /** Undefined for what cannot be read. */
  read(text: string): T | undefined;
}

function oneOf<T extends string>(...values: [T, ...T[]]): Reader<T> {
  return {
    fallback: values[0],
    expected: values.join(' | '),
    read: (text) => values.find((value) => value === text),
  };
}

function isIceServer(value: unknown): boolean {
  const urls = (value as RTCIceServer | null)?.urls as unknown;
  return [urls].flat().every((url) => typeof url === 'string' && /^(stun|turn)s?:/.test(url));
}

const iceServers: Reader<readonly RTCIceServer[]> = {
  fallback: [],
  expected: 'a JSON list of RTCIceServer',
  read(text) {
    try {
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) && value.every(isIceServer) ? (value as RTCIceServer[]) : undefined;
    } catch {
      return undefined;
    }
  },
};

const maxPeers: Reader<number> = {
  fallback: 8,
  expected: 'a positive integer',
  read: (text) => (/^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined),
};

const readers = {
  'ice-servers': iceServers,
  'max-peers': maxPeers,
  'ice-policy': oneOf<RTCIceTransportPolicy>('all', 'relay'),
  layout: oneOf('auto', 'grid'),
  theme: oneOf('auto', 'light', 'dark'),
};

export function read(name: keyof typeof readers): ComplexAttributeConverter {
  const reader = readers[name];
  return { fromAttribute: (text) => (text === null ? reader.fallback : reader.read(text)) };
}

/** What is wrong with an attribute's text, if anything. */
export function complaint(name: string, text: string | null): string | null {
  const reader = (readers as Partial<Record<string, Reader<unknown>>>)[name];
  if (!reader || text === null || reader.read(text) !== undefined) return null;
  return `<pm-room ${name}>: expected ${reader.expected}, got "${text}"`;
}
