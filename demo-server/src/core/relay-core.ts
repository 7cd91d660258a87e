/**
 * The relay without its network: sockets and checked claims go in, frames come out. Free of Node, so that the tests
 * run this very class in a browser page, or with a fake clock.
 */
import { shapeUserId } from '../../../src/core/protocol/identity.ts';
import { Connection, ownerOf, type ConnectionHost } from './connection.ts';
import type { Claims, RelayEnv, RelayOptions, SocketLike } from './env.ts';
import { CLOSE } from './close-codes.ts';
import { Desk, type Cluster, type Reply, type Router, type Sockets } from './desk.ts';
import { Heartbeat } from './heartbeat.ts';
import { Hosts } from './hosts.ts';
import { Owners } from './owners.ts';
import { Rooms } from './rooms.ts';

export interface ConnectOptions {
  /** Whether the client announced the extension (`ext=1`). */
  ext: boolean;
  /** The client's secret of this join, from which its id derives; required with `ext`, see `isSession`. */
  session?: string;
}

/** Whether a `session` is long enough to be unguessable: at least 128 bits in url-safe characters. */
export function isSession(session: string): boolean {
  return /^[\w-]{22,128}$/.test(session);
}

/** Close codes with which an extended client says that it is gone. Any other end holds its place for the grace. */
const GONE = new Map([
  [1000, 'user'],
  [1001, 'page-hidden'],
] as const) as ReadonlyMap<number, 'user' | 'page-hidden'>;

export class RelayCore implements ConnectionHost, Sockets {
  readonly rooms: Rooms;
  readonly router: Router;
  readonly owners = new Owners();
  private readonly heartbeat: Heartbeat;
  /** Live connections by the key of whoever they carry. */
  private readonly connections = new Map<string, Connection>();
  private plainCount = 0;
  private stopped = false;

  constructor(
    readonly env: RelayEnv,
    readonly options: RelayOptions,
    /** Makes this relay one node of several. */
    makeCluster?: (desk: Desk, sockets: Sockets) => Cluster,
  ) {
    let cluster: Cluster | null = null;
    const deliver = (key: string, text: string) =>
      cluster ? cluster.deliver(key, text) : void this.deliver(key, text);
    this.rooms = new Rooms({
      timers: env.timers,
      graceMs: options.graceSeconds * 1000,
      mostMembers: options.membersPerRoom,
      deliver,
      attended: env.attended?.bind(env),
    });
    const hosts = new Hosts({ rooms: this.rooms, deliver, digest: (password) => this.digest(password) });
    const desk = new Desk(this.rooms, hosts, deliver);
    cluster = makeCluster?.(desk, this) ?? null;
    this.rooms.watcher = cluster;
    this.router = cluster ?? desk;
    this.heartbeat = new Heartbeat(env.timers, options.heartbeatSeconds * 1000);
  }

  /** Number of live sockets. */
  get size(): number {
    return this.connections.size;
  }

  /**
   * Whether whoever the claims name may have this socket: one that takes the place of another always.
   * @param elsewhere sockets of its at other nodes
   */
  hasPlace(claims: Claims, { ext, session = '' }: ConnectOptions, elsewhere = 0): boolean {
    const most = this.options.socketsPerAccount;
    if (most === 0 || this.owners.socketsOf(ownerOf(claims)) + elsewhere < most) return true;
    return ext && this.connections.has(shapeUserId(this.env.sha256(session)));
  }

  /**
   * Takes a socket over whose token was checked. The caller reports frames, pongs and the end to what is returned.
   * @throws {TypeError} for an extended client without a valid session
   */
  connect(socket: SocketLike, claims: Claims, { ext, session = '' }: ConnectOptions): Connection {
    if (ext && !isSession(session)) throw new TypeError('session: 22 to 128 url-safe characters');
    const userID = ext ? shapeUserId(this.env.sha256(session)) : claims.sub;
    const key = ext ? userID : `plain ${this.env.node ?? ''} ${++this.plainCount}`;
    // The same session again: the older socket is half open, or a copy. Its seats stay, for the new one to take back.
    this.connections.get(key)?.end(CLOSE.replaced, 'replaced');
    const person = {
      key,
      userID,
      owner: ownerOf(claims),
      ext,
      role: claims.role,
      ...(claims.account !== undefined && { account: claims.account }),
    };
    const connection = new Connection(this, socket, person, claims);
    this.connections.set(key, connection);
    this.router.holds(person.owner, this.owners.socketsOf(person.owner));
    for (const room of this.router.of(key)) {
      // A fresh token may open less.
      if (!connection.admits(room))
        this.router.take(person, { act: 'leave', room, reason: 'removed' }, connection);
    }
    if (ext) {
      this.heartbeat.add(connection);
      connection.greet();
    }
    return connection;
  }

  deliver(key: string, text: string): boolean {
    const connection = this.connections.get(key);
    connection?.send(text);
    return connection !== undefined;
  }

  replyOf(key: string): Reply | null {
    return this.connections.get(key) ?? null;
  }

  replaced(key: string): void {
    const connection = this.connections.get(key);
    this.connections.delete(key);
    connection?.end(CLOSE.replaced, 'replaced');
  }

  detach(connection: Connection, code: number): void {
    const { key, ext, owner } = connection.person;
    this.heartbeat.delete(connection);
    this.router.holds(owner, this.owners.socketsOf(owner));
    if (this.connections.get(key) !== connection) return;
    this.connections.delete(key);
    if (this.stopped) return;
    if (!ext) return this.router.depart(key, 'user');
    const reason = GONE.get(code);
    if (reason) this.router.depart(key, reason);
    else this.router.hold(key);
  }

  /** What the relay keeps of a password. */
  digest(password: string): string {
    return [...this.env.sha256(password)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /**
   * Ends every connection as a restart of the service (1012): clients come back by themselves, and nobody is told
   * that anybody left. No timer survives.
   */
  stop(): void {
    this.stopped = true;
    for (const connection of [...this.connections.values()]) connection.end(1012, 'service restart');
    this.rooms.clear();
  }
}
