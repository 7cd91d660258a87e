/**
 * What nodes share through Redis: messages to each other, whose a room is, who is alive. No decision about rooms.
 *
 *   pm:node:<node>     a node's lease: gone 6 s after its last beat
 *   pm:room:<room>     HASH node, epoch, rules: whose the room is, for the how manieth time, and what hosts decided
 *   pm:held:<whose>    HASH node -> sockets that somebody, or an address, holds there
 *   pm:rate:<what>     requests within a window
 *   channel pm:<node>  messages for the node; pm:everybody for all of them
 *
 * A node is dead when nobody listens to its channel any more, which Redis knows at once of a process that ended, or when
 * its lease is gone, which tells of a machine that vanished.
 */
import { createClient } from '@redis/client';
import type { Log } from '../core/env.ts';

/** Milliseconds between two beats, and for which a lease holds. */
const BEAT = 1_000;
const LEASE = 6_000;
/** Milliseconds before Redis is asked again: doubled each time, up to a second. */
const AGAIN = 50;
/** Milliseconds that an answer of Redis may take. */
const PATIENCE = 2_000;
/** Seconds for which Redis keeps a room of which it hears nothing: a node that owns it says so in time. */
const ROOM_LIFE = 3_600;

/** Seconds for which Redis remembers how many sockets somebody holds. */
const HELD_LIFE = 86_400;

/** A room is claimed by whoever asks first, or by whoever finds its owner dead. */
const CLAIM = `
local node = redis.call('HGET', KEYS[1], 'node')
if not node or node == ARGV[2] then
  node = ARGV[1]
  redis.call('HSET', KEYS[1], 'node', node)
  redis.call('HINCRBY', KEYS[1], 'epoch', 1)
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {node, redis.call('HGET', KEYS[1], 'epoch'), redis.call('HGET', KEYS[1], 'rules') or ''}`;

/** Only its owner changes or gives up a room. */
const IF_MINE = (command: string): string => `
if redis.call('HGET', KEYS[1], 'node') == ARGV[1] then return ${command} end
return 0`;
const RELEASE = IF_MINE(`redis.call('DEL', KEYS[1])`);
const HAND_OVER = IF_MINE(`redis.call('HDEL', KEYS[1], 'node')`);
const KEEP_RULES = IF_MINE(`redis.call('HSET', KEYS[1], 'rules', ARGV[2])`);

export interface Claim {
  node: string;
  /** Grows with every owner. */
  epoch: number;
  rules: string;
}

export interface BusHooks {
  /** From another node. */
  message(message: unknown): void;
  /** Redis is there; `anew`: it had taken this node for dead, or has forgotten everything. */
  up(anew: boolean): void;
  /** Nodes that rooms of ours belong to. */
  watched(): Iterable<string>;
  dead(node: string): void;
  /** Rooms that are ours. */
  owned(): Iterable<string>;
}

const heldKey = (whose: string): string => `pm:held:${whose}`;
const roomKey = (room: string): string => `pm:room:${room}`;
const EVERYBODY = 'pm:everybody';
const channelOf = (node: string): string => `pm:${node}`;
const leaseOf = (node: string): string => `pm:node:${node}`;

export class Bus {
  private readonly commands;
  private readonly listener;
  private timer: NodeJS.Timeout | undefined;
  private isUp = false;
  /** It was said that it is not. */
  private isAway = false;
  private listening = false;
  private upSince = 0;
  private keptAt = -Infinity;
  private stopped = false;

  constructor(
    url: string,
    readonly node: string,
    private readonly log: Log,
    private readonly hooks: BusHooks,
  ) {
    this.commands = createClient({
      url,
      disableOfflineQueue: true,
      commandOptions: { timeout: PATIENCE },
      socket: {
        connectTimeout: PATIENCE,
        reconnectStrategy: (retries) => Math.min(AGAIN * 2 ** retries, 1_000),
      },
    });
    this.listener = this.commands.duplicate();
    for (const client of [this.commands, this.listener]) {
      client.on('error', (error: Error) => this.lost(error.message));
      client.on('ready', () => void this.beat());
    }
  }

  /** Whether Redis answers. */
  get ready(): boolean {
    return this.isUp;
  }

  /** Resolves when this node hears the others. A Redis that is away is waited for. */
  async start(): Promise<void> {
    await Promise.all([this.commands.connect(), this.listener.connect()]);
    await this.listener.subscribe([channelOf(this.node), EVERYBODY], (text) => this.hear(text));
    this.listening = true;
    await this.beat();
  }

  /** @returns whether the node is there. Rejects when Redis is not. */
  async tell(node: string, message: object): Promise<boolean> {
    return (await this.commands.publish(channelOf(node), JSON.stringify(message))) > 0;
  }

