/** One socket and what arrives on it. */
import { decodeFrame, encode, ProtocolError } from '../../../src/core/protocol/codec.ts';
import { parseClientMessage } from '../../../src/core/protocol/client-message.ts';
import type { HostMessage } from '../../../src/core/protocol/host-message.ts';
import { LIMITS } from '../../../src/core/protocol/limits.ts';
import type { ClientMessage, Reason } from '../../../src/core/protocol/schema.ts';
import { CLOSE } from './close-codes.ts';
import type { Answered, Reply, Router } from './desk.ts';
import type { Claims, RelayEnv, RelayOptions, SocketLike } from './env.ts';
import { TokenBucket } from './limits.ts';
import type { Owner, Owners } from './owners.ts';
import type { Person } from './person.ts';
import { wireRoom } from './room.ts';

/** So many errors on one socket end it. */
const MAX_ERRORS = 10;
/** An extended socket that was silent for this many heartbeats is dead: noticed between two and three of them. */
const SILENT_BEATS = 2.5;
/** Milliseconds of an original client's heartbeat: a ping, and how long its answer may take. */
const PLAIN_PING_MS = 54_000;
const PLAIN_PONG_MS = 6_000;
/** Bytes which a reader may be behind before it is cut: nobody else waits for it, and memory is finite. */
const MAX_BEHIND = 1024 * 1024;
/** Milliseconds in which some of what waits must have gone out. */
const MAX_STALL = 2_000;

/** Longest time that a timer takes, in milliseconds: some 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a person can say about leaving; the other reasons are the relay's to give. */
const OWN_REASONS: readonly Reason[] = ['user', 'page-hidden', 'element-removed'];

/** What a connection needs of the relay it belongs to. */
export interface ConnectionHost {
  readonly env: RelayEnv;
  readonly options: RelayOptions;
  readonly router: Router;
  readonly owners: Owners;
  /** What the relay keeps of a password. */
  digest(password: string): string;
  /** The connection is over; reported once, never from within `send`. */
  detach(connection: Connection, code: number): void;
}

const OWN_CODES: readonly number[] = [1000, 1001, 1005, 1006, 1008, 1009, 1012, ...Object.values(CLOSE)];
/** What a peer may claim is no label. */
const closeLabel = (code: number): string => (OWN_CODES.includes(code) ? String(code) : 'other');

/** Asking again for a place is no fault. */
const NO_FAULT = ['room-full', 'room-locked', 'relay-unreachable'];

/** Whom limits go by. */
export const ownerOf = ({ account, sub }: Claims): string =>
  account === undefined ? sub : `account ${account}`;

/** What a message of a client's own is named, where it is. */
const idOf = (data: unknown): string | undefined => {
  const id = typeof data === 'object' && data !== null ? (data as { id?: unknown }).id : undefined;
  return typeof id === 'string' ? id : undefined;
};

export class Connection implements Reply {
  private readonly owner: Owner;
  private readonly bucket: TokenBucket;
  private readonly admitted: ReadonlySet<string> | null;
  private heardAt: number;
  private iceAt: number;
  private errors = 0;
  private ended = false;
  private slow = false;
  /** Bytes that waited after the last frame, and when some of them went. */
  private behind = 0;
  private movedAt: number;
  private pingTimer: unknown;
  private expiryTimer: unknown;
  private joinTimer: unknown;

  constructor(
    private readonly host: ConnectionHost,
    private readonly socket: SocketLike,
    readonly person: Person,
    private readonly claims: Claims,
  ) {
    const { options, env } = host;
    const now = env.timers.now();
    this.heardAt = now;
    this.iceAt = now;
    this.movedAt = now;
    this.owner = host.owners.enter(ownerOf(claims), now);
    this.bucket = new TokenBucket(LIMITS.messagesPerSecond, LIMITS.messageBurst, now);
    const { room } = options.prefixes;
    this.admitted = claims.rooms ? new Set(claims.rooms.map((name) => wireRoom(name, room))) : null;
    if (!person.ext) this.armPing();
    this.armExpiry();
    this.joinTimer = env.timers.setTimeout(
      () => this.end(CLOSE.idle, 'nothing joined'),
      options.joinSeconds * 1000,
    );
  }

