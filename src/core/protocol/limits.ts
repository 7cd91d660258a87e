/** Bounds of the wire, shared by relay and clients. Sizes in bytes, lengths in Unicode code points. */
export const LIMITS = {
  /** Longest frame either side accepts, in bytes. */
  frameBytes: 65_536,
  /** Longest room id on the wire, prefix included. */
  roomLength: 128,
  /** Longest display name. */
  nameLength: 32,
  /** Longest chat text after trimming. */
  messageLength: 5_000,
  /** Prepared offers that one `chat.join` may carry. */
  joinOffers: 3,
  /** Deepest nesting kept in the unknown fields of `chat.*` and `webrtc.*` data. */
  depth: 8,
  /** Sustained messages per second on one socket, and the burst above it. */
  messagesPerSecond: 40,
  messageBurst: 60,
} as const;

/** Length of `text` as people count it: code points, not UTF-16 units. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
