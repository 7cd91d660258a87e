/** One seed, from its first join to the last thing that is left of it. */
import { BACK_BY_HAND, complaints, leftovers, unsettled } from './check.ts';
import { PLAIN_RULES } from './plain.ts';
import { plan, type Plan, type Step, type StepKind } from './plan.ts';
import { Stage } from './stage.ts';
import { RULES } from './steps.ts';

/** How long everything has to stay well to count as settled; how long that may take; between two looks. Virtual ms. */
const STABLE = 3_000;
const PATIENCE = 120_000;
const LOOK = 500;
/** A socket whose other end never answers its close is given up by the browser after this long. */
const LAST_SOCKET = 40_000;
/** A plain server asks for a sign of life every 54 s. */
const LAST_PLAIN_SOCKET = 65_000;

export interface Outcome {
  readonly seed: number;
  /** What is wrong; empty when all was well. */
  readonly faults: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  /** Virtual ms from the end of all trouble until all was well. */
  readonly settledAfter: number;
  readonly lines: readonly string[];
}

export interface RunOptions {
  readonly trace?: boolean;
  /** The steps, by their place in the plan, that are to happen; all of them by default. */
  readonly only?: ReadonlySet<number> | undefined;
}

/**
 * With these, signals of or to a plain client may be lost, which nothing on its side repairs: an offer that nobody
 * got leaves it deaf to ours. Then the person may have to leave and come back, if it was not well by itself after `BY_HAND` ms.
 */
const LOSING: readonly StepKind[] = [
  'half-open socket',
  'network lost',
  'socket lost',
  // So slow that the socket is taken for dead.
  'slow signals',
  'relay down',
  'relay restart',
];
const BY_HAND = 30_000;

/** Rejections and exceptions that nobody took; whoever runs the simulator hands them in. */
export const unhandled: unknown[] = [];

/** @returns whom a step befell, or null when it fits nobody */
function befall(stage: Stage, step: Step): string | null {
  const { whom, happen } = RULES[step.kind];
  const plain = PLAIN_RULES[step.kind];
  const ours = stage.actors.filter(whom);
  const plains = plain ? stage.plains.filter(plain.whom) : [];
  const index = step.who % (ours.length + plains.length);
  const [actor, other] = [ours[index], plains[index - ours.length]];
  if (actor) return happen(stage, step, actor) ? actor.name : null;
  return other && plain?.happen(stage, step, other) ? other.name : null;
}

async function quiet(stage: Stage, lost: boolean): Promise<{ faults: string[]; after: number }> {
  stage.trace('— quiet —');
  stage.mendAll();
  const start = stage.world.now;
  let well = 0;
  let faults: string[] = [];
  let byHand = !lost || stage.plains.length === 0;
  while (stage.world.now - start < PATIENCE) {
    await stage.world.run(LOOK);
    for (const actor of stage.actors) {
      // Whoever could not get in while the relay was away presses the button again.
      if (actor.present && actor.call.snapshot.phase === 'failed') stage.join(actor);
    }
    const returning = stage.plains.filter((actor) => actor.recover());
    faults = unsettled(stage);
    faults.push(...returning.map(({ name }) => `${name} is on its way back`));
    well = faults.length > 0 ? 0 : well + LOOK;
    if (well >= STABLE) break;
    if (byHand || stage.world.now - start < BY_HAND) continue;
    byHand = true;
    stage.count(BACK_BY_HAND);
    for (const actor of stage.plains) actor.dropped = actor.present;
  }
  return { faults, after: stage.world.now - start - well };
}

async function empty(stage: Stage): Promise<string[]> {
  stage.trace('— everybody leaves —');
  for (const actor of stage.actors) {
    if (actor.alive) actor.call.dispose();
    // Nor does anybody press a button any more.
    actor.alive = actor.present = false;
  }
  for (const actor of stage.plains) if (actor.alive) actor.close();
  const end = stage.world.now + (stage.plainServer ? LAST_PLAIN_SOCKET : LAST_SOCKET);
  await stage.world.run(LOOK);
  while (leftovers(stage).length > 0 && stage.world.now < end) await stage.world.run(LOOK);
  return leftovers(stage);
}

function spoken(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

export async function runPlan(given: Plan, { trace = false, only }: RunOptions = {}): Promise<Outcome> {
  const stage = new Stage(given, trace);
  const faults: string[] = [];
  const happened = new Set<StepKind>();
  let settledAfter = 0;
  unhandled.length = 0;
  try {
    for (const [index, step] of given.steps.entries()) {
      if (only && !only.has(index)) continue;
      await stage.world.run(Math.max(0, step.at - stage.world.now));
      const whom = befall(stage, step);
      stage.trace(`[${String(index)}] ${step.kind}: ${whom ?? 'nobody'}, ${String(step.ms)} ms`);
      if (whom === null) continue;
      happened.add(step.kind);
      stage.count(step.kind);
    }
    await stage.world.run(given.lull);
    const rest = await quiet(
      stage,
      LOSING.some((kind) => happened.has(kind)),
    );
    settledAfter = rest.after;
    faults.push(...rest.faults);
    faults.push(...complaints(stage, happened));
    faults.push(...(await stage.talk.damaged(stage.actors)));
    if (rest.faults.length === 0) faults.push(...(await empty(stage)));
  } catch (error) {
    faults.push(`the run broke: ${spoken(error)}`);
  }
  faults.push(...unhandled.map((error) => `nobody took ${spoken(error)}`));
  for (const [what, count] of stage.world.network.tally) stage.counts.set(what, count);
  return { seed: given.seed, faults, counts: stage.counts, settledAfter, lines: stage.lines };
}

export function run(seed: number, options: RunOptions = {}): Promise<Outcome> {
  return runPlan(plan(seed), options);
}

/** The fewest steps of a failing run that still fail in the same way, found by leaving one out after the other. */
export async function shrink(seed: number): Promise<Set<number>> {
  const given = plan(seed);
  const kept = new Set(given.steps.keys());
  for (const index of [...kept].reverse()) {
    kept.delete(index);
    const { faults } = await runPlan(given, { only: kept });
    if (faults.length === 0) kept.add(index);
  }
  return kept;
}
