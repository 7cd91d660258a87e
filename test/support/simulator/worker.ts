/** One process of many: runs the seeds that it is given and tells of each batch what came of it. */
import { run, unhandled } from './run.ts';
import { SABOTAGE, type Sabotage } from './sabotage.ts';

export interface Batch {
  readonly from: number;
  readonly runs: number;
}

export interface Result {
  readonly runs: number;
  readonly failures: readonly { readonly seed: number; readonly faults: readonly string[] }[];
  readonly counts: readonly (readonly [string, number])[];
  /** The longest that a run took to settle, in virtual ms. */
  readonly slowest: number;
}

process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('uncaughtException', (error) => unhandled.push(error));

async function work({ from, runs }: Batch): Promise<Result> {
  const counts = new Map<string, number>();
  const failures: { seed: number; faults: readonly string[] }[] = [];
  let slowest = 0;
  for (let seed = from; seed < from + runs; seed += 1) {
    const outcome = await run(seed);
    if (outcome.faults.length > 0) failures.push({ seed, faults: outcome.faults });
    else slowest = Math.max(slowest, outcome.settledAfter);
    for (const [what, count] of outcome.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  }
  return { runs, failures, counts: [...counts], slowest };
}

const [sabotage] = process.argv.slice(2);
if (sabotage) SABOTAGE[sabotage as Sabotage]();
process.on('message', (batch: Batch) => void work(batch).then((result) => process.send?.(result)));
process.send?.('ready');
