/**
 * Who is in which room, and what the others are told about it. No sockets: frames leave through `deliver`, time comes
 * from `timers`, so the same code runs under a simulated scheduler.
 *
 * A *seat* is one member of one room. Plain clients have a seat per socket, extended ones a seat per session, which
 * outlives a lost socket for the grace: nobody is told, signals wait, and the next join of that session takes it back.
 * Signals to a plain one wait as well while its microphone is switched (`REJOIN_MS`).
 */
import { encode } from '../../../src/core/protocol/codec.ts';
import type { JoinOffer, Reason } from '../../../src/core/protocol/schema.ts';
import type { Attendance, Timers } from './env.ts';
import { Backlog } from './backlog.ts';
import {
  joinedFrame,
  leftFrame,
  rulesFrame,
  usersFrame,
  waitingFrame,
  type Room,
  type Seat,
} from './room.ts';
import type { Person } from './person.ts';
import { Rules, type Refusal } from './rules.ts';

export interface JoinRequest {
  username: string;
  /** The most members that this one accepts in the room, itself included. */
  capacity?: number | undefined;
  offers?: readonly JoinOffer[] | undefined;
  /** Digest of the password presented, in hexadecimal. */
  password?: string | undefined;
}

/** How a join ends; `waiting` for a host's word. */
export type JoinOutcome = 'joined' | 'waiting' | Refusal;

/** A seat as other nodes know it. */
export interface Member {
  person: Person;
  username: string;
  seq: number;
  capacity?: number | undefined;
}

/** What a cluster has to know of the rooms of one node. */
export interface RoomsWatcher {
  /** Where counting begins in a new room, and what is known of its rules. */
  begin(id: string): { seq: number; rules: string };
  seated(id: string, member: Member): void;
  unseated(id: string, key: string): void;
  /** Hosts have decided something. */
  ruled(id: string, rules: string): void;
  /** The room is over. */
  forgotten(id: string): void;
}

export interface RoomsOptions {
  timers: Timers;
  /** Hands one frame to whoever sits under `key`. The consequences of a failing socket come later, in another task. */
  deliver(key: string, text: string): void;
  /** Milliseconds for which a lost extended member keeps its seat. */
  graceMs: number;
  attended?: ((attendance: Attendance) => void) | undefined;
  /** The most members of one room. */
  mostMembers: number;
}

/**
 * A plain client toggles its microphone by leaving and joining back to back while it keeps its connections. Extended
 * members would close theirs on `room.left` and never meet again, so they hear of a plain leave this much later (ms).
 */
const REJOIN_MS = 500;
/** How long the rules of a room outlive its last member (ms): hosts, too, lose their connection. */
const KEEP_RULES_MS = 600_000;

const memberOf = ({ person, username, seq, capacity }: Seat): Member => ({
  person,
  username,
  seq,
  ...(capacity !== Infinity && { capacity }),
});

export class Rooms {
  private readonly rooms = new Map<string, Room>();
  /** Room ids by the key of whoever sits there. */
  private readonly places = new Map<string, Set<string>>();
  /** Those before which somebody waits. */
  private readonly besieged = new Set<Room>();

  /** Of a cluster. */
  watcher: RoomsWatcher | null = null;

  constructor(private readonly options: RoomsOptions) {}

  /** Number of rooms with a seat, or with rules that are kept. */
  get size(): number {
    return this.rooms.size;
  }

  /** Number of seats, held ones included. */
  get members(): number {
    let count = 0;
    for (const { seats } of this.rooms.values()) count += seats.size;
    return count;
  }

  get(id: string): Room | undefined {
    return this.rooms.get(id);
  }

  /** Rooms in which `key` has a seat, held ones included. */
  of(key: string): string[] {
    return [...(this.places.get(key) ?? [])];
  }

  /** Whether `key` is in the room and listening: what it takes to send something there. */
  isPresent(id: string, key: string): boolean {
    return this.rooms.get(id)?.seats.get(key)?.away === null;
  }

