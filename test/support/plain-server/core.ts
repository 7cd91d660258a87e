/**
 * A server as Private Meet's own one behaves on the wire, written from the description of its protocol alone: it does
 * not greet, names nobody gone, tells everybody's signals to the whole room, and knows no extension.
 */
import type { Claims } from './token.ts';

const FRAME_BYTES = 65_536;
const ROOM_LENGTH = 128;
const MESSAGE_LENGTH = 5_000;
const PER_SECOND = 40;
const BURST = 60;
const MOST_ERRORS = 10;
const PING_MS = 54_000;
const PONG_MS = 6_000;

export interface ServerEnd {
  send(frame: Uint8Array<ArrayBuffer>): void;
  close(code: number, reason: string): void;
  terminate(): void;
  ping(): void;
}

export interface ServerClock {
  now(): number;
  after(ms: number, callback: () => void): () => void;
  randomUUID(): string;
}

type Fields = Record<string, unknown>;

class Refusal extends Error {}

const count = (text: string): number => Array.from(text).length;
const asText = (value: unknown, complaint: string): string => {
  if (typeof value !== 'string') throw new Refusal(complaint);
  return value;
};
const asFields = (value: unknown, complaint: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(complaint);
  return value as Fields;
};

const utf8 = new TextEncoder();
const SIGNALS: Readonly<Record<string, readonly [field: string, name: string]>> = {
  'webrtc.offer': ['sdp', 'offer'],
  'webrtc.answer': ['sdp', 'answer'],
  'webrtc.iceCandidate': ['candidate', 'ICE candidate'],
};

export class PlainConnection {
  private tokens = BURST;
  private refilled: number;
  private errors = 0;
  private over = false;
  private cancelPing: () => void = () => undefined;

  constructor(
    private readonly server: PlainServerCore,
    readonly claims: Claims,
    private readonly socket: ServerEnd,
    private readonly clock: ServerClock,
  ) {
    this.refilled = clock.now();
    this.armPing();
  }

  receive(frame: string | Uint8Array | ArrayBuffer): void {
    if (this.over) return;
    const bytes = typeof frame === 'string' ? utf8.encode(frame) : new Uint8Array(frame);
    if (bytes.length > FRAME_BYTES) {
      this.socket.close(1009, '');
      return this.closed();
    }
    let value: Fields;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes)) as Fields;
    } catch {
      // Without a word.
      this.socket.terminate();
      return this.closed();
    }
    try {
      const now = this.clock.now();
      this.tokens = Math.min(BURST, this.tokens + ((now - this.refilled) / 1_000) * PER_SECOND);
      this.refilled = now;
      if (this.tokens < 1) throw new Refusal('Rate limit exceeded');
      this.tokens -= 1;
      this.handle(value);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.tell('general.error', { error: error.message });
      this.errors += 1;
      if (this.errors < MOST_ERRORS) return;
      this.socket.close(1008, '');
      this.closed();
    }
  }

  pong(): void {
    if (!this.over) this.armPing();
  }

  /** The socket is gone. */
  closed(): void {
    if (this.over) return;
    this.over = true;
    this.cancelPing();
    this.server.gone(this);
  }

  tell(type: string, data: object, room?: string, from = 'system'): void {
    if (!this.over) this.socket.send(utf8.encode(JSON.stringify({ type, room, data, from })));
  }

  /** Ends it from the server's side. */
  cut(code: number): void {
    this.socket.close(code, '');
    this.closed();
  }

  private armPing(): void {
    this.cancelPing();
    this.cancelPing = this.clock.after(PING_MS, () => {
      this.socket.ping();
      this.cancelPing = this.clock.after(PONG_MS, () => {
        this.socket.terminate();
        this.closed();
      });
    });
  }

  private handle(value: Fields): void {
    const type = value['type'];
    if (type === 'utils.generateRoomID') {
      return this.tell('utils.generateRoomID', { roomID: this.clock.randomUUID() });
    }
    if (typeof type !== 'string' || !(type in SIGNALS || type.startsWith('chat.'))) {
      throw new Refusal('Invalid message type');
    }
    const room = value['room'];
    if (typeof room !== 'string' || room.trim() === '') throw new Refusal('Room ID is required');
    if (count(room) > ROOM_LENGTH) {
      throw new Refusal(`Room ID too long (maximum is ${String(ROOM_LENGTH)} characters)`);
    }
    const { server } = this;
    const signal = SIGNALS[type];
    if (signal)
      return server.broadcast(
        room,
        this,
        type,
        this.signal(signal, value['data']),
        'send WebRTC messages to',
      );
    if (type === 'chat.join') return server.join(room, this);
    if (type === 'chat.leave') return server.leave(room, this);
    if (type === 'chat.message') {
      const data = asFields(value['data'], 'Invalid chat message payload');
      const length = count(asText(data['message'], 'Invalid chat message payload').trim());
      if (length === 0) throw new Refusal('Message cannot be empty');
      if (length > MESSAGE_LENGTH) throw new Refusal('Message is too long');
      return server.broadcast(room, this, type, data, 'send a message to');
    }
    if (type === 'chat.typing') {
      const data = asFields(value['data'], 'Invalid typing payload');
      if (typeof data['typing'] !== 'boolean') throw new Refusal('Invalid typing payload');
      return server.broadcast(room, this, type, data, 'send typing notifications to');
    }
    throw new Refusal('Invalid message type');
  }

  /** What it knows of a signal and nothing else: no field of ours may be relied upon to arrive. */
  private signal([field, name]: readonly [string, string], data: unknown): Fields {
    const complaint = `Invalid WebRTC ${name} payload`;
    const { [field]: payload, to } = asFields(data, complaint);
    if (asText(payload, complaint) === '' || payload === 'null') throw new Refusal(complaint);
    if (typeof to !== 'string' || to === '') throw new Refusal('Missing WebRTC recipient');
    return { [field]: payload, to };
  }
}

export class PlainServerCore {
  /** Sockets by room, in order of joining. */
  readonly rooms = new Map<string, Set<PlainConnection>>();
  readonly connections = new Set<PlainConnection>();
  /** Types that arrived and are no part of its protocol: nobody may send it any. */
  readonly strange: string[] = [];

  constructor(private readonly clock: ServerClock) {}

  connect(socket: ServerEnd, claims: Claims): PlainConnection {
    const connection = new PlainConnection(this, claims, socket, this.clock);
    this.connections.add(connection);
    return connection;
  }

  join(room: string, connection: PlainConnection): void {
    const members = this.rooms.get(room) ?? new Set();
    this.rooms.set(room, members);
    members.add(connection);
    this.announce(room);
  }

  leave(room: string, connection: PlainConnection): void {
    const members = this.rooms.get(room);
    if (!members?.delete(connection)) return;
    if (members.size === 0) this.rooms.delete(room);
    this.announce(room);
  }

  /** To the whole room, the sender included. */
  broadcast(room: string, from: PlainConnection, type: string, data: object, what: string): void {
    const members = this.rooms.get(room);
    if (!members?.has(from)) throw new Refusal(`You can't ${what} this room`);
    for (const member of members) member.tell(type, data, room, from.claims.sub);
  }

  gone(connection: PlainConnection): void {
    this.connections.delete(connection);
    for (const room of this.rooms.keys()) this.leave(room, connection);
  }

  private announce(room: string): void {
    const members = this.rooms.get(room) ?? [];
    const users = [...members].map(({ claims: { sub, username } }) => ({ userID: sub, username }));
    for (const member of members) member.tell('room.users', { users }, room);
  }
}
