/**
 * The wire, once, for client and relay: the messages of the Private Meet protocol and our `ext=1` extension.
 *
 * Extension messages (sent only to or by clients that connected with `ext=1`):
 *
 * | type           | from   | data                                                                     |
 * |----------------|--------|--------------------------------------------------------------------------|
 * | `relay.welcome`| relay  | first frame of every extended socket: identity, heartbeat, limits, TURN  |
 * | `relay.ping`   | both   | `{}`; whoever receives it answers `relay.pong` at once                   |
 * | `relay.pong`   | both   | `{}`                                                                     |
 * | `relay.ice`    | relay  | `{iceServers}`: TURN credentials renewed before the old ones expire      |
 * | `room.joined`  | relay  | answer to `chat.join`: members, own seq, which offer was dealt to whom   |
 * | `room.left`    | relay  | `{userID, reason}`: who is gone for good, and why                        |
 *
 * `chat.join` data of an extended client: `username` (a guest's display name; ignored when the token names an
 * account), `offers` (at most three gathered offers, each with its own `conn`), `capacity` (the most members this
 * client accepts in the room, itself included; a room keeps the smallest capacity of its members).
 *
 * A join that finds its seat still held is answered in this order: `room.left` for everyone who went meanwhile, then
 * `room.joined` with `resumed: true`, the old `seq` and no offer dealt, then the signals and chat messages which waited
 * (64 or 256 KiB, the newest; none of somebody who left). The others see nothing of it.
 *
 * `general.error` of extended clients carries `code`, and `type`, `room` and `id` of the message that it answers:
 * `room-full` or `not-admitted` with the type `chat.join` is a refused join.
 *
 * `webrtc.*` data of extended clients carries `conn` beside the original's fields: a random id of one peer
 * connection, made by its first offerer and echoed by the other side, so that messages of an older connection
 * between the same two people are told apart and dropped.
 */
import * as v from 'valibot';
import { REASONS } from '../errors.ts';
import { codePoints, LIMITS } from './limits.ts';

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

const isShort = (text: string) => text.length > 0 && text.length <= 128;
const id = v.pipe(v.string(), v.check(isShort));
const role = v.picklist(['host', 'guest']);
export type Role = v.InferOutput<typeof role>;

/* What clients say. The relay checks it with these; clients send it and read each other's with them. */

/** A display name as members see it: trimmed, bounded. Blank is for the caller to replace by `Guest`. */
export const displayName = v.pipe(
  v.string(),
  v.trim(),
  v.check((name) => codePoints(name) <= LIMITS.nameLength),
);
export const joinOffer = v.looseObject({ sdp: v.pipe(v.string(), v.minLength(1)), conn: id });
export type JoinOffer = v.InferOutput<typeof joinOffer>;
export const joinData = v.object({
  username: v.optional(displayName),
  offers: v.optional(v.pipe(v.array(joinOffer), v.maxLength(LIMITS.joinOffers))),
  capacity: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(1_000))),
});
export const leaveData = v.object({ reason: v.optional(v.picklist(REASONS)) });
export const messageData = v.looseObject({ message: v.string(), id: v.optional(id) });
export const typingData = v.looseObject({ typing: v.boolean() });
export const descriptionData = v.looseObject({ sdp: v.string(), to: id, conn: v.optional(id) });
export const candidateData = v.looseObject({ candidate: v.string(), to: id, conn: v.optional(id) });

/** What a client may send. */
export type ClientMessage =
  | { type: 'chat.join'; room: string; data: v.InferOutput<typeof joinData> }
  | { type: 'chat.leave'; room: string; data: v.InferOutput<typeof leaveData> }
  | { type: 'chat.message'; room: string; data: v.InferOutput<typeof messageData> }
  | { type: 'chat.typing'; room: string; data: v.InferOutput<typeof typingData> }
  | { type: 'webrtc.offer' | 'webrtc.answer'; room: string; data: v.InferOutput<typeof descriptionData> }
  | { type: 'webrtc.iceCandidate'; room: string; data: v.InferOutput<typeof candidateData> }
  | { type: 'utils.generateRoomID' | 'relay.ping' | 'relay.pong'; data: Record<string, never> };

/* What the relay says. Loose objects throughout: a newer relay may say more than this client knows. */

const strings = v.array(v.string());
const iceServers = v.array(
  v.looseObject({
    urls: v.custom<string | string[]>((urls) => typeof urls === 'string' || v.is(strings, urls)),
    username: v.optional(v.string()),
    credential: v.optional(v.string()),
  }),
);
const user = v.looseObject({
  userID: id,
  username: v.string(),
  /** 1 for a client that speaks the extension; absent for an original one. */
  ext: v.optional(v.number()),
  /** Order of joining within the room: whoever has the higher one offers. */
  seq: v.optional(v.number()),
  /** `host` or `guest`. */
  role: v.optional(v.string()),
});
export type User = v.InferOutput<typeof user>;
const users = v.array(user);

/** The shape of `data` for every type that a client understands. */
export const RELAY_DATA = {
  'relay.welcome': v.looseObject({
    protocol: v.number(),
    self: user,
    heartbeatSeconds: v.number(),
    graceSeconds: v.number(),
    iceServers,
    prefixes: v.looseObject({ room: v.string(), e2ee: v.string(), file: v.string() }),
    limits: v.looseObject({}),
    features: strings,
  }),
  'relay.ping': v.unknown(),
  'relay.pong': v.unknown(),
  'relay.ice': v.looseObject({ iceServers }),
  'room.joined': v.looseObject({
    users,
    seq: v.number(),
    /** `dealt[i]` is the id of the member who was given `offers[i]`, or null. */
    dealt: v.array(v.nullable(id)),
    /** True when this session still held its place: nobody saw it leave. */
    resumed: v.boolean(),
  }),
  'room.users': v.looseObject({ users }),
  /** `reason` is one of `REASONS`. */
  'room.left': v.looseObject({ userID: id, reason: v.string() }),
  'webrtc.offer': descriptionData,
  'webrtc.answer': descriptionData,
  'webrtc.iceCandidate': candidateData,
  'general.error': v.looseObject({ error: v.string(), code: v.optional(v.string()) }),
} as const;

export type RelayType = keyof typeof RELAY_DATA;
export type RelayData<T extends RelayType> = v.InferOutput<(typeof RELAY_DATA)[T]>;
export type Welcome = RelayData<'relay.welcome'>;
export type Joined = RelayData<'room.joined'>;
/** A frame from the relay. */
export type RelayMessage = {
  [T in RelayType]: { type: T; room?: string; from?: string; data: RelayData<T> };
}[RelayType];
