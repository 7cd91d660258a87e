/** Close codes of ours (RFC 6455, 7.4.2: 4000 to 4999 are an application's own). After all of them but `replaced` a client comes back. */
export const CLOSE = {
  /** What it takes to answer is away: come again (RFC 6455 registry: Try Again Later). */
  later: 1013,
  /** The same session has opened a newer socket. */
  replaced: 4001,
  /** The token has expired: a client with a fresh one takes its place back. */
  expired: 4003,
  /** What was sent to it did not go out: others do not wait, and memory is finite. */
  slow: 4005,
  /** Open for long, and never in a room. */
  idle: 4008,
} as const;
