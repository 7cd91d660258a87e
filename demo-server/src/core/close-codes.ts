/** Close codes of ours (RFC 6455, 7.4.2: 4000 to 4999 are an application's own). After all but the first one comes back. */
export const CLOSE = {
  /** The same session has opened a newer socket. */
  replaced: 4001,
  /** The token has expired: a client with a fresh one takes its place back. */
  expired: 4003,
  /** What was sent to it did not go out: others do not wait, and memory is finite. */
  slow: 4005,
  /** Open for long, and never in a room. */
  idle: 4008,
} as const;
