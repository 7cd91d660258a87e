/**
 * The virtual clock. Whatever happens in a fake world is an entry here, run in order of time, one per real task: all
 * promise reactions of one entry are done before the next entry runs, as between two tasks of an event loop.
 */
import type { Range } from './delays.ts';
import type { Random } from './random.ts';

/** `work` is something under way, which `settle()` waits for; a `timer` may be a heartbeat that never ends. */
export type EntryKind = 'work' | 'timer';

/**
 * Milliseconds between two packets of one way that keep their order: a delay from now is rounded, which may take more
 * from the second moment than from the first.
 */
export const APART = 1e-6;

interface Entry {
  time: number;
  order: number;
  readonly kind: EntryKind;
  readonly owner: string;
  run: (() => void) | null;
  /** Part of what `settle` waits for; not while its owner is frozen. */
  counted: boolean;
}

const nodeImmediate = (globalThis as { setImmediate?: (callback: () => void) => unknown }).setImmediate;
const waiting: (() => void)[] = [];
let port: MessagePort | null = null;

/** In a real task of its own: microtasks alone cannot tell when the last of them is done, and timers are clamped to 4 ms. */
function inTask(callback: () => void): void {
  if (nodeImmediate) {
    nodeImmediate(callback);
    return;
  }
  if (!port) {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => waiting.shift()?.();
    port = channel.port2;
  }
  waiting.push(callback);
  port.postMessage(0);
}

export class Scheduler {
  now = 0;
  /** Entries that may run before it gives up: two sides that answer each other for ever at one instant never end. */
  patience = Infinity;
  private readonly heap: Entry[] = [];
  private readonly dead = new Set<string>();
  private readonly frozen = new Map<string, Entry[]>();
  private readonly held = new Set<Promise<unknown>>();
  private order = 0;
  private pendingWork = 0;
  private running = false;

  constructor(
    readonly random: Random,
    private readonly name: string,
  ) {}

  /** Runs `callback` after exactly `delay`; the answer cancels it. */
  schedule(kind: EntryKind, delay: number, owner: string, callback: () => void): () => void {
    const entry: Entry = {
      time: this.now + Math.max(0, delay),
      order: (this.order += 1),
      kind,
      owner,
      run: callback,
      counted: false,
    };
    this.count(entry, kind === 'work');
    this.push(entry);
    return () => this.cancel(entry);
  }

  /** Work that takes a seeded while. */
  soon(owner: string, range: Range, callback: () => void): () => void {
    return this.schedule('work', this.random.between(range[0], range[1]), owner, callback);
  }

  /** A promise that settles with what `produce` gives, or throws, a seeded while later. */
  promise<T>(owner: string, range: Range, produce: () => T): Promise<T> {
    return new Promise<T>((resolve) => {
      // Asynchronous only to turn what it throws into a rejection.
      this.soon(owner, range, () => resolve((async () => produce())()));
    });
  }

  /** Work done outside virtual time (real cryptography): the clock stands still until it is done. */
  hold<T>(work: Promise<T>): Promise<T> {
    const held: Promise<unknown> = work.then(
      () => this.held.delete(held),
      () => this.held.delete(held),
    );
    this.held.add(held);
    return work;
  }

  /** Nothing of a dead owner runs any more: its tab crashed. */
  kill(owner: string): void {
    this.dead.add(owner);
  }

  /** A frozen page: what would run waits until `thaw`. */
  freeze(owner: string): void {
    if (!this.frozen.has(owner)) this.frozen.set(owner, []);
  }

  thaw(owner: string): void {
    const late = this.frozen.get(owner) ?? [];
    this.frozen.delete(owner);
    for (const entry of late) {
      if (!entry.run) continue;
      entry.time = this.now;
      entry.order = this.order += 1;
      this.count(entry, entry.kind === 'work');
      this.push(entry);
    }
  }

  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    await this.loop(() => (this.nextTime() <= end ? 'go' : 'stop'));
    this.now = end;
  }

  async settle(limit: number): Promise<void> {
    const end = this.now + limit;
    await this.loop(() => {
      if (this.pendingWork === 0) return 'stop';
      if (this.nextTime() > end) throw new Error(`${this.name}: not idle after ${limit} ms`);
      return 'go';
    });
  }

  /** Runs until `done()`; throws when that takes longer than `limit`. Answers how long it took. */
  async when(done: () => boolean, limit: number, what: string): Promise<number> {
    const start = this.now;
    await this.loop(() => {
      if (done()) return 'stop';
      if (this.nextTime() > start + limit) throw new Error(`${this.name}: ${what} not within ${limit} ms`);
      return 'go';
    });
    return this.now - start;
  }

  private async loop(next: () => 'go' | 'stop'): Promise<void> {
    if (this.running) throw new Error(`${this.name}: the world is running already`);
    this.running = true;
    try {
      await new Promise<void>((resolve, reject) => {
        const turn = (): void => {
          try {
            if (this.held.size > 0) {
              const again = (): void => inTask(turn);
              Promise.all(this.held).then(again, again);
              return;
            }
            if (next() === 'stop') return resolve();
            this.step();
            inTask(turn);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
        inTask(turn);
      });
    } finally {
      this.running = false;
    }
  }

  private step(): void {
    const entry = this.pop();
    if (!entry?.run) return;
    if ((this.patience -= 1) < 0) throw new Error(`${this.name}: it never comes to rest`);
    this.now = entry.time;
    const late = this.frozen.get(entry.owner);
    if (late) {
      late.push(entry);
      this.count(entry, false);
      return;
    }
    const callback = entry.run;
    this.cancel(entry);
    if (!this.dead.has(entry.owner)) callback();
  }

  private cancel(entry: Entry): void {
    if (!entry.run) return;
    entry.run = null;
    this.count(entry, false);
  }

  private count(entry: Entry, counted: boolean): void {
    if (entry.counted !== counted) this.pendingWork += counted ? 1 : -1;
    entry.counted = counted;
  }

  private nextTime(): number {
    for (let top = this.heap[0]; top; top = this.heap[0]) {
      if (top.run) return top.time;
      this.pop();
    }
    return Infinity;
  }

  private push(entry: Entry): void {
    const { heap } = this;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      if (!this.before(entry, heap[above] as Entry)) break;
      heap[index] = heap[above] as Entry;
      index = above;
    }
    heap[index] = entry;
  }

  private pop(): Entry | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.before(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (!this.before(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
    return top;
  }

  private before(left: Entry, right: Entry): boolean {
    return left.time < right.time || (left.time === right.time && left.order < right.order);
  }
}
