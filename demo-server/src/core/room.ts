/** A room with its seats, and the frames that tell of it. */
import { encode } from '../../../src/core/protocol/codec.ts';
import type { Reason, User } from '../../../src/core/protocol/schema.ts';
import type { Backlog } from './backlog.ts';
import type { Person } from './person.ts';
import type { Rules } from './rules.ts';

export interface Seat {
  person: Person;
  /** Order of joining within the room. */
  readonly seq: number;
  username: string;
  readonly joinedAt: number;
  /** Seconds for which it has spoken, as its client says. */
  spoken: number;
  capacity: number;
  /** Set while nobody listens: an extended member without a socket, or a plain one between leave and join. */
  away: { timer: unknown; backlog: Backlog } | null;
}

export interface Room {
  readonly id: string;
  readonly seats: Map<string, Seat>;
  readonly rules: Rules;
  nextSeq: number;
  /** Set while nobody is in a room whose rules are still kept. */
  keepTimer: unknown;
}

/** A room's name on the wire. */
export const wireRoom = (name: string, prefix: string): string =>
  prefix ? `${prefix}:${name.trim()}` : name.trim();

const SYSTEM = 'system';

/** Plain members who are away have left already in the eyes of plain viewers. */
function users(room: Room, forExt: boolean): User[] {
  return [...room.seats.values()]
    .filter((seat) => seat.person.ext || forExt || !seat.away)
    .map(({ person: { userID, ext, role }, username, seq }) =>
      ext ? { userID, username, ext: 1, seq, role } : { userID, username },
    );
}

export function usersFrame(room: Room, forExt: boolean): string {
  const data = { users: users(room, forExt) };
  return encode({ type: 'room.users', room: room.id, data, from: SYSTEM });
}

export function joinedFrame(room: Room, seat: Seat, dealt: (string | null)[], resumed: boolean): string {
  const data = { users: users(room, true), seq: seat.seq, dealt, resumed };
  return encode({ type: 'room.joined', room: room.id, data, from: SYSTEM });
}

/** What everybody may know of a host's decisions. */
export function rulesFrame({ id, rules }: Room): string {
  return encode({ type: 'room.rules', room: id, data: rules.facts, from: SYSTEM });
}

/** Who waits to be let in: for hosts alone. */
export function waitingFrame({ id, rules }: Room): string {
  const waiting = [...rules.waiting.values()].map(({ person: { userID }, username }) => ({
    userID,
    username,
  }));
  return encode({ type: 'room.waiting', room: id, data: { users: waiting }, from: SYSTEM });
}

export function leftFrame(room: string, userID: string, reason: Reason): string {
  return encode({ type: 'room.left', room, data: { userID, reason }, from: SYSTEM });
}
