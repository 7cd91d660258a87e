/**
 * Rooms over several nodes. Every room belongs to one of them, its owner, which runs it exactly as a single relay does;
 * the others pass on what their people do, and what the room says to their people. So there is one truth about every
 * room, and nothing to agree on but whose it is.
 *
 * An owner that dies is followed by whoever notices first: by a message that reaches nobody, by somebody of its people
 * who comes to another node, or by the next beat. The new owner seats again whom it knows, the other nodes tell it of
 * theirs, and the dead node's people come by themselves. Nobody is told that anybody left, so no connection ends.
 */
import { randomUUID } from 'node:crypto';
import type { Act, Answered, Cluster, Desk, Present, Reply, Sockets } from '../core/desk.ts';
import type { Log } from '../core/env.ts';
import type { Person } from '../core/person.ts';
import type { Member } from '../core/rooms.ts';
import type { Reason } from '../../../src/core/protocol/schema.ts';
import { Bus, type Claim } from './bus.ts';

/** Orders of joining are counted anew by each owner, above those of the one before. */
const SEQ_PER_EPOCH = 1_000_000;
/** Milliseconds that an owner may take to say who is in a room. */
const ANSWER_WAIT = 2_000;

/** Between nodes. */
type Message =
  | { kind: 'act'; node: string; person: Person; act: Act }
  | { kind: 'hold'; node: string; key: string }
  | { kind: 'depart'; node: string; key: string; reason: Reason }
  | { kind: 'spoke'; node: string; key: string; seconds: number }
  | { kind: 'adopt'; node: string; room: string; members: Member[] }
  | { kind: 'who'; node: string; id: string; room: string }
  /** From owners: */
  | { kind: 'these'; id: string; present: Present[] }
  | { kind: 'frame'; key: string; text: string }
  | { kind: 'entered'; key: string; room: string }
  | { kind: 'refused'; key: string; error: string; code: string; answered: Answered }
  | { kind: 'seated'; key: string; room: string; member: Member }
  | { kind: 'unseated'; key: string; room: string }
  | { kind: 'replaced'; key: string }
  /** The room is not ours, or no longer. */
  | { kind: 'elsewhere'; room: string; again?: { person: Person; act: Act } };

export class ClusterRouter implements Cluster {
  readonly bus: Bus;
  /** Rooms that are ours. */
  private readonly own = new Set<string>();
  /** Whose the others are, as far as known. */
  private readonly others = new Map<string, string>();
  /** Where people are who sit in rooms of ours, yet not at this node. */
  private readonly away = new Map<string, string>();
  /** Seats of our people in rooms of others, by key and room. */
  private readonly places = new Map<string, Map<string, Member>>();
  /** What waits until it is known whose a room is, in order. */
  private readonly lanes = new Map<string, Promise<void>>();
  private readonly held = new Map<string, number>();
  private leaving = false;
  /** What is known of rooms that have just become ours. */
  private readonly claims = new Map<string, Claim>();
  /** Questions to owners. */
  private readonly asked = new Map<string, (present: Present[]) => void>();

  constructor(
    url: string,
    node: string,
    private readonly desk: Desk,
    private readonly log: Log,
    private readonly sockets: Sockets,
  ) {
    this.bus = new Bus(url, node, log, {
      message: (message) => this.receive(message as Message),
      up: (anew) => this.try(this.claimAgain(anew), 'rooms again'),
      watched: () => new Set([...this.others.values(), ...this.away.values()]),
      dead: (dead) => this.bury(dead),
      owned: () => this.own,
    });
  }

  get node(): string {
    return this.bus.node;
  }

  of(key: string): readonly string[] {
    return [...this.desk.of(key), ...(this.places.get(key)?.keys() ?? [])];
  }

  take(person: Person, act: Act, reply: Reply): void {
    if (this.leaving) return;
    const { room } = act;
    const lane = this.lanes.get(room);
    if (!lane && this.own.has(room)) return this.here(person, act, reply);
    const owner = this.others.get(room);
    if (!lane && owner !== undefined) return this.send(owner, person, act, reply);
    if (!lane && act.act !== 'join') return this.desk.take(person, act, reply); // in no room of ours: refused
    this.queue(room, () =>
      this.route(person, act, reply).catch((error: unknown) => this.unreached(error, act, reply)),
    );
  }

  hold(key: string): void {
    this.desk.hold(key);
    this.tellOwners(key, { kind: 'hold', node: this.node, key });
    this.places.delete(key);
  }

