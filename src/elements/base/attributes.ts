import type { ScreenHint } from '../../core/index.ts';

/** Attributes that are more than text: how each is read. Undefined is for what cannot be. */
type Reader<T> = (text: string | null) => T | undefined;

/** The first value is what an absent attribute means. */
const oneOf =
  <T extends string>(...values: [T, ...T[]]): Reader<T> =>
  (text) =>
    text === null ? values[0] : values.find((value) => value === text);

function iceServers(text: string | null): RTCIceServer[] | undefined {
  try {
    const list = JSON.parse(text ?? '[]') as Partial<RTCIceServer | null>[];
    return list.every((server) => server?.urls) ? (list as RTCIceServer[]) : undefined;
  } catch {
    return undefined; // no JSON, or no list
  }
}

export const readers = {
  'ice-servers': iceServers,
  'max-peers': (text: string | null) => (/^[1-9]\d{0,2}$/.test((text ??= '8')) ? Number(text) : undefined),
  'ice-policy': oneOf<RTCIceTransportPolicy>('all', 'relay'),
  'screen-hint': oneOf<ScreenHint>('detail', 'motion'),
  layout: oneOf('auto', 'grid'),
  theme: oneOf('auto', 'light', 'dark'),
};

export function unreadable(name: string, text: string | null): boolean {
  return Object.hasOwn(readers, name) && readers[name as keyof typeof readers](text) === undefined;
}
