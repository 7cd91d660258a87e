/** What people say and send each other, and who has to have it in the end. */
import type { Call, FileTransfer } from '../../../src/core/index.ts';
import type { Random } from '../fake-platform/index.ts';
import type { Step } from './plan.ts';
import type { Actor } from './actor.ts';
import type { Stage } from './stage.ts';

interface Saying {
  readonly text: string;
  readonly from: string;
  readonly call: Call;
  /** The calls that were in the room with it then and have been ever since. */
  readonly to: Set<Call>;
}

const SIZES = [0, 1, 900, 70_000, 300_000] as const;
const LIVE: readonly string[] = ['offered', 'active', 'paused'];
const idOf = (call: Call): string => call.snapshot.participants[0]?.id ?? '';
const sees = (call: Call, other: Call): boolean =>
  call.snapshot.participants.slice(1).some(({ id }) => id === idOf(other));
/** Every file has bytes of its own, known by its name. */
const contentOf = (name: string, size: number): Uint8Array<ArrayBuffer> => {
  const seed = Number(name.split('-')[0]);
  return Uint8Array.from({ length: size }, (_, index) => (seed * 31 + index * 7 + (index >> 8)) & 255);
};

export class Talk {
  private readonly sayings: Saying[] = [];
  /** Offers that are left without an answer, by file and receiver. */
  private readonly ignored = new Set<FileTransfer['id']>();
  private count = 0;

  constructor(private readonly random: Random) {}

  say(stage: Stage, actor: Actor): void {
    const { call } = actor;
    const text = String((this.count += 1));
    const to = stage.actors
      .filter((each) => each !== actor && each.alive && sees(each.call, call) && sees(call, each.call))
      .map((each) => each.call);
    this.sayings.push({ text, from: idOf(call), call, to: new Set(to) });
    stage.command(actor, call.sendMessage(text));
  }

  send(stage: Stage, actor: Actor, size: number, to?: string): void {
    const bytes = SIZES[size % SIZES.length]!;
    const name = `${String((this.count += 1))}-${String(bytes)}`;
    const file = new File([contentOf(name, bytes)], name);
    stage.command(actor, actor.call.sendFile(file, to === undefined ? {} : { to }));
  }

  /** Follows one call, and answers the files that it is offered. */
  watch(stage: Stage, actor: Actor, call: Call): void {
    call.on('participant-left', ({ participant: { id } }) => {
      for (const { from, call: sender, to } of this.sayings) {
        if (from === id) to.delete(call);
        if (sender === call) for (const each of to) if (idOf(each) === id) to.delete(each);
      }
    });
    call.subscribe(
      ({ phase }) => phase,
      (phase) => {
        if (phase !== 'joined' && phase !== 'reconnecting') this.gone(call);
      },
    );
    call.on('file', ({ id, outgoing, state }) => {
      if (state === 'done') stage.count(outgoing ? 'files sent' : 'files received');
      if (outgoing || state !== 'offered') return;
      const answer = this.random.next();
      if (answer > 0.9) return void this.ignored.add(id);
      const wait = this.random.pick([0, 5, 300, 4_000]);
      stage.world.scheduler.schedule('work', wait, actor.page, () => {
        if (actor.call !== call || !actor.awake) return void this.ignored.add(id);
        stage.command(actor, answer > 0.75 ? call.declineFile(id) : call.acceptFile(id));
      });
    });
  }

  /** Whoever leaves keeps nothing, and nothing of theirs has to arrive any more. */
  gone(call: Call): void {
    for (const saying of this.sayings) {
      saying.to.delete(call);
      if (saying.call === call) saying.to.clear();
    }
  }

  /** What is missing or too much between those who are there. */
  faults(there: readonly Actor[]): string[] {
    return there.flatMap((actor) => [
      ...this.unsaid(actor, there),
      ...there.flatMap((other) => (other === actor ? [] : this.unsent(actor, other))),
    ]);
  }

