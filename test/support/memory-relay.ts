/**
 * The relay's own core behind sockets in memory and a clock that the test moves. Nothing of Node, so that it runs in a
 * browser page as well.
 */
import type {
  Claims,
  Log,
  RelayEnv,
  RelayOptions,
  SocketLike,
  Timers,
} from '../../demo-server/src/core/env.ts';
import type { Connection } from '../../demo-server/src/core/connection.ts';
import { RelayCore } from '../../demo-server/src/core/relay-core.ts';

/** The settings of a relay in tests. */
export const RELAY_DEFAULTS: RelayOptions = {
  heartbeatSeconds: 3,
  graceSeconds: 30,
  iceRenewSeconds: 0,
  joinSeconds: 3_600,
  socketsPerAccount: 0,
  roomsPerSocket: 10,
  membersPerRoom: 100,
  prefixes: { room: '', e2ee: 'e', file: 'f' },
};

/** Time that passes when told to. Timers fire in the order of their time, then of their making. */
export class FakeClock implements Timers {
  private time = 0;
  private count = 0;
  private readonly pending = new Map<number, { at: number; callback: () => void }>();

  /** Timers that are set. */
  get size(): number {
    return this.pending.size;
  }

  now(): number {
    return this.time;
  }

  setTimeout(callback: () => void, milliseconds: number): unknown {
    this.count += 1;
    this.pending.set(this.count, { at: this.time + milliseconds, callback });
    return this.count;
  }

  clearTimeout(handle: unknown): void {
    this.pending.delete(handle as number);
  }

  /** Lets so many milliseconds pass. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const due = [...this.pending].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.pending.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].callback();
    }
    this.time = end;
  }
}

export interface MemoryFrame {
  type: string;
  room?: string;
  from?: string;
  data: any;
}

/** One client's end. What the relay sent is in `frames`; `closedWith` tells how the relay ended it. */
export class MemorySocket implements SocketLike {
  readonly frames: MemoryFrame[] = [];
  closedWith: { code: number; reason: string } | 'terminated' | null = null;
  bufferedAmount = 0;
  pings = 0;
  connection!: Connection;

  send(text: string): void {
    this.frames.push(JSON.parse(text) as MemoryFrame);
  }

  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason };
  }

  terminate(): void {
    this.closedWith ??= 'terminated';
  }

  ping(): void {
    this.pings += 1;
  }

  /** The client says something. */
  say(type: string, room?: string, data?: unknown): void {
    this.connection.receive(JSON.stringify({ type, room, data }));
  }

  /** The client's side of the connection ends. */
  end(code = 1006): void {
    this.connection.closed(code);
  }

  /** Takes out the frames so far, heartbeats aside. */
  read(): MemoryFrame[] {
    return this.frames.splice(0).filter(({ type }) => type !== 'relay.ping');
  }

  /** Their types, in order. */
  types(): string[] {
    return this.read().map(({ type }) => type);
  }
}

export interface MemoryRelay {
  core: RelayCore;
  clock: FakeClock;
  logged: string[];
  /** Connects; with a session as an extended client. */
  connect(claims: Partial<Claims>, session?: string): MemorySocket;
}

const hex = (value: number, length: number) => value.toString(16).padStart(length, '0');

/** Not SHA-256, but as deterministic, and spread over all sixteen bytes. */
function digest(text: string): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, index) => {
    let hash = 0x811c9dc5 ^ index;
    for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193) >>> 0;
    return hash >>> 24;
  });
}

export function memoryRelay(options: Partial<RelayOptions> = {}, extra: Partial<RelayEnv> = {}): MemoryRelay {
  const clock = new FakeClock();
  const logged: string[] = [];
  const note = (_data: object, text: string) => void logged.push(text);
  const log: Log = { debug: note, info: note, warn: note };
  let count = 0;
  const uuid = () => `00000000-0000-4000-8000-${hex(++count, 12)}`;
  const core = new RelayCore(
    {
      timers: clock,
      log,
      sha256: digest,
      randomUUID: uuid,
      iceServers: (userID) => [
        { urls: 'turn:turn.test', username: `${Math.round(clock.now() / 1000)}:${userID}` },
      ],
      ...extra,
    },
    {
      ...RELAY_DEFAULTS,
      ...options,
    },
  );
  return {
    core,
    clock,
    logged,
    connect(claims, session) {
      const socket = new MemorySocket();
      const ext = session !== undefined;
      const full = { sub: uuid(), username: 'Somebody', role: 'guest' as const, ...claims };
      socket.connection = core.connect(
        socket,
        full,
        ext ? { ext, session: session.padEnd(22, '-') } : { ext },
      );
      return socket;
    },
  };
}