  /** Whether the token presented on this connection opens the room (its name on the wire, prefix included). */
  admits(room: string): boolean {
    return this.admitted?.has(room) ?? true;
  }

  greet(): void {
    const { env, options } = this.host;
    const { userID, role } = this.person;
    this.sendFrame('relay.welcome', {
      protocol: 1,
      self: { userID, username: this.claims.username, role },
      heartbeatSeconds: options.heartbeatSeconds,
      graceSeconds: options.graceSeconds,
      iceServers: env.iceServers(userID),
      prefixes: options.prefixes,
      limits: LIMITS,
      features: env.attended ? ['attendance'] : [],
    });
  }

  /** A frame has arrived. Never throws. */
  receive(frame: string | Uint8Array): void {
    if (this.ended) return;
    const now = this.host.env.timers.now();
    this.heardAt = now;
    if (!this.bucket.take(now) || !this.owner.bucket.take(now))
      return this.refuse('Rate limit exceeded', 'rate-limited');
    let value: Record<string, unknown> = {};
    let message: ClientMessage | HostMessage;
    try {
      value = decodeFrame(frame);
      message = parseClientMessage(value, this.person.ext);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { type, room, data } = value;
      return this.refuse(error.message, error.code, { type, room, id: idOf(data) });
    }
    this.host.env.count?.('message', message.type);
    this.handle(message);
  }

  /** The answer to `SocketLike.ping()` has arrived. */
  pong(): void {
    this.heardAt = this.host.env.timers.now();
    if (!this.person.ext && !this.ended) this.armPing();
  }

  /** The transport has ended; `code` as in the peer's close frame, 1005 or 1006 without one. */
  closed(code: number): void {
    if (!this.ended) this.over(code);
  }

  /** Once per heartbeat, extended sockets only: ping, renew TURN credentials, cut what is silent. */
  beat(): void {
    const { env, options } = this.host;
    const now = env.timers.now();
    if (now - this.heardAt > SILENT_BEATS * options.heartbeatSeconds * 1000) {
      env.log.info({ user: this.person.userID }, 'silent socket cut');
      this.socket.terminate();
      this.over(1006);
      return;
    }
    this.sendFrame('relay.ping', {});
    if (options.iceRenewSeconds > 0 && now - this.iceAt >= options.iceRenewSeconds * 1000) {
      this.iceAt = now;
      this.sendFrame('relay.ice', { iceServers: env.iceServers(this.person.userID) });
    }
  }

  /** Ends the connection from our side. Nothing that still arrives counts. */
  end(code: number, reason: string): void {
    if (this.ended) return;
    this.socket.close(code, reason);
    this.over(code);
  }

  send(text: string): void {
    if (this.ended || this.slow) return;
    const behind = this.socket.bufferedAmount;
    const now = this.host.env.timers.now();
    if (behind === 0 || behind < this.behind) this.movedAt = now;
    if (behind > MAX_BEHIND || now - this.movedAt > MAX_STALL) {
      // Not `over()`: we may be in the middle of telling a whole room. The socket reports its end by itself.
      this.slow = true;
      this.host.env.log.warn({ user: this.person.userID, bytes: behind }, 'slow reader cut');
      this.socket.close(CLOSE.slow, 'too slow');
      return;
    }
    this.socket.send(text);
    this.behind = this.socket.bufferedAmount;
  }

  private handle(message: ClientMessage | HostMessage): void {
    const { router, env } = this.host;
    const { person } = this;
    switch (message.type) {
      case 'utils.generateRoomID':
        return this.sendFrame('utils.generateRoomID', { roomID: env.randomUUID() });
      case 'relay.ping':
        return this.sendFrame('relay.pong', {});
      case 'relay.pong':
        return router.spoke(person.key, message.data.spoken ?? 0);
      case 'chat.join':
        return this.join(message);
      case 'chat.leave': {
        const { reason = 'user' } = message.data;
        const own = OWN_REASONS.includes(reason) ? reason : 'user';
        return router.take(person, { act: 'leave', room: message.room, reason: own }, this);
      }
      case 'chat.message':
      case 'chat.typing':
      case 'webrtc.offer':
      case 'webrtc.answer':
      case 'webrtc.iceCandidate': {
        const { type, room, data } = message;
        const text = encode({ type, room, data, from: person.userID });
        const to = 'to' in data ? (data.to as string) : undefined;
        return router.take(person, { act: 'say', room, type, text, to, id: idOf(data) }, this);
      }
      default:
        return router.take(person, { act: 'decide', room: message.room, message }, this);
    }
  }

