/**
 * The wire, once, for client and relay: the messages of the Private Meet protocol and our `ext=1` extension.
 *
 * Extension messages (sent only to or by clients that connected with `ext=1`):
 *
 * | type           | from   | data                                                                     |
 * |----------------|--------|--------------------------------------------------------------------------|
 * | `relay.welcome`| relay  | first frame of every extended socket: identity, heartbeat, limits, TURN  |
 * | `relay.ping`   | both   | `{}`; whoever receives it answers `relay.pong` at once                   |
 * | `relay.pong`   | both   | `{}`; a client's `{spoken}`: seconds spoken since the last one, where the welcome's features name `attendance` |
 * | `relay.ice`    | relay  | `{iceServers}`: TURN credentials renewed before the old ones expire      |
 * | `room.joined`  | relay  | answer to `chat.join`: members, own seq, which offer was dealt to whom   |
 * | `room.left`    | relay  | `{userID, reason}`: who is gone for good, and why; oneself, where a host said so |
 * | `room.rules`   | relay  | `{locked, lobby, password}`: what hosts have decided, whenever it changes |
 * | `room.waiting` | relay  | `{users}`: who waits to be let in, to hosts; `{}` to whoever waits        |
 * | `room.admitted`| relay  | `{}`: let in; join again                                                 |
 * | `room.mute`    | both   | host: `{userID?}`; the relay passes it on to that one, or all others, as a request |
 * | `room.lock`, `room.lobby` | host | `{on}`: nobody gets in; everybody waits for a host's word        |
 * | `room.password`| host   | `{password}`: what has to be presented from now on, or null               |
 * | `room.admit`, `room.refuse`, `room.remove` | host | `{userID}`: of whoever waits, or of a member |
 * | `room.end`     | host   | `{}`: the room ends for all                                              |
 *
 * `chat.join` data of an extended client: `username` (a guest's display name; ignored when the token names an
 * account), `offers` (at most three gathered offers, each with its own `conn`), `capacity` (the most members this
 * client accepts in the room, itself included; a room keeps the smallest capacity of its members).
 *
 * A join that finds its seat still held is answered in this order: `room.left` for everyone who went meanwhile, then
 * `room.joined` with `resumed: true`, the old `seq` and no offer dealt, then the signals and chat messages which waited
 * (64 or 256 KiB, the newest; none of somebody who left). The others see nothing of it.
 *
 * Hosts are whoever's token says `role: "host"`; anybody else who sends what is theirs gets `not-admitted`. They pass
 * every rule. A removed member does not get in again while the room lasts. Rules outlive the last member by ten minutes.
 *
 * `password` is never what people typed: clients send the base64 of PBKDF2-SHA-256(text, `pm-room:` + room on the
 * wire, 200,000 rounds, 256 bits), and the relay keeps a digest of that. Without the right one a join is refused with
 * the code `password-needed`.
 *
 * `general.error` of extended clients carries `code`, and `type`, `room` and `id` of the message that it answers:
 * `room-full`, `room-locked`, `password-needed` or `not-admitted` with the type `chat.join` is a refused join.
 *
 * `webrtc.*` data of extended clients carries `conn` beside the original's fields: a random id of one peer
 * connection, made by its first offerer and echoed by the other side, so that messages of an older connection
 * between the same two people are told apart and dropped. Descriptions also carry `offer`, the number of the offer that
 * this is or answers, and `seq`, which counts the sender's descriptions: a relay and the peers' own channel may bring
 * them in another order.
 */
import { REASONS, type Reason } from '../errors.ts';
import { codePoints, LIMITS } from './limits.ts';
import { anything, list, number, object, optional, text, where, type Shape, type Shaped } from './shape.ts';

export { REASONS, type Reason } from '../errors.ts';

/** Names that would reach an object's prototype when copied carelessly: refused wherever a peer may choose keys. */
const PROTOTYPE_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a parsed JSON value is shallow enough to forward and free of prototype names. */
export function isPlain(value: unknown, depth: number = LIMITS.depth): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth - 1));
  return Object.entries(value).every(([key, item]) => !PROTOTYPE_NAMES.has(key) && isPlain(item, depth - 1));
}

export type Role = 'host' | 'guest';

export const id = where(text, ({ length }) => length > 0 && length <= 128);

