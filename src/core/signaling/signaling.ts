/** How a call talks to its relay. */
import type { PmError } from '../errors.ts';
import type { ClientMessage, RelayMessage, Welcome } from '../protocol/index.ts';

/** Whoever is told of what happens to the socket. */
export interface SignalingHandler {
  /** Media is down as well, and waits for signals: no wait before an attempt may be long. */
  readonly urgent: boolean;
  /**
   * A socket is up and the relay has greeted, or never does: then `protocol` is 0 and the token's subject is who we are.
   * Called once more when a greeting comes late.
   */
  opened(welcome: Welcome): void;
  /** An open socket was lost; the next attempt is under way. */
  lost(): void;
  message(message: RelayMessage): void;
  /** Attempt number `attempt` (0 is the first since the last open socket) failed; another one follows. */
  failed(error: PmError, attempt: number): void;
  /** Another socket took this session over; this one does not come back. */
  replaced(): void;
  /** The relay answers, which was in doubt. */
  answered(): void;
}

export interface Signaling {
  /** True between `opened` and `lost`. */
  readonly open: boolean;
  /** Open, and not in doubt: asked for a sign of life, and silent so far. */
  readonly sure: boolean;
  /** Connects, and connects again whenever the socket is lost, until `close`. */
  start(): void;
  /** Sends in order, paced below the relay's limit. Signals to peers wait until `release`, and across lost sockets. */
  send(message: ClientMessage): void;
  /** The room is joined on this socket: held signals may go. */
  release(): void;
  /**
   * Something changed that makes waiting pointless, or the socket doubtful: the network came back, the page is visible
   * again, a peer is silent.
   */
  nudge(): void;
  /** Connects anew where only another token can tell a plain server another name. @returns whether that was needed */
  renew(): boolean;
  /** Sends `farewell` at once, if the socket is open, and closes for good with code 1000. */
  close(farewell?: ClientMessage): void;
}
