/**
 * Seeded interleavings of everything that befalls calls, on the fake platform and through the relay's own core. More
 * of them: `npm run simulate -- --runs 100000`.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STEP_KINDS } from '../support/simulator/plan.ts';
import { complaint, simulate, told, type Summary } from '../support/simulator/pool.ts';
import { run, shrink, unhandled, type Outcome } from '../support/simulator/run.ts';
import { SABOTAGE } from '../support/simulator/sabotage.ts';

const RUNS = 500;
/** What steps lead to, besides the steps themselves. */
const CONSEQUENCES = [
  'joined',
  'resumed',
  'participants met',
  'rollbacks',
  'ICE restarts',
  'ICE disconnected',
  'ICE failed',
  'connections anew',
  'signals lost',
];

process.on('unhandledRejection', (error) => unhandled.push(error));
process.on('uncaughtException', (error) => unhandled.push(error));

describe('simulated calls', () => {
  let summary: Summary;

  it(`are well after trouble, whichever of ${RUNS} interleavings it was`, async (context) => {
    summary = await simulate({ runs: RUNS });
    context.diagnostic(`\n${told(summary)}`);
    assert.equal(summary.failures.length, 0, summary.failures.slice(0, 5).map(complaint).join('\n'));
    assert.equal(summary.runs, RUNS);
  });

  it('met every kind of trouble, and what it leads to', () => {
    const missing = [...STEP_KINDS, ...CONSEQUENCES].filter((what) => !summary.counts.get(what));
    assert.deepEqual(missing, []);
  });

  it('happen the same way again for the same seed', async () => {
    // The first run in a process loads what the core loads late.
    await run(1);
    for (let seed = 1; seed <= 4; seed += 1) {
      const [first, second] = [await run(seed, { trace: true }), await run(seed, { trace: true })];
      assert.deepEqual(second.lines, first.lines, `seed ${seed}`);
    }
  });
});

/** A seed that shows the bug is found within so many, or the simulator is worth nothing. */
const WITHIN = 200;

async function firstFailure(): Promise<Outcome> {
  for (let seed = 1; seed <= WITHIN; seed += 1) {
    const outcome = await run(seed);
    if (outcome.faults.length > 0) return outcome;
  }
  assert.fail(`not found in ${WITHIN} runs`);
}

describe('the simulator finds a bug that was put in:', () => {
  for (const [name, put] of Object.entries(SABOTAGE)) {
    it(name, async (context) => {
      const takeOut = put();
      try {
        const { seed, faults } = await firstFailure();
        context.diagnostic(`seed ${seed}: ${faults[0]!}`);
      } finally {
        takeOut();
      }
    });
  }

  it('and tells which steps are enough for it', async () => {
    const takeOut = SABOTAGE['a socket is forgotten']();
    try {
      const { seed } = await firstFailure();
      const kept = await shrink(seed);
      assert.ok((await run(seed, { only: kept })).faults.length > 0);
      assert.ok(kept.size <= 6, `${kept.size} steps`);
    } finally {
      takeOut();
    }
  });
});
