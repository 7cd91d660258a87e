// @ts-check
/**
 * The figures that the fault suite reaches, beside those that were to be reached. Tests never fail for a time: they
 * write figures down, and whoever runs them judges. A value that never came (no picture after the mend) is null.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

/**
 * @typedef {object} Figure
 * @property {string} goal Such as `R4: media within 2 s of the mend`.
 * @property {string} fault What was done.
 * @property {string} where Which browsers, and how the fault was made.
 * @property {'ms' | '%' | ''} unit
 * @property {number | null} limit The most that reaches the goal; null where no goal names a figure.
 * @property {(number | null)[]} values One for each time that it was done.
 */

/** Where figures are collected, one JSON object per line; without it they are told with the test alone. */
const file = process.env['PM_FAULT_FIGURES'];

/** Whether every fault is repeated as often as the goals say, and the long ones are run. */
export const full = process.env['PM_FAULTS'] === 'full';

/** How often: once in `npm test`. PM_FAULT_SHARE makes a full run shorter, such as 0.2 of all rounds. */
export const rounds = (/** @type {number} */ many) =>
  full ? Math.max(1, Math.round(many * Number(process.env['PM_FAULT_SHARE'] || 1))) : 1;

export function writeDown(/** @type {Figure} */ figure) {
  if (file) appendFileSync(file, `${JSON.stringify(figure)}\n`);
}

const byValue = (/** @type {number} */ a, /** @type {number} */ b) => a - b;

/** The nearest rank of a list: of 7 values the 95th percentile is the largest. A null is larger than any number. */
export function percentile(/** @type {(number | null)[]} */ values, /** @type {number} */ share) {
  const sorted = values.map((each) => each ?? Infinity).sort(byValue);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return value === undefined || value === Infinity ? null : value;
}

/** Judged by the 95th percentile. @returns {'reached' | 'MISSED' | ''} '' where nothing is to be reached */
export function verdict(/** @type {Figure} */ { limit, values }) {
  const worst = percentile(values, 0.95);
  if (worst === null) return 'MISSED';
  if (limit === null) return '';
  return worst <= limit ? 'reached' : 'MISSED';
}

/** What was written down, equal faults together. @returns {Figure[]} */
export function readFigures(/** @type {string} */ path) {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  /** @type {Map<string, Figure>} */
  const found = new Map();
  for (const line of lines) {
    const figure = /** @type {Figure} */ (JSON.parse(line));
    const key = JSON.stringify([figure.goal, figure.fault, figure.where]);
    const known = found.get(key);
    if (known) known.values.push(...figure.values);
    else found.set(key, figure);
  }
  return [...found.values()].sort((a, b) => number(a) - number(b));
}

/** By the number of the goal; what has none comes last. */
const number = (/** @type {Figure} */ { goal }) => Number(/^R(\d+)/.exec(goal)?.[1] ?? 99);

/** A table for people; `skipped` are tests with the reason. */
export function table(/** @type {Figure[]} */ figures, /** @type {string[]} */ skipped) {
  const show = (/** @type {number | null} */ value, /** @type {string} */ unit) =>
    value === null ? 'never' : `${Number(value.toFixed(1))} ${unit}`.trim();
  const rows = figures.map((figure) => [
    figure.fault,
    figure.where,
    figure.goal,
    show(percentile(figure.values, 0.5), figure.unit),
    figure.values.length > 1 ? show(percentile(figure.values, 0.95), figure.unit) : '',
    String(figure.values.length),
    verdict(figure),
  ]);
  const all = [['fault', 'where', 'goal', 'median', 'p95', 'runs', ''], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...lines, ...skipped.map((each) => `SKIPPED: ${each}`)].join('\n');
}

/**
 * @typedef {{name: string, outcome: string, reason?: string | undefined}} TestResult
 * @typedef {{at: string, commit: string, share: number}} Run
 * @typedef {{machine: object, tests: (TestResult & Run)[], figures: (Figure & Run)[]}} Results
 */

/**
 * What `fresh` says of something takes the place of what was known of it.
 *
 * @template T
 * @param {readonly T[]} known
 * @param {readonly T[]} fresh
 * @param {(each: T) => string} key
 */
function merged(known, fresh, key) {
  const news = new Set(fresh.map(key));
  return [...known.filter((each) => !news.has(key(each))), ...fresh];
}

/**
 * Keeps the results of a full run, dated, to be committed by whoever ran it. Some of its files alone (`part`) renew what
 * the newest results say of those. Everything carries the moment and the commit of its own run.
 *
 * @param {string} root
 * @param {Figure[]} figures
 * @param {TestResult[]} tests
 * @param {boolean} part
 * @returns {string} the file
 */
export function keepResults(root, figures, tests, part) {
  const folder = 'test/faults/results';
  const share = Number(process.env['PM_FAULT_SHARE'] || 1);
  const run = { at: new Date().toISOString(), commit: '', share };
  try {
    run.commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // A copy without its history.
  }
  mkdirSync(join(root, folder), { recursive: true });
  const newest = part ? readdirSync(join(root, folder)).sort().at(-1) : undefined;
  const path = `${folder}/${newest ?? `${run.at.slice(0, 10)}.json`}`;
  /** @type {Results} */
  const known = newest
    ? JSON.parse(readFileSync(join(root, path), 'utf8'))
    : { machine: {}, tests: [], figures: [] };
  /** @type {Results} */
  const results = {
    machine: { processors: cpus().length, node: process.version },
    tests: merged(
      known.tests,
      tests.map((test) => ({ ...test, ...run })),
      ({ name }) => name,
    ),
    figures: merged(
      known.figures,
      figures.map((figure) => ({
        ...figure,
        median: percentile(figure.values, 0.5),
        p95: percentile(figure.values, 0.95),
        verdict: verdict(figure),
        ...run,
      })),
      ({ goal, fault, where }) => JSON.stringify([goal, fault, where]),
    ).sort((a, b) => number(a) - number(b)),
  };
  writeFileSync(join(root, path), `${JSON.stringify(results, null, 1)}\n`);
  return path;
}
