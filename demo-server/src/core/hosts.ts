/**
 * What hosts do: let in, send away, put out, lock, silence, end. The role comes from the token and from nowhere else,
 * and nothing here can make anybody heard or seen.
 */
import { encode } from '../../../src/core/protocol/codec.ts';
import type { HostMessage } from '../../../src/core/protocol/host-message.ts';
import type { Reason } from '../../../src/core/protocol/schema.ts';
import type { Person } from './person.ts';
import { leftFrame, rulesFrame, type Room } from './room.ts';
import type { Rooms } from './rooms.ts';
import type { Rules } from './rules.ts';

const SYSTEM = 'system';

export interface HostsOptions {
  rooms: Rooms;
  deliver: (key: string, text: string) => void;
  /** Digest of a password, in hexadecimal. */
  digest(password: string): string;
}

export class Hosts {
  constructor(private readonly options: HostsOptions) {}

  /**
   * A host's word. The caller has checked that it is one, and in the room.
   * @returns false for what not even a host may do
   */
  handle(host: Person, room: Room, message: HostMessage): boolean {
    if (message.type === 'room.remove' && isHost(room, message.data.userID)) return false;
    this.carryOut(host, room, message);
    if (message.type !== 'room.mute' && message.type !== 'room.end') this.options.rooms.ruled(room);
    return true;
  }

  private carryOut(host: Person, room: Room, message: HostMessage): void {
    switch (message.type) {
      case 'room.lock':
        return this.decide(room, (rules) => (rules.locked = message.data.on));
      case 'room.lobby':
        return this.decide(room, (rules) => (rules.lobby = message.data.on));
      case 'room.password': {
        const { password } = message.data;
        return this.decide(room, (rules) => {
          rules.password = password === null ? null : this.options.digest(password);
        });
      }
      case 'room.admit':
        return this.admit(room, message.data.userID);
      case 'room.refuse':
        return this.refuse(room, message.data.userID);
      case 'room.remove':
        return this.expel(room, message.data.userID);
      case 'room.mute':
        return this.mute(host, room, message.data.userID);
      case 'room.end':
        for (const person of this.options.rooms.dissolve(room)) this.tell(room, person, 'host-ended');
    }
  }

  private decide(room: Room, change: (rules: Rules) => void): void {
    change(room.rules);
    this.options.rooms.tell(room, rulesFrame(room));
    // Nobody waits for what is open.
    if (room.rules.lobby) return;
    for (const { person } of [...room.rules.waiting.values()]) this.admit(room, person.userID);
  }

  /** Lets somebody in who waits: an extended one joins again, with what is fresh; an original one is seated. */
  private admit(room: Room, userID: string): void {
    const { rooms, deliver } = this.options;
    for (const guest of [...room.rules.waiting.values()]) {
      const { person, username } = guest;
      if (person.userID !== userID) continue;
      room.rules.admit(guest);
      if (person.ext) {
        deliver(person.key, encode({ type: 'room.admitted', room: room.id, data: {}, from: SYSTEM }));
      } else if (rooms.join(room.id, person, { username }) !== 'joined') {
        deliver(person.key, inWords('Room is full'));
      }
    }
    rooms.waitingChanged(room);
  }

  private refuse(room: Room, userID: string): void {
    for (const { person } of [...room.rules.waiting.values()]) {
      if (person.userID !== userID) continue;
      room.rules.waiting.delete(person.key);
      this.tell(room, person, 'refused');
    }
    this.options.rooms.waitingChanged(room);
  }

  /** Puts somebody out, who does not get in again. */
  private expel(room: Room, userID: string): void {
    for (const seat of [...room.seats.values()]) {
      if (seat.person.userID !== userID) continue;
      room.rules.ban(seat.person);
      this.tell(room, seat.person, 'removed');
      this.options.rooms.remove(room, seat, 'removed');
    }
  }

  /** Asks one, or all but the host itself, to be silent. Their own client decides, and they can speak again. */
  private mute(host: Person, room: Room, userID?: string): void {
    const text = encode({ type: 'room.mute', room: room.id, data: {}, from: host.userID });
    this.options.rooms.tell(room, text, ({ person }) =>
      userID === undefined ? person.key !== host.key : person.userID === userID,
    );
  }

  /** Tells somebody that this room is over for it; an original client in words. */
  private tell(room: Room, { key, userID, ext }: Person, reason: Reason): void {
    const words = reason === 'host-ended' ? 'The room was ended' : 'You were removed from this room';
    this.options.deliver(key, ext ? leftFrame(room.id, userID, reason) : inWords(words));
  }
}

const isHost = (room: Room, userID: string): boolean =>
  [...room.seats.values()].some(({ person }) => person.userID === userID && person.role === 'host');

const inWords = (error: string): string => encode({ type: 'general.error', data: { error }, from: SYSTEM });
