/**
 * What people do in rooms, and what rooms answer. Apart from sockets, since a room may live on another node of a
 * cluster than the socket of whoever is in it.
 */
import { encode } from '../../../src/core/protocol/codec.ts';
import type { HostMessage } from '../../../src/core/protocol/host-message.ts';
import type { Reason, Role } from '../../../src/core/protocol/schema.ts';
import type { Hosts } from './hosts.ts';
import type { Person } from './person.ts';
import type { JoinRequest, Rooms, RoomsWatcher } from './rooms.ts';
import type { Refusal } from './rules.ts';

/** What is passed on to others, with the words for whoever is not in the room (the original's). */
const COMPLAINTS = {
  'chat.message': "You can't send a message to this room",
  'chat.typing': "You can't send typing notifications to this room",
  'webrtc.offer': "You can't send WebRTC messages to this room",
  'webrtc.answer': "You can't send WebRTC messages to this room",
  'webrtc.iceCandidate': "You can't send WebRTC messages to this room",
};

/** The words for a join that is refused. */
const REFUSALS: Record<Refusal, string> = {
  'room-full': 'Room is full',
  'room-locked': 'Room is locked',
  'password-needed': 'This room needs a password',
  'rate-limited': 'Rate limit exceeded',
  'not-admitted': 'Not admitted to this room',
};

/** What somebody does in a room, checked already as far as that needs no room. */
export type Act =
  | { act: 'join'; room: string; request: JoinRequest }
  | { act: 'leave'; room: string; reason: Reason }
  | {
      act: 'say';
      room: string;
      type: keyof typeof COMPLAINTS;
      /** The frame as others get it, its sender's id included. */
      text: string;
      /** Of signals: for whom. */
      to?: string | undefined;
      id?: string | undefined;
    }
  | { act: 'decide'; room: string; message: HostMessage };

export interface Answered {
  type: string;
  room: string;
  id?: string | undefined;
}

/** Where the answer goes. */
export interface Reply {
  /** It has a place now, or waits for one. */
  entered(): void;
  refuse(error: string, code: string, answered: Answered): void;
  /** Nobody can say now: it shall come again. */
  unavailable(answered: Answered): void;
}

/** Who is in a room, for pages that show it before anybody joins. */
export interface Present {
  name: string;
  role: Role;
}

/** Brings what people do to the rooms, wherever those are. */
export interface Router {
  /** Rooms in which `key` has a seat, held ones included. */
  of(key: string): readonly string[];
  take(person: Person, act: Act, reply: Reply): void;
  /** The socket of an extended member is lost: its seats are held. */
  hold(key: string): void;
  /** Gone from every room at once. */
  depart(key: string, reason: Reason): void;
  spoke(key: string, seconds: number): void;
  /** So many sockets does an owner hold now. */
  holds(owner: string, sockets: number): void;
  /** Rejects when nobody can say now. */
  who(room: string): Promise<Present[]>;
}

/** What a cluster is told and asked beside that. */
export interface Cluster extends Router, RoomsWatcher {
  /** A frame for somebody in a room of this node, wherever its socket is. */
  deliver(key: string, text: string): void;
}

/** What a cluster needs of the sockets of this node. */
export interface Sockets {
  /** @returns false when there is none of that key */
  deliver(key: string, text: string): boolean;
  replyOf(key: string): Reply | null;
  /** The session has a socket at another node: one that is here is of no use any more. */
  replaced(key: string): void;
}

/** The router of a relay whose rooms are all its own. */
export class Desk implements Router {
  constructor(
    readonly rooms: Rooms,
    private readonly hosts: Hosts,
    private readonly deliver: (key: string, text: string) => void,
  ) {}

  of(key: string): readonly string[] {
    return this.rooms.of(key);
  }

  take(person: Person, act: Act, reply: Reply): void {
    switch (act.act) {
      case 'join':
        return this.join(person, act.room, act.request, reply);
      case 'leave':
        return this.rooms.leave(act.room, person.key, act.reason);
      case 'say':
        return this.say(person, act, reply);
      case 'decide':
        return this.decide(person, act.message, reply);
    }
  }

  hold(key: string): void {
    this.rooms.stopWaiting(key);
    this.rooms.hold(key);
  }

  depart(key: string, reason: Reason): void {
    this.rooms.stopWaiting(key);
    this.rooms.depart(key, reason);
  }

  spoke(key: string, seconds: number): void {
    this.rooms.hasSpoken(key, seconds);
  }

  holds(): void {
    // Nobody else asks.
  }

  who(room: string): Promise<Present[]> {
    return Promise.resolve(this.present(room));
  }

  present(room: string): Present[] {
    const seats = [...(this.rooms.get(room)?.seats.values() ?? [])];
    return seats.map(({ username, person }) => ({ name: username, role: person.role }));
  }

  private join(person: Person, room: string, request: JoinRequest, reply: Reply): void {
    const outcome = this.rooms.join(room, person, request);
    if (outcome !== 'joined' && outcome !== 'waiting')
      return reply.refuse(REFUSALS[outcome], outcome, { type: 'chat.join', room });
    if (outcome === 'waiting' && person.ext)
      this.deliver(person.key, encode({ type: 'room.waiting', room, data: {}, from: 'system' }));
    reply.entered();
  }

  private say(person: Person, act: Extract<Act, { act: 'say' }>, reply: Reply): void {
    const { room, type, text, to, id } = act;
    if (!this.rooms.isPresent(room, person.key))
      return reply.refuse(COMPLAINTS[type], 'not-admitted', { type, room, id });
    if (to !== undefined) this.rooms.signal(room, person, to, text);
    else this.rooms.broadcast(room, text, type === 'chat.message');
  }

  /** What hosts alone may say, in the rooms that they are in. */
  private decide(person: Person, message: HostMessage, reply: Reply): void {
    const room = this.rooms.get(message.room);
    const may = person.role === 'host' && room && this.rooms.isPresent(message.room, person.key);
    if (may && this.hosts.handle(person, room, message)) return;
    reply.refuse('Not allowed', 'not-admitted', { type: message.type, room: message.room });
  }
}
