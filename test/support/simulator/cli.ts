/**
 * `npm run simulate`: many seeds over all processors, or one of them again with everything that happened.
 *
 *     npm run simulate -- --runs 100000 [--from 1] [--jobs 2]
 *     npm run simulate -- --seed 123 --trace [--shrink] [--only 0,1,5]
 */
import { parseArgs } from 'node:util';
import { complaint, simulate, told } from './pool.ts';
import { plan } from './plan.ts';
import { run, shrink, unhandled } from './run.ts';
import { SABOTAGE, type Sabotage } from './sabotage.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    trace: { type: 'boolean' },
    shrink: { type: 'boolean' },
    only: { type: 'string' },
    runs: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string' },
    sabotage: { type: 'string' },
  },
});
const sabotage = values.sabotage as Sabotage | undefined;
if (sabotage && !(sabotage in SABOTAGE)) {
  throw new Error(`--sabotage: one of\n  ${Object.keys(SABOTAGE).join('\n  ')}`);
}

async function one(seed: number): Promise<boolean> {
  process.on('unhandledRejection', (error) => unhandled.push(error));
  process.on('uncaughtException', (error) => unhandled.push(error));
  if (sabotage) SABOTAGE[sabotage]();
  let only = values.only === undefined ? undefined : new Set(values.only.split(',').map(Number));
  if (values.shrink) {
    only = await shrink(seed);
    console.log(`enough for it: --only ${[...only].sort((a, b) => a - b).join()}`);
  }
  const { people, graceSeconds, server } = plan(seed);
  console.log(
    people.map(({ name, flavour, plain }) => `${name} (${flavour}${plain && `, plain ${plain}`})`).join(', '),
    `grace ${graceSeconds} s, ${server === 'plain' ? 'a plain server' : 'our relay'}`,
  );
  const { lines, faults, settledAfter } = await run(seed, { trace: values.trace ?? false, only });
  for (const line of lines) console.log(line);
  console.log(
    faults.length > 0
      ? faults.join('\n')
      : `all well ${(settledAfter / 1_000).toFixed(1)} s after the last trouble`,
  );
  return faults.length === 0;
}

async function many(): Promise<boolean> {
  let said = 0;
  let reported = 0;
  const summary = await simulate({
    from: Number(values.from),
    runs: Number(values.runs),
    ...(values.jobs ? { jobs: Number(values.jobs) } : {}),
    sabotage,
    progress: ({ runs, failures, seconds }) => {
      for (; reported < failures.length; reported += 1) console.log(complaint(failures[reported]!));
      if (seconds - said < 30) return;
      said = seconds;
      console.log(`${String(runs)} runs, ${String(failures.length)} failed, ${seconds.toFixed(0)} s`);
    },
  });
  console.log(told(summary));
  return summary.failures.length === 0;
}

process.exitCode = (await (values.seed ? one(Number(values.seed)) : many())) ? 0 : 1;