  depart(key: string, reason: Reason): void {
    this.desk.depart(key, reason);
    this.tellOwners(key, { kind: 'depart', node: this.node, key, reason });
    this.places.delete(key);
  }

  spoke(key: string, seconds: number): void {
    this.desk.spoke(key, seconds);
    if (seconds > 0) this.tellOwners(key, { kind: 'spoke', node: this.node, key, seconds });
  }

  /** A frame for somebody in a room of ours, wherever it is. */
  deliver(key: string, text: string): void {
    if (this.sockets.deliver(key, text)) return;
    const node = this.away.get(key);
    if (node !== undefined) this.tell(node, { kind: 'frame', key, text });
  }

  /** Where counting begins in a room of ours. */
  begin(room: string): { seq: number; rules: string } {
    const { epoch = 1, rules = '' } = this.claims.get(room) ?? {};
    return { seq: (epoch - 1) * SEQ_PER_EPOCH + 1, rules };
  }

  ruled(room: string, rules: string): void {
    this.try(this.bus.keepRules(room, rules), 'rules');
  }

  async who(room: string): Promise<Present[]> {
    if (this.own.has(room)) return this.desk.present(room);
    const owner = this.others.get(room) ?? (await this.bus.ownerOf(room));
    if (owner === null || owner === this.node) return [];
    const id = randomUUID();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.asked.set(id, resolve);
        timer = setTimeout(() => reject(new Error('the owner does not answer')), ANSWER_WAIT);
        this.bus
          .tell(owner, { kind: 'who', node: this.node, id, room })
          .then((there) => there || resolve([]), reject);
      });
    } finally {
      clearTimeout(timer);
      this.asked.delete(id);
    }
  }

  /** Somebody has a seat in a room of ours. */
  seated(room: string, member: Member): void {
    const { key } = member.person;
    const node = this.away.get(key);
    if (node !== undefined) this.tell(node, { kind: 'seated', key, room, member });
  }

  unseated(room: string, key: string): void {
    const node = this.away.get(key);
    if (node === undefined) return;
    this.tell(node, { kind: 'unseated', key, room });
    if (this.desk.of(key).length === 0) this.away.delete(key);
  }

  /** A room of ours is empty. */
  forgotten(room: string): void {
    this.claims.delete(room);
    if (!this.own.delete(room)) return;
    this.try(this.bus.release(room), 'release');
  }

  /** Does not wait for Redis: whoever comes before it is there is told to come again. */
  start(): void {
    this.try(this.bus.start(), 'start');
  }

  holds(owner: string, sockets: number): void {
    if (sockets > 0) this.held.set(owner, sockets);
    else this.held.delete(owner);
    this.try(this.bus.hold(owner, sockets), 'hold');
  }

  /** Sockets of an owner at other nodes; none while nobody can say. */
  async heldElsewhere(owner: string): Promise<number> {
    return this.bus.heldElsewhere(owner).catch(() => 0);
  }

  /** This node stops: its rooms go to whoever has people in them. Nothing is done here any more. */
  async leave(): Promise<void> {
    this.leaving = true;
    const nodes = [...new Set(this.away.values())];
    const rooms = [...this.own];
    this.own.clear();
    try {
      await Promise.all(rooms.map((room) => this.bus.handOver(room)));
      await Promise.all(
        nodes.flatMap((node) => rooms.map((room) => this.bus.tell(node, { kind: 'elsewhere', room }))),
      );
    } catch (error) {
      this.log.warn(
        { problem: String(error) },
        'rooms were not handed over: others take them in some seconds',
      );
    }
  }

  async stop(): Promise<void> {
    await this.bus.stop();
  }

  /** Whose the room is, once it is known; what was to be done is then done. */
  private async route(person: Person, act: Act, reply: Reply): Promise<void> {
    const { room } = act;
    if (!this.own.has(room) && !this.others.has(room)) this.learn(room, await this.bus.claim(room));
    const owner = this.others.get(room);
    if (owner === undefined) return this.here(person, act, reply);
    if (await this.bus.tell(owner, { kind: 'act', node: this.node, person, act })) return;
    this.inherit(room, await this.bus.claim(room, owner));
    await this.route(person, act, reply);
  }

  /** In a room of ours, by somebody who is here: an older socket of its at another node is of no use any more. */
  private here(person: Person, act: Act, reply: Reply): void {
    const before = this.away.get(person.key);
    if (before !== undefined) this.tell(before, { kind: 'replaced', key: person.key });
    this.away.delete(person.key);
    this.desk.take(person, act, reply);
  }

  private learn(room: string, claim: Claim): void {
    const { node } = claim;
    if (node !== this.node) {
      if (this.others.get(room) === node) return;
      this.others.set(room, node);
      this.introduce(room, node);
      return;
    }
    this.others.delete(room);
    if (this.own.has(room)) return;
    this.own.add(room);
    this.claims.set(room, claim);
    for (const [key, rooms] of this.places) {
      const member = rooms.get(room);
      if (!member) continue;
      rooms.delete(room);
      if (rooms.size === 0) this.places.delete(key);
      this.desk.rooms.adopt(room, member);
    }
  }

  /** The room of a dead node: if it is ours now, nodes that have not noticed are told, and tell of their people. */
  private inherit(room: string, claim: Claim): void {
    this.learn(room, claim);
    if (claim.node === this.node) this.try(this.bus.tellAll({ kind: 'elsewhere', room }), 'elsewhere');
  }

  /** A new owner is told of our people in the room. */
  private introduce(room: string, node: string): void {
    const members = [...this.places.values()].flatMap((rooms) => rooms.get(room) ?? []);
    if (members.length > 0) this.tell(node, { kind: 'adopt', node: this.node, room, members });
  }

  private send(owner: string, person: Person, act: Act, reply: Reply): void {
    this.bus.tell(owner, { kind: 'act', node: this.node, person, act }).then(
      (there) => {
        if (there) return;
        this.queue(act.room, async () => {
          if (this.others.get(act.room) === owner)
            this.inherit(act.room, await this.bus.claim(act.room, owner));
          await this.route(person, act, reply);
        });
      },
      (error: unknown) => this.unreached(error, act, reply),
    );
  }

  /** One after the other for each room, so that nobody's words overtake each other. */
  private queue(room: string, task: () => Promise<void>): void {
    const before = this.lanes.get(room) ?? Promise.resolve();
    const lane = before.then(task).catch((error: unknown) => {
      this.log.warn({ problem: String(error) }, 'a room was not reached');
    });
    this.lanes.set(room, lane);
    void lane.then(() => {
      if (this.lanes.get(room) === lane) this.lanes.delete(room);
    });
  }

  private receive(message: Message): void {
    if (this.leaving && message.kind !== 'frame') {
      // Nobody is lost with what it said last: its own node asks whoever has the room then.
      if (message.kind === 'act')
        this.tell(message.node, { kind: 'elsewhere', room: message.act.room, again: message });
      return;
    }
    switch (message.kind) {
      case 'act':
        return this.actOf(message.node, message.person, message.act);
      case 'hold':
        if (this.movesOut(message)) this.desk.hold(message.key);
        return;
      case 'depart':
        if (this.movesOut(message)) this.desk.depart(message.key, message.reason);
        return;
      case 'spoke':
        return this.desk.spoke(message.key, message.seconds);
      case 'adopt':
        return this.adopt(message.node, message.room, message.members);
      case 'who':
        return this.tell(message.node, {
          kind: 'these',
          id: message.id,
          present: this.desk.present(message.room),
        });
      case 'these':
        this.asked.get(message.id)?.(message.present);
        return;
      case 'frame':
        this.sockets.deliver(message.key, message.text);
        return;
      case 'entered':
        return this.sockets.replyOf(message.key)?.entered();
      case 'refused':
        return this.sockets.replyOf(message.key)?.refuse(message.error, message.code, message.answered);
      case 'seated':
        return this.place(message.key, message.room, message.member);
      case 'unseated':
        return this.unplace(message.key, message.room);
      case 'replaced':
        this.places.delete(message.key);
        return this.sockets.replaced(message.key);
      case 'elsewhere':
        return this.lookAgain(message.room, message.again);
    }
  }

  /** Somebody at another node does something in a room that should be ours. */
  private actOf(node: string, person: Person, act: Act): void {
    const { key } = person;
    if (!this.own.has(act.room))
      return this.tell(node, { kind: 'elsewhere', room: act.room, again: { person, act } });
    const before = this.away.get(key);
    if (before !== undefined && before !== node) this.tell(before, { kind: 'replaced', key });
    if (before === undefined) this.sockets.replaced(key); // it was here, and may be still
    this.away.set(key, node);
    this.desk.take(person, act, {
      entered: () => this.tell(node, { kind: 'entered', key, room: act.room }),
      refuse: (error, code, answered) => this.tell(node, { kind: 'refused', key, error, code, answered }),
      unavailable: () => undefined,
    });
  }

  /** @returns whether it was still there; somebody who has moved on is not lost with its old socket */
  private movesOut({ node, key }: { node: string; key: string }): boolean {
    return this.away.get(key) === node && this.away.delete(key);
  }

  private adopt(node: string, room: string, members: readonly Member[]): void {
    if (!this.own.has(room)) return this.tell(node, { kind: 'elsewhere', room });
    for (const member of members) {
      const { key } = member.person;
      this.away.set(key, node);
      this.desk.rooms.adopt(room, member);
    }
  }

  private place(key: string, room: string, member: Member): void {
    if (!this.sockets.replyOf(key)) return; // gone meanwhile, and the owner hears of it
    const rooms = this.places.get(key) ?? new Map<string, Member>();
    this.places.set(key, rooms.set(room, member));
  }

  private unplace(key: string, room: string): void {
    const rooms = this.places.get(key);
    rooms?.delete(room);
    if (rooms?.size === 0) this.places.delete(key);
  }

  /** Whoever was the owner is not; what it did not do is done by whoever is. */
  private lookAgain(room: string, again?: { person: Person; act: Act }): void {
    if (this.own.has(room)) return;
    this.others.delete(room);
    const reply = again && this.sockets.replyOf(again.person.key);
    this.queue(room, async () => {
      if (again && reply) return this.route(again.person, again.act, reply);
      if (this.hasPlaceIn(room)) this.learn(room, await this.bus.claim(room));
    });
  }

  private hasPlaceIn(room: string): boolean {
    return [...this.places.values()].some((rooms) => rooms.has(room));
  }

  /** A node is dead: its rooms are claimed, its people have a while to come back. */
  private bury(dead: string): void {
    for (const [room, node] of this.others) {
      if (node !== dead) continue;
      if (!this.hasPlaceIn(room)) this.others.delete(room);
      else
        this.queue(room, async () => {
          if (this.others.get(room) === dead) this.inherit(room, await this.bus.claim(room, dead));
        });
    }
    for (const [key, node] of this.away) {
      if (node !== dead) continue;
      this.desk.hold(key);
      this.away.delete(key);
    }
  }

  /** Redis is back, and may have given away what was ours, or forgotten it. */
  private async claimAgain(anew: boolean): Promise<void> {
    if (anew) for (const [owner, sockets] of this.held) this.try(this.bus.hold(owner, sockets), 'hold');
    for (const room of [...this.own]) {
      if (anew) {
        const claim = await this.bus.claim(room);
        if (claim.node !== this.node) this.yieldTo(room, claim.node);
        else this.desk.rooms.keepRules(room);
      }
      this.desk.rooms.sayAgain(room);
    }
    for (const [room, node] of [...this.others]) {
      if (!this.hasPlaceIn(room)) continue;
      if (anew) this.learn(room, await this.bus.claim(room));
      // The owner may have taken us for dead, and hold the seats of our people.
      if (this.others.get(room) === node) this.introduce(room, node);
    }
  }

  /** Another node took this one for dead, and has the room. */
  private yieldTo(room: string, node: string): void {
    const members = this.desk.rooms.abandon(room);
    this.own.delete(room);
    for (const member of members) {
      const { key } = member.person;
      const at = this.away.get(key);
      if (at === undefined) this.place(key, room, member);
      else this.tell(at, { kind: 'elsewhere', room });
    }
    this.others.set(room, node);
    this.introduce(room, node);
  }

  private tellOwners(key: string, message: Message): void {
    const owners = new Set([...(this.places.get(key)?.keys() ?? [])].map((room) => this.others.get(room)));
    for (const owner of owners) if (owner !== undefined) this.tell(owner, message);
  }

  private unreached(error: unknown, { act, room, ...rest }: Act, reply: Reply): void {
    this.log.debug({ problem: String(error) }, 'a room was not reached');
    const type =
      act === 'join' ? 'chat.join' : act === 'say' ? (rest as { type: string }).type : `room.${act}`;
    reply.unavailable({ type, room });
  }

  private tell(node: string, message: Message): void {
    this.try(this.bus.tell(node, message), message.kind);
  }

  /** What is lost while Redis is away is said again, or found out, when it is back. */
  private try(done: Promise<unknown>, what: string): void {
    done.catch((error: unknown) => this.log.debug({ what, problem: String(error) }, 'not told'));
  }
}
