/** Many seeds over several processes. */
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Sabotage } from './sabotage.ts';
import type { Batch, Result } from './worker.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
const BATCH = 20;

export interface SimulateOptions {
  readonly from?: number;
  readonly runs: number;
  readonly jobs?: number;
  readonly sabotage?: Sabotage | undefined;
  /** Ends early once so many runs have failed. */
  readonly enough?: number;
  readonly progress?: (done: Summary) => void;
}

export interface Summary {
  runs: number;
  readonly failures: Result['failures'][number][];
  readonly counts: Map<string, number>;
  slowest: number;
  seconds: number;
}

export async function simulate(options: SimulateOptions): Promise<Summary> {
  const folder = await mkdtemp(join(tmpdir(), 'pm-simulator-'));
  try {
    // One file without a loader in between starts at once, and runs a quarter faster.
    const outfile = join(folder, 'worker.mjs');
    await build({
      entryPoints: [WORKER],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    });
    return await runAll(outfile, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runAll(program: string, options: SimulateOptions): Promise<Summary> {
  const { from = 1, runs, jobs = availableParallelism(), sabotage, enough = Infinity, progress } = options;
  const summary: Summary = { runs: 0, failures: [], counts: new Map(), slowest: 0, seconds: 0 };
  const started = performance.now();
  let next = from;
  const take = (): Batch | null => {
    const left = from + runs - next;
    if (left <= 0 || summary.failures.length >= enough) return null;
    const batch = { from: next, runs: Math.min(BATCH, left) };
    next += batch.runs;
    return batch;
  };
  const add = (result: Result): void => {
    summary.runs += result.runs;
    summary.failures.push(...result.failures);
    summary.slowest = Math.max(summary.slowest, result.slowest);
    for (const [what, count] of result.counts)
      summary.counts.set(what, (summary.counts.get(what) ?? 0) + count);
    summary.seconds = (performance.now() - started) / 1_000;
    progress?.(summary);
  };
  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // Most of what a run makes is short-lived. The processors are busy with other seeds: no help from other threads.
      const execArgv = ['--max-semi-space-size=64', '--min-semi-space-size=64', '--single-threaded-gc'];
      const child = fork(program, sabotage ? [sabotage] : [], { execArgv });
      let batch: Batch | null = null;
      child.on('message', (message: 'ready' | Result) => {
        if (message !== 'ready') add(message);
        batch = take();
        if (batch) child.send(batch);
        else child.disconnect();
      });
      child.on('error', reject);
      child.on('exit', (code) => {
        if (!batch) return resolve();
        reject(
          new Error(
            `a process ended with ${String(code)} in seeds ${batch.from} to ${batch.from + batch.runs - 1}`,
          ),
        );
      });
    });
  await Promise.all(Array.from({ length: Math.max(1, Math.min(jobs, Math.ceil(runs / BATCH))) }, worker));
  summary.failures.sort((a, b) => a.seed - b.seed);
  return summary;
}

/** What happened in all those runs, as text. */
export function told({ runs, failures, counts, slowest, seconds }: Summary): string {
  const rate = (runs / Math.max(seconds, 0.001)).toFixed(1);
  const lines = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${String(count).padStart(10)}  ${what}`);
  return [
    ...lines,
    `${runs} interleavings in ${seconds.toFixed(1)} s (${rate} a second), ${failures.length} failed;`,
    `the longest took ${(slowest / 1_000).toFixed(1)} s of its own time to be well again`,
  ].join('\n');
}

/** What is wrong with a seed, and how to see it again. */
export function complaint({ seed, faults }: Summary['failures'][number]): string {
  return [
    `seed ${String(seed)}:`,
    ...faults.map((fault) => `  ${fault}`),
    `  again: npm run simulate -- --seed ${String(seed)} --trace   (--shrink leaves out what is not needed for it)`,
  ].join('\n');
}