  private join({ room, data }: Extract<ClientMessage, { type: 'chat.join' }>): void {
    const { router, options } = this.host;
    const answered = { type: 'chat.join', room };
    if (!this.admits(room)) return this.refuse('Not admitted to this room', 'not-admitted', answered);
    const places = router.of(this.person.key);
    if (places.length >= options.roomsPerSocket && !places.includes(room))
      return this.refuse('Too many rooms', 'not-admitted', answered);
    const { username, capacity, offers, password } = data;
    const named = this.claims.account === undefined && username !== undefined;
    const request = {
      username: named ? username || 'Guest' : this.claims.username,
      capacity,
      offers,
      ...(password !== undefined && { password: this.host.digest(password) }),
    };
    router.take(this.person, { act: 'join', room, request }, this);
  }

  unavailable(answered: Answered): void {
    // Its client comes again by itself, and its call goes on meanwhile.
    if (answered.type === 'chat.join') this.end(CLOSE.later, 'try again later');
    else this.refuse('Server busy', 'relay-unreachable', { ...answered });
  }

  entered(): void {
    this.host.env.timers.clearTimeout(this.joinTimer);
  }

  private sendFrame(type: string, data: object): void {
    this.send(encode({ type, data, from: 'system' }));
  }

  /** `general.error`; extended clients also learn the code, and what it answers. The tenth ends the socket. */
  refuse(error: string, code: string, answered: { type?: unknown; room?: unknown; id?: unknown } = {}): void {
    if (this.ended) return; // a room may answer from afar
    const { ext } = this.person;
    this.host.env.count?.('refusal', code);
    const { type, room, id } = answered;
    const context = {
      code,
      ...(typeof type === 'string' && type.length <= 64 && { type }),
      ...(typeof room === 'string' && room.length <= LIMITS.roomLength * 2 && { room }),
      ...(typeof id === 'string' && id.length <= 128 && { id }),
    };
    this.sendFrame('general.error', ext ? { error, ...context } : { error });
    if (NO_FAULT.includes(code)) return;
    this.errors += 1;
    if (this.errors < MAX_ERRORS) return;
    this.host.env.log.info(
      { user: this.person.userID, last: error },
      'closed after too many protocol errors',
    );
    this.end(1008, 'Too many protocol errors');
  }

  private armPing(): void {
    const { timers } = this.host.env;
    timers.clearTimeout(this.pingTimer);
    this.pingTimer = timers.setTimeout(() => {
      this.socket.ping();
      this.pingTimer = timers.setTimeout(() => {
        this.socket.terminate();
        this.over(1006);
      }, PLAIN_PONG_MS);
    }, PLAIN_PING_MS);
  }

  /**
   * A session ends with its token. A guest's original client has no way to a fresh one, and the original lets it talk
   * on: whom a site has named, or let into certain rooms alone, it does not.
   */
  private armExpiry(): void {
    const { validMs = Infinity, account, rooms } = this.claims;
    if (validMs === Infinity || !(this.person.ext || account !== undefined || rooms)) return;
    this.expiryTimer = this.host.env.timers.setTimeout(
      () => this.end(CLOSE.expired, 'token expired'),
      Math.min(Math.max(0, validMs), LONGEST_TIMER),
    );
  }

  private over(code: number): void {
    this.ended = true;
    this.host.env.timers.clearTimeout(this.pingTimer);
    this.host.env.timers.clearTimeout(this.expiryTimer);
    this.host.env.timers.clearTimeout(this.joinTimer);
    this.host.owners.leave(this.owner);
    this.host.env.count?.('close', closeLabel(code));
    this.host.env.log.debug({ user: this.person.userID, code }, 'socket closed');
    this.host.detach(this, code);
  }
}