  /**
   * Seats somebody, or gives a seat back that is still held, and tells everyone concerned.
   * Whoever is refused changes nothing; whoever waits is announced to the hosts.
   */
  join(id: string, person: Person, request: JoinRequest): JoinOutcome {
    const room = this.rooms.get(id) ?? this.makeRoom(id);
    const seat = room.seats.get(person.key);
    if (seat) {
      this.takeBack(room, seat, person, request);
      return 'joined';
    }
    const refusal = room.rules.refuse(person, request.password ?? null, this.options.timers.now());
    if (refusal === 'waiting') {
      room.rules.waiting.set(person.key, { person, username: request.username });
      this.waitingChanged(room);
    }
    if (refusal) return refusal;
    const capacity = request.capacity ?? Infinity;
    let most = Math.min(capacity, this.options.mostMembers);
    for (const other of room.seats.values()) most = Math.min(most, other.capacity);
    if (room.seats.size >= most) return 'room-full';
    this.rooms.set(id, room);
    this.options.timers.clearTimeout(room.keepTimer);
    const own: Seat = {
      person,
      seq: room.nextSeq++,
      username: request.username,
      joinedAt: this.options.timers.now(),
      spoken: 0,
      capacity,
      away: null,
    };
    this.seat(room, own);
    this.register('participant.joined', room, own);
    this.announce(room, (viewer) => viewer !== own || !person.ext);
    if (person.ext) this.welcome(room, own, request.offers ?? []);
    return 'joined';
  }

  /** Whoever waits is gone, or does not want to any more. */
  stopWaiting(key: string): void {
    for (const room of this.besieged) {
      if (!room.rules.waiting.delete(key)) continue;
      this.waitingChanged(room);
      if (room.seats.size === 0) this.leaveEmpty(room);
    }
  }

  /** Others wait than before: the hosts who listen are told. */
  waitingChanged(room: Room): void {
    if (room.rules.waiting.size > 0) this.besieged.add(room);
    else this.besieged.delete(room);
    for (const { person, away } of room.seats.values()) {
      if (person.ext && person.role === 'host' && !away) this.options.deliver(person.key, waitingFrame(room));
    }
  }

  /** `chat.leave`. No effect on a room without this member. */
  leave(id: string, key: string, reason: Reason): void {
    const room = this.rooms.get(id);
    const seat = room?.seats.get(key);
    if (room?.rules.waiting.delete(key)) this.waitingChanged(room);
    if (!room || !seat) return;
    const watched = [...room.seats.values()].some(({ person }) => person.ext);
    if (seat.person.ext || !watched) {
      this.remove(room, seat, reason);
    } else if (!seat.away) {
      this.setAway(seat, REJOIN_MS, () => this.remove(room, seat, reason));
      this.announce(room, (viewer) => !viewer.person.ext);
    }
  }

  /** Gone from every room at once. */
  depart(key: string, reason: Reason): void {
    for (const id of this.of(key)) {
      const room = this.rooms.get(id);
      const seat = room?.seats.get(key);
      if (room && seat) this.remove(room, seat, reason);
    }
  }

  /** The socket of an extended member is lost: its seats are held for the grace, then they are `relay-gone`. */
  hold(key: string): void {
    for (const id of this.of(key)) {
      const room = this.rooms.get(id);
      const seat = room?.seats.get(key);
      if (!room || !seat || seat.away) continue;
      this.setAway(seat, this.options.graceMs, () => this.remove(room, seat, 'relay-gone'));
    }
  }

  /**
   * A frame to everyone in the room, the sender included.
   * @param keep whether members who are away get it when they are back
   */
  broadcast(id: string, text: string, keep: boolean): void {
    for (const seat of this.rooms.get(id)?.seats.values() ?? []) this.pass(seat, null, text, keep);
  }

  /** A frame of the extension to those chosen who understand it. */
  tell(room: Room, text: string, chosen: (seat: Seat) => boolean = () => true): void {
    for (const seat of room.seats.values()) {
      if (seat.person.ext && chosen(seat)) this.pass(seat, null, text, true);
    }
  }

  /** A frame to the one member whom it names, on all of its seats. Nobody by that id any more: nothing happens. */
  signal(id: string, from: Person, to: string, text: string): void {
    for (const seat of this.rooms.get(id)?.seats.values() ?? []) {
      if (seat.person.userID === to && seat.person.key !== from.key) this.pass(seat, from.userID, text, true);
    }
  }

  /** Empties a room, its rules included, without a word. @returns who was in it or waited before it */
  dissolve(room: Room): Person[] {
    const everybody = [...room.seats.values(), ...room.rules.waiting.values()].map(({ person }) => person);
    for (const seat of room.seats.values()) {
      this.setBack(seat);
      this.vacate(room, seat.person.key);
      this.watcher?.unseated(room.id, seat.person.key);
      this.register('participant.left', room, seat, 'host-ended');
    }
    this.forget(room);
    return everybody;
  }

  /** Forgets everything without a word to anybody and clears every timer. */
  clear(): void {
    for (const room of this.rooms.values()) {
      this.options.timers.clearTimeout(room.keepTimer);
      for (const seat of room.seats.values()) this.setBack(seat);
    }
    this.rooms.clear();
    this.places.clear();
    this.besieged.clear();
  }