  async tellAll(message: object): Promise<void> {
    await this.commands.publish(EVERYBODY, JSON.stringify(message));
  }

  /** Whose a room is from now on. Rejects when Redis is away. */
  async claim(room: string, dead = ''): Promise<Claim> {
    const [node, epoch, rules] = (await this.commands.eval(CLAIM, {
      keys: [roomKey(room)],
      arguments: [this.node, dead, String(ROOM_LIFE)],
    })) as [string, string, string];
    return { node, epoch: Number(epoch), rules };
  }

  async ownerOf(room: string): Promise<string | null> {
    return this.commands.hGet(roomKey(room), 'node');
  }

  /** The room is empty. */
  async release(room: string): Promise<void> {
    await this.commands.eval(RELEASE, { keys: [roomKey(room)], arguments: [this.node] });
  }

  /** Whoever asks first may have the room. */
  async handOver(room: string): Promise<void> {
    await this.commands.eval(HAND_OVER, { keys: [roomKey(room)], arguments: [this.node] });
  }

  async keepRules(room: string, rules: string): Promise<void> {
    await this.commands.eval(KEEP_RULES, { keys: [roomKey(room)], arguments: [this.node, rules] });
  }

  /** One more request within a window that began with the first one (ms). */
  async countRequest(what: string, window: number): Promise<{ current: number; ttl: number }> {
    const key = `pm:rate:${what}`;
    const [current, , ttl] = await this.commands
      .multi()
      .incr(key)
      .pExpire(key, window, 'NX')
      .pTTL(key)
      .exec();
    return { current: Number(current), ttl: Number(ttl) };
  }

  /** So many sockets does somebody, or an address, hold at this node. */
  async hold(whose: string, count: number): Promise<void> {
    const key = heldKey(whose);
    if (count === 0) await this.commands.hDel(key, this.node);
    else await this.commands.multi().hSet(key, this.node, String(count)).expire(key, HELD_LIFE).exec();
  }

  /** And so many at the other nodes that live. */
  async heldElsewhere(whose: string): Promise<number> {
    const held = Object.entries(await this.commands.hGetAll(heldKey(whose)));
    const others = held.filter(([node]) => node !== this.node);
    if (others.length === 0) return 0;
    const leases = await this.commands.mGet(others.map(([node]) => leaseOf(node)));
    return others.reduce((sum, [, count], index) => sum + (leases[index] === null ? 0 : Number(count)), 0);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    if (this.isUp) await this.commands.del(leaseOf(this.node)).catch(() => undefined); // it expires by itself
    this.isUp = false;
    for (const client of [this.commands, this.listener]) client.destroy();
  }

  /** Renews the lease, and looks after the nodes that matter to us. */
  private async beat(): Promise<void> {
    clearTimeout(this.timer);
    if (this.stopped || !this.listening || !this.commands.isReady || !this.listener.isReady) return;
    this.timer = setTimeout(() => void this.beat(), BEAT);
    try {
      const before = await this.commands.set(leaseOf(this.node), '1', {
        expiration: { type: 'PX', value: LEASE },
        GET: true,
      });
      if (!this.isUp || before === null) {
        const first = !this.isUp;
        this.isUp = true;
        if (this.isAway) this.upSince = Date.now();
        this.isAway = false;
        if (first) this.log.info({ node: this.node }, 'Redis is there');
        this.hooks.up(before === null);
      }
      await this.keepRooms();
      // After Redis was away every node takes a moment to be heard of again.
      if (Date.now() - this.upSince < LEASE) return;
      for (const node of this.hooks.watched()) if (await this.isDead(node)) this.hooks.dead(node);
    } catch (error) {
      this.lost(error instanceof Error ? error.message : String(error));
    }
  }

  /** A room that lasts for long is not free for others because Redis has heard nothing of it. */
  private async keepRooms(): Promise<void> {
    const now = Date.now();
    if (now - this.keptAt < (ROOM_LIFE * 1_000) / 4) return;
    this.keptAt = now;
    await Promise.all([...this.hooks.owned()].map((room) => this.commands.expire(roomKey(room), ROOM_LIFE)));
  }

  private async isDead(node: string): Promise<boolean> {
    const [listeners, lease] = await Promise.all([
      this.commands.pubSubNumSub([channelOf(node)]),
      this.commands.exists(leaseOf(node)),
    ]);
    return Number(Object.values(listeners)[0]) === 0 || lease === 0;
  }

  private lost(problem: string): void {
    if (this.isAway || this.stopped) return;
    this.isAway = true;
    this.isUp = false;
    this.log.warn({ problem }, 'Redis is away: calls go on, whoever comes is told to come again');
  }

  private hear(text: string): void {
    try {
      this.hooks.message(JSON.parse(text));
    } catch (error) {
      this.log.warn({ problem: String(error) }, 'a message between nodes was dropped');
    }
  }
}
