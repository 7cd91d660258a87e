/** One run's world: the people of a plan in front of their pages, with everything that may be done to them. */
import { SOURCE_NAMES, type Call, type CallState } from '../../../src/core/index.ts';
import type { FakePeerConnection, FakeWorld } from '../fake-platform/index.ts';
import { createFakeRoom, type FakeRoom } from '../fake-room.ts';
import type { PlainClient } from '../plain-client/client.ts';
import { installPlainServer, type FakePlainServer } from '../plain-server/fake.ts';
import { Actor } from './actor.ts';
import { PlainActor } from './plain-actor.ts';
import type { Plan } from './plan.ts';
import { Talk } from './talk.ts';

/** More entries than any run needs by far; a run that needs more goes round in circles. */
const PATIENCE = 400_000;

/** Somebody's page, whichever client it has. */
interface Body {
  readonly page: string;
}

export class Stage {
  readonly room: FakeRoom;
  readonly world: FakeWorld;
  readonly actors: Actor[] = [];
  readonly plains: PlainActor[] = [];
  /** Every plain client there ever was, and whether it lost its socket: then it talks to a room that it is not in. */
  readonly plainClients = new Map<PlainClient, boolean>();
  /** Where the room is on one of those. */
  readonly plainServer: FakePlainServer | null;
  /** Every page there ever was. */
  readonly pages = new Set<string>();
  /** What happened, by name. */
  readonly counts = new Map<string, number>();
  readonly lines: string[] = [];
  readonly talk: Talk;
  relayUp = true;
  /** Share of the signals that the relay loses now. */
  loss = 0;
  private readonly mends = new Set<() => void>();
  private readonly cuts = new Map<string, number>();
  /** The connections that two people have talked of, by their ids. */
  private readonly conns = new Map<string, Set<string>>();