  private pass(seat: Seat, from: string | null, text: string, keep: boolean): void {
    if (!seat.away) this.options.deliver(seat.person.key, text);
    else if (keep) seat.away.backlog.add(from, text);
  }

  private setAway(seat: Seat, milliseconds: number, expire: () => void): void {
    const timer = this.options.timers.setTimeout(expire, milliseconds);
    seat.away = { timer, backlog: new Backlog() };
  }

  private setBack(seat: Seat): Backlog | null {
    if (!seat.away) return null;
    const { timer, backlog } = seat.away;
    this.options.timers.clearTimeout(timer);
    seat.away = null;
    return backlog;
  }

  /** Somebody joins who has a seat: after a loss, after a plain leave, or simply twice. */
  private takeBack(room: Room, seat: Seat, person: Person, request: JoinRequest): void {
    const changed = seat.username !== request.username || seat.person.role !== person.role;
    seat.person = person;
    seat.username = request.username;
    seat.capacity = request.capacity ?? Infinity;
    this.watcher?.seated(room.id, memberOf(seat));
    const backlog = this.setBack(seat);
    const tellKept = () => {
      for (const { text } of backlog?.frames ?? []) this.options.deliver(person.key, text);
    };
    if (!person.ext) {
      // Only plain members saw it leave. Without a leave before, the repeated join is answered to its sender alone.
      this.announce(room, (viewer) => (backlog ? !viewer.person.ext : viewer === seat));
      // Nobody says an answer twice that came between its leave and its join; its connections are what they were.
      return tellKept();
    }
    if (changed) this.announce(room, (viewer) => viewer !== seat);
    for (const [userID, reason] of backlog?.left ?? []) {
      this.options.deliver(person.key, leftFrame(room.id, userID, reason));
    }
    const dealt = (request.offers ?? []).map(() => null); // its connections are alive: nobody gets an offer
    this.options.deliver(person.key, joinedFrame(room, seat, dealt, true));
    tellKept();
  }

  /** The answer to a newcomer's join, and its prepared offers, one each to the members who came first. */
  private welcome(room: Room, own: Seat, offers: readonly JoinOffer[]): void {
    const targets = [...room.seats.values()]
      .filter((seat) => seat !== own && seat.person.ext && !seat.away)
      .sort((a, b) => a.seq - b.seq)
      .slice(0, offers.length);
    const dealt = offers.map((_, index) => targets[index]?.person.userID ?? null);
    this.options.deliver(own.person.key, joinedFrame(room, own, dealt, false));
    if (!room.rules.isPlain) this.options.deliver(own.person.key, rulesFrame(room));
    if (own.person.role === 'host' && room.rules.waiting.size > 0)
      this.options.deliver(own.person.key, waitingFrame(room));
    for (const [index, { person }] of targets.entries()) {
      const data = { ...offers[index], to: person.userID };
      const from = own.person.userID;
      this.options.deliver(person.key, encode({ type: 'webrtc.offer', room: room.id, data, from }));
    }
  }

  /** Somebody is gone for good, and the others are told. */
  remove(room: Room, gone: Seat, reason: Reason): void {
    const { person } = gone;
    const plainKnow = gone.away !== null && !person.ext;
    this.setBack(gone);
    room.seats.delete(person.key);
    this.vacate(room, person.key);
    this.watcher?.unseated(room.id, person.key);
    this.register('participant.left', room, gone, reason);
    if (room.seats.size === 0) return this.leaveEmpty(room);
    // The same token on two plain sockets is one user to everybody: it is gone with its last seat.
    const still = [...room.seats.values()].some((seat) => seat.person.userID === person.userID);
    if (!still) this.tellGone(room, person.userID, reason);
    this.announce(room, (viewer) => viewer.person.ext || !plainKnow);
  }

  /** So many seconds more has it spoken, as its client says: no more than have passed. */
  hasSpoken(key: string, seconds: number): void {
    for (const id of this.of(key)) {
      const seat = this.rooms.get(id)?.seats.get(key);
      if (!seat) continue;
      const present = (this.options.timers.now() - seat.joinedAt) / 1000;
      seat.spoken = Math.min(seat.spoken + seconds, present);
    }
  }

  private register(event: Attendance['event'], room: Room, seat: Seat, reason?: Reason): void {
    const { attended, timers } = this.options;
    const { person, username, joinedAt, spoken } = seat;
    const { userID, role, account } = person;
    attended?.({
      event,
      room: room.id,
      participant: { id: userID, name: username, role, ...(account !== undefined && { account }) },
      ...(reason && {
        reason,
        seconds: Math.round((timers.now() - joinedAt) / 1000),
        speakingSeconds: Math.round(spoken),
      }),
    });
  }