  private unsaid({ name, call }: Actor, there: readonly Actor[]): string[] {
    const found: string[] = [];
    const { messages } = call.snapshot;
    for (const message of messages.filter(({ state }) => state !== 'sent'))
      found.push(`${name}: message ${message.text} is ${message.state}`);
    for (const other of there) {
      const texts = messages.filter(({ from }) => from === idOf(other.call)).map(({ text }) => Number(text));
      if (texts.some((text, index) => index > 0 && text <= texts[index - 1]!))
        found.push(`${name} has what ${other.name} said as ${texts.join()}`);
      for (const saying of this.sayings)
        if (saying.call === other.call && saying.to.has(call) && !texts.includes(Number(saying.text)))
          found.push(`${name} has not heard ${saying.text} of ${other.name}`);
    }
    return found;
  }

  /** Files from one to another. */
  private unsent({ name, call }: Actor, other: Actor): string[] {
    const theirs = idOf(other.call);
    // Names are used once; whoever left and came back may have another id by now.
    const received = other.call.snapshot.files.filter((each) => !each.outgoing);
    return call.snapshot.files.flatMap((sent) => {
      if (!sent.outgoing || sent.peer !== theirs) return [];
      const got = received.find((each) => each.name === sent.name);
      const states = `${sent.state}, ${got?.state ?? 'unknown'}`;
      return this.ended(sent, got) ? [] : [`${name} to ${other.name}: file ${sent.name} is ${states}`];
    });
  }

  private ended(sent: FileTransfer, got: FileTransfer | undefined): boolean {
    if (sent.state === 'offered') return got?.state === 'offered' && this.ignored.has(got.id);
    if (LIVE.includes(sent.state) || LIVE.includes(got?.state ?? '')) return false;
    // Whoever ends it may do so while the last word of the other side is on its way.
    if (sent.state !== 'done') return got?.state !== 'done' || /failed|cancelled/.test(sent.state);
    return got?.state === 'done' && got.blob?.size === sent.size;
  }

  /** What has arrived is what was sent. */
  async damaged(there: readonly Actor[]): Promise<string[]> {
    const found: string[] = [];
    for (const { name, call } of there)
      for (const { name: file, blob } of call.snapshot.files) {
        if (!blob) continue;
        const bytes = new Uint8Array(await blob.arrayBuffer());
        const whole = contentOf(file, Number(file.split('-')[1]));
        if (bytes.length !== whole.length || bytes.some((byte, index) => byte !== whole[index]))
          found.push(`${name} has got another ${file} than was sent`);
      }
    return found;
  }
}

/** Steps of people who talk. */
export const talking = {
  chat: {
    whom: (actor: Actor): boolean => actor.inside && actor.awake,
    happen: (stage: Stage, step: Step, actor: Actor): boolean => {
      const { call } = actor;
      for (let count = 0; count <= step.other % 4; count += 1)
        stage.world.scheduler.schedule('work', (count * step.ms) / 10, actor.page, () => {
          if (actor.call === call && actor.inside && actor.awake) stage.talk.say(stage, actor);
        });
      return true;
    },
  },
  file: {
    whom: (actor: Actor): boolean =>
      actor.inside && actor.awake && actor.call.snapshot.participants.length > 1,
    happen: (stage: Stage, step: Step, actor: Actor): boolean => {
      const [, ...others] = actor.call.snapshot.participants;
      stage.talk.send(
        stage,
        actor,
        step.other,
        step.coin ? others[step.other % others.length]?.id : undefined,
      );
      return true;
    },
  },
  'file cancelled': {
    whom: (actor: Actor): boolean => talking.file.whom(actor),
    happen: (stage: Stage, step: Step, actor: Actor): boolean => {
      talking.file.happen(stage, step, actor);
      const canceller = step.who % 2 ? actor : (stage.pick(step.other, (each) => each !== actor) ?? actor);
      const { call } = canceller;
      stage.world.scheduler.schedule('work', 20 + step.ms / 20, canceller.page, () => {
        const live = call.snapshot.files.filter(({ state }) => LIVE.includes(state));
        if (canceller.call !== call || !canceller.awake || live.length === 0) return;
        stage.count('files cancelled');
        stage.command(canceller, call.cancelFile(live[step.other % live.length]!.id));
      });
      return true;
    },
  },
};