  constructor(
    plan: Plan,
    readonly tracing: boolean,
  ) {
    const flavours = new Map(plan.people.map(({ name, flavour }) => [name, flavour]));
    this.room = createFakeRoom({
      seed: plan.seed,
      delays: plan.delays,
      flavour: (page) => flavours.get(page.split('/')[0] ?? '') ?? 'chromium',
      relay: { graceSeconds: plan.graceSeconds },
      fate: (from, frame) => this.passes(from, frame),
    });
    this.world = this.room.world;
    this.world.scheduler.patience = PATIENCE;
    this.plainServer = plan.server === 'plain' ? installPlainServer(this.world) : null;
    this.talk = new Talk(this.world.random);
    for (const person of plan.people) {
      if (person.plain) {
        const plain = new PlainActor(this, person, person.plain);
        this.plains.push(plain);
        plain.openPage();
        continue;
      }
      const actor = new Actor(person, (page) => this.world.platform(page));
      this.actors.push(actor);
      this.openPage(actor);
    }
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  trace(text: string): void {
    if (this.tracing) this.lines.push(`${this.world.now.toFixed(1).padStart(9)}  ${text}`);
  }

  /** The one that `index` falls on among those who qualify. */
  pick(index: number, qualifies: (actor: Actor) => boolean): Actor | undefined {
    const list = this.actors.filter(qualifies);
    return list[index % list.length];
  }

  /** A new page, with a call of its own and nothing captured. */
  openPage(actor: Actor): void {
    actor.pages += 1;
    actor.page = actor.pages === 1 ? actor.name : `${actor.name}/${String(actor.pages)}`;
    this.pages.add(actor.page);
    this.newCall(actor);
  }

  /** Another call on the same page: its element was replaced. */
  newCall(actor: Actor): void {
    actor.alive = true;
    actor.present = actor.frozen = false;
    actor.wishes.mic = actor.wishes.camera = true;
    actor.call = this.room.call(actor.page, { displayName: actor.name });
    this.watch(actor, actor.call);
  }

  /** Nothing of the page is there any more. */
  closePage(actor: Actor, how: 'tab' | 'machine'): void {
    actor.alive = actor.present = false;
    this.talk.gone(actor.call);
    this.world.crash(actor.page, how);
  }

  join(actor: Actor): void {
    actor.present = true;
    this.command(actor, actor.call.join());
  }

  /** A command's failure is told by the call's events, which are looked at in the end. */
  command(actor: Actor, done: Promise<unknown>): void {
    done.catch((error: unknown) => this.trace(`${actor.name}: refused, ${String(error)}`));
  }

  /** Undoes a fault after `ms`, or when the quiet begins. */
  until(ms: number, mend: () => void): void {
    const once = (): void => {
      if (!this.mends.delete(once)) return;
      cancel();
      mend();
    };
    const cancel = this.world.scheduler.schedule('timer', ms, '', once);
    this.mends.add(once);
  }

  mendAll(): void {
    for (const mend of [...this.mends]) mend();
  }

  /** Cuts the path between two people; several cuts of one path end with the last of them. */
  cut(left: Body, right: Body, ms: number): void {
    const names = [left.page, right.page] as const;
    const key = [...names].sort().join();
    this.cuts.set(key, (this.cuts.get(key) ?? 0) + 1);
    this.world.cut(...names);
    this.until(ms, () => {
      const left = (this.cuts.get(key) ?? 0) - 1;
      this.cuts.set(key, left);
      if (left === 0) this.world.mend(...names);
    });
  }

  killRelay(): void {
    this.relayUp = false;
    if (this.plainServer) this.plainServer.kill();
    else this.room.killRelay();
  }

  startRelay(): void {
    if (this.relayUp) return;
    this.relayUp = true;
    if (this.plainServer) this.plainServer.start();
    else this.room.startRelay();
  }

  connections(actor: Actor): FakePeerConnection[] {
    return actor.platform.connections.filter(({ signalingState }) => signalingState !== 'closed');
  }

  /** Both ends of every working connection between two pages. */
  ends(left: Body, right: Body): FakePeerConnection[] {
    const found: FakePeerConnection[] = [];
    for (const { ice, scope, facade } of this.world.network.peers) {
      const pair = [scope.owner, ice.other?.peer.scope.owner];
      if (pair.includes(left.page) && pair.includes(right.page)) found.push(facade as FakePeerConnection);
    }
    return found;
  }

  private passes(from: string, given: string | ArrayBuffer): boolean {
    const frame = typeof given === 'string' ? given : new TextDecoder().decode(given);
    // Heartbeats, most of all: nothing is to be learned from them.
    if (!this.tracing && !frame.includes('"webrtc.')) return true;
    const { type, data } = JSON.parse(frame) as { type: string; data?: { to?: string; conn?: string } };
    const signal = type.startsWith('webrtc.');
    // A plain client has no way to notice.
    const ours = this.plains.length === 0;
    const lost = ours && signal && this.loss > 0 && this.world.random.chance(this.loss);
    if (lost) this.count('signals lost');
    if (type === 'webrtc.offer') this.count('offers by the relay');
    if (signal && data?.conn) this.note(from, data.to ?? '', data.conn);
    if (!type.startsWith('relay.')) {
      const to = [...this.actors, ...this.plains].find(({ id }) => id === data?.to)?.name ?? '';
      this.trace(`${from} → ${to || 'relay'}: ${type} ${data?.conn ?? ''}${lost ? ' LOST' : ''}`);
    }
    return !lost;
  }

  /** A second connection between the same two is one made anew. */
  private note(from: string, to: string, conn: string): void {
    const page = this.actors.find((actor) => actor.page === from);
    const pair = [page?.call.snapshot.participants[0]?.id ?? '', to].sort().join();
    const known = this.conns.get(pair) ?? new Set();
    this.conns.set(pair, known);
    if (known.size > 0 && !known.has(conn)) this.count('connections anew');
    known.add(conn);
  }

  private watch(actor: Actor, call: Call): void {
    const { name } = actor;
    this.talk.watch(this, actor, call);
    call.on('joined', () => this.count('joined'));
    call.on('participant-joined', () => this.count('participants met'));
    call.subscribe(
      ({ phase }) => phase,
      (phase, before) => {
        if (phase === 'joined' && before === 'reconnecting') this.count('resumed');
        if (phase === 'failed') this.count('failed joins');
      },
    );
    if (!this.tracing) return;
    call.on('error', ({ code, error }) => this.trace(`${name}: error ${code}: ${error.message}`));
    let before = '';
    call.subscribe(
      (state) => state,
      (state) => {
        const now = this.describe(state);
        if (now !== before) this.trace(`${name}: ${now}`);
        before = now;
      },
    );
  }

  private describe({ phase, relay, participants }: CallState): string {
    const people = participants.map(({ self, name, link, sources }) => {
      const states = SOURCE_NAMES.map((source) => sources[source].state.slice(0, 2)).join('/');
      return `${self ? 'self' : `${name} ${link}`} ${states}`;
    });
    return `${phase}, relay ${relay}; ${people.join('; ')}`;
  }
}
