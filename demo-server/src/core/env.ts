/**
 * What the relay's core is given instead of taking it from Node: time, digests, randomness, log. With these replaced
 * the very same code runs in a browser page or under a simulated scheduler.
 */
import type { Role } from '../../../src/core/protocol/schema.ts';

/** Time. Handles are opaque: whatever `setTimeout` returned goes back to `clearTimeout`. */
export interface Timers {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  setTimeout(callback: () => void, milliseconds: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** The part of a logger which the core uses; pino fits. Neither tokens nor room names are ever passed to it. */
export interface Log {
  debug(data: object, text: string): void;
  info(data: object, text: string): void;
  warn(data: object, text: string): void;
}

export interface IceServer {
  urls: string | string[];
  username?: string;
  credential?: string;
}

/** What is counted; each with one label out of a closed list. */
export type Counted = 'message' | 'refusal' | 'socket' | 'close';

/** Somebody came into a room or is gone from it, for whoever keeps the register. */
export interface Attendance {
  event: 'participant.joined' | 'participant.left';
  /** On the wire, prefix included. */
  room: string;
  participant: { id: string; name: string; role: Role; account?: string };
  /** Of who left. */
  reason?: string;
  /** Of who left: seconds in the room, and seconds of speaking as its client told them. */
  seconds?: number;
  speakingSeconds?: number;
}

export interface RelayEnv {
  /** Absent where nobody looks at figures. */
  count?(what: Counted, label: string): void;
  /** Absent where nobody keeps a register. */
  attended?(attendance: Attendance): void;
  /** Names this node among those of a cluster. */
  node?: string;
  timers: Timers;
  log: Log;
  /** SHA-256 of the text's UTF-8, at least its first 16 bytes. */
  sha256(text: string): Uint8Array;
  randomUUID(): string;
  /** STUN and TURN servers for one user, with fresh credentials where they need some. */
  iceServers(userID: string): IceServer[];
}

export interface RelayOptions {
  /** Seconds between two `relay.ping`; an extended socket silent for about three of them is cut. */
  heartbeatSeconds: number;
  /** Seconds for which the place of an extended member without a socket is kept. */
  graceSeconds: number;
  /** Seconds after which `relay.ice` renews what the welcome gave; 0 for never. */
  iceRenewSeconds: number;
  /** Seconds for which a socket may be open without ever joining a room. */
  joinSeconds: number;
  /** Sockets of one owner, 0 for any number; rooms of one socket; members of one room. */
  socketsPerAccount: number;
  roomsPerSocket: number;
  membersPerRoom: number;
  prefixes: { room: string; e2ee: string; file: string };
}

/** One transport to one client. `send` takes text; which kind of frame carries it is the socket's own business. */
export interface SocketLike {
  /** Bytes accepted by `send` which the network has not taken yet. */
  readonly bufferedAmount: number;
  send(text: string): void;
  /** The polite end: a close frame with its code, then, by the socket's own deadline, the end of the transport. */
  close(code: number, reason: string): void;
  /** The end at once, seen as abnormal by the other side. */
  terminate(): void;
  /** A protocol-level ping; its answer is reported to `Connection.pong()`. */
  ping(): void;
}

/** What a checked token says. */
export interface Claims {
  /** Lowercase UUIDv4. */
  sub: string;
  username: string;
  role: Role;
  /** Milliseconds for which the token still counts; absent: without end. */
  validMs?: number;
  /** Bare names of the only rooms that the token admits to; absent: every room. */
  rooms?: readonly string[];
  /** The embedding site's own user id: its name stands, and cannot be changed by the client. */
  account?: string;
}