  private makeRoom(id: string): Room {
    const { timers } = this.options;
    const { seq, rules } = this.watcher?.begin(id) ?? { seq: 1, rules: '' };
    const room: Room = {
      id,
      seats: new Map<string, Seat>(),
      rules: new Rules(timers.now(), rules),
      nextSeq: seq,
      keepTimer: undefined,
    };
    // What hosts decided at a node that is gone holds before anybody is in.
    if (!room.rules.isPlain) {
      this.rooms.set(id, room);
      this.leaveEmpty(room);
    }
    return room;
  }

  private seat(room: Room, seat: Seat): void {
    const { key } = seat.person;
    room.seats.set(key, seat);
    this.places.set(key, (this.places.get(key) ?? new Set()).add(room.id));
    this.watcher?.seated(room.id, memberOf(seat));
  }

  /** Seats somebody who sat in this room at another node, or whose node was not heard of, without a word. */
  adopt(id: string, { person, username, seq, capacity = Infinity }: Member): void {
    const room = this.rooms.get(id) ?? this.makeRoom(id);
    const seat = room.seats.get(person.key);
    if (seat) {
      const backlog = this.setBack(seat);
      for (const [userID, reason] of (person.ext && backlog?.left) || [])
        this.options.deliver(person.key, leftFrame(id, userID, reason));
      for (const { text } of backlog?.frames ?? []) this.options.deliver(person.key, text);
      return;
    }
    this.rooms.set(id, room);
    this.options.timers.clearTimeout(room.keepTimer);
    room.nextSeq = Math.max(room.nextSeq, seq + 1);
    const joinedAt = this.options.timers.now();
    this.seat(room, { person, username, seq, capacity, joinedAt, spoken: 0, away: null });
  }

  /** Gives a room up that goes on at another node. @returns who sat in it */
  abandon(id: string): Member[] {
    const room = this.rooms.get(id);
    if (!room) return [];
    const members = [...room.seats.values()].map(memberOf);
    for (const seat of room.seats.values()) {
      this.setBack(seat);
      this.vacate(room, seat.person.key);
    }
    this.drop(room);
    return members;
  }

  /** Says who is in the room to everybody in it: some of it may have been lost on the way. */
  sayAgain(id: string): void {
    const room = this.rooms.get(id);
    if (room) this.announce(room, () => true);
  }

  keepRules(id: string): void {
    const room = this.rooms.get(id);
    if (room && !room.rules.isPlain) this.ruled(room);
  }

  /** A host has decided something that outlives this node. */
  ruled({ id, rules }: Room): void {
    this.watcher?.ruled(id, JSON.stringify(rules));
  }

  private vacate(room: Room, key: string): void {
    const places = this.places.get(key);
    places?.delete(room.id);
    if (places?.size === 0) this.places.delete(key);
  }

  /** A room without members lives on for its rules alone, and while somebody waits before it. */
  private leaveEmpty(room: Room): void {
    const { timers } = this.options;
    timers.clearTimeout(room.keepTimer);
    if (room.rules.isPlain) return this.forget(room);
    room.keepTimer = timers.setTimeout(() => {
      if (room.rules.waiting.size > 0) this.leaveEmpty(room);
      else this.forget(room);
    }, KEEP_RULES_MS);
  }

  private forget(room: Room): void {
    this.drop(room);
    this.watcher?.forgotten(room.id);
  }

  private drop(room: Room): void {
    this.options.timers.clearTimeout(room.keepTimer);
    this.besieged.delete(room);
    this.rooms.delete(room.id);
  }

  private tellGone(room: Room, userID: string, reason: Reason): void {
    const left = leftFrame(room.id, userID, reason);
    for (const seat of room.seats.values()) {
      if (!seat.person.ext) continue;
      if (seat.away) seat.away.backlog.forget(userID, reason);
      else this.options.deliver(seat.person.key, left);
    }
  }

  /** `room.users` to all those listening who are chosen. */
  private announce(room: Room, chosen: (viewer: Seat) => boolean): void {
    const texts: { ext?: string; plain?: string } = {};
    for (const seat of room.seats.values()) {
      if (seat.away || !chosen(seat)) continue;
      const { ext, key } = seat.person;
      const text = (texts[ext ? 'ext' : 'plain'] ??= usersFrame(room, ext));
      this.options.deliver(key, text);
    }
  }
}