/* What clients say. The relay checks it with these; clients send it and read each other's with them. */

export const password = where(text, ({ length }) => length > 0 && length <= 128);
export const flag = (value: unknown): value is boolean => typeof value === 'boolean';

export const joinOffer = object({ sdp: where(text, Boolean), conn: id });
export type JoinOffer = Shaped<typeof joinOffer>;
export const joinData = object({
  username: optional(where(text, (name) => codePoints(name.trim()) <= LIMITS.nameLength)),
  offers: optional(list(joinOffer, LIMITS.joinOffers)),
  capacity: optional(where(number, (count) => Number.isInteger(count) && count >= 2 && count <= 1_000)),
  password: optional(password),
});
export const leaveData = object({
  reason: optional((value): value is Reason => REASONS.includes(value as Reason)),
});
export const messageData = object({ message: text, id: optional(id) });
export const typingData = object({ typing: flag });
export const descriptionData = object({ sdp: text, to: id, conn: optional(id) });
export const candidateData = object({ candidate: text, to: id, conn: optional(id) });

/** What any client may send. */
export type ClientMessage =
  | {
      type: 'chat.join';
      room: string;
      data: Pick<Shaped<typeof joinData>, 'username' | 'offers' | 'capacity' | 'password'>;
    }
  | { type: 'chat.leave'; room: string; data: Pick<Shaped<typeof leaveData>, 'reason'> }
  | { type: 'chat.message'; room: string; data: Shaped<typeof messageData> }
  | { type: 'chat.typing'; room: string; data: Shaped<typeof typingData> }
  | { type: 'webrtc.offer' | 'webrtc.answer'; room: string; data: Shaped<typeof descriptionData> }
  | { type: 'webrtc.iceCandidate'; room: string; data: Shaped<typeof candidateData> }
  | { type: 'relay.pong'; data: { spoken?: number } }
  | { type: 'utils.generateRoomID' | 'relay.ping'; data: Record<string, never> };

/* What the relay says. A newer relay may say more than this client knows. */

const user = object({
  userID: id,
  username: text,
  /** 1 for a client that speaks the extension; absent for an original one. */
  ext: optional(number),
  /** Order of joining within the room: whoever has the higher one offers. */
  seq: optional(number),
  /** `host` or `guest`. */
  role: optional(text),
});
export type User = Shaped<typeof user>;
const users = list(user);
/** `RTCIceServer`s; the browser itself checks their parts. */
const iceServers = list(object({ urls: anything }));

/** The shape of `data` for every type that a client understands. */
export const RELAY_DATA = {
  'relay.welcome': object({
    protocol: number,
    self: user,
    heartbeatSeconds: number,
    graceSeconds: number,
    iceServers,
    prefixes: object({ room: text, e2ee: text, file: text }),
  }),
  'relay.ping': anything,
  'relay.pong': anything,
  'utils.generateRoomID': anything,
  'relay.ice': object({ iceServers }),
  /**
   * `dealt[i]` is the id of the member who was given `offers[i]`, or null. `resumed`: this session still held its
   * place, and nobody saw it leave.
   */
  'room.joined': object({
    users,
    seq: number,
    dealt: list((value): value is string | null => value === null || id(value)),
  }),
  'room.users': object({ users }),
  /** `reason` is one of `REASONS`. */
  'room.left': object({ userID: id, reason: text }),
  /** To hosts: who waits; without `users` to whoever waits. */
  'room.waiting': object({ users: optional(users) }),
  'room.admitted': anything,
  'room.mute': anything,
  'chat.message': messageData,
  'chat.typing': typingData,
  'webrtc.offer': descriptionData,
  'webrtc.answer': descriptionData,
  'webrtc.iceCandidate': candidateData,
  'general.error': object({ error: text, code: optional(text), type: optional(text), id: optional(text) }),
} satisfies Record<string, Shape<unknown>>;

export type RelayType = keyof typeof RELAY_DATA;
export type RelayData<T extends RelayType> = Shaped<(typeof RELAY_DATA)[T]>;
export type Welcome = RelayData<'relay.welcome'>;
export type Joined = RelayData<'room.joined'>;
/** A frame from the relay. */
export type RelayMessage = {
  [T in RelayType]: { type: T; room?: string; from?: string; data: RelayData<T> };
}[RelayType];
