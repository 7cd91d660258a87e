// @ts-check
/**
 * `npm test`: everything that can be tested, from a bare clone. `npm test -- relay e2e` runs some suites,
 * `npm test -- e2e three` those of their files whose path contains "three". `npm run test:faults` is
 * `npm test -- faults --full`: every fault as often as its goal says; there a goal that is missed is a failure.
 *
 * It installs what is missing, builds, runs the suites in order, and leaves nothing running. The last line is always
 * `N passed, N failed`. Only Node's own modules, since node_modules may be absent.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuild, ensureDependencies, root, run } from '../.scripts/project.mjs';

/**
 * @typedef {{group: string, file: string, name: string, outcome: 'passed' | 'failed' | 'skipped', reason?: string}} Outcome
 * @typedef {{folders?: string[], minutes: number, build?: boolean, browsers?: boolean, network?: boolean, atOnce?: number, alone?: string[]}} Suite
 */

const full = process.argv.includes('--full');

/**
 * In this order. `build`: needs what is built. `network`: wants what the network lab is made of, and does without.
 * `atOnce`: so many files side by side, but those `alone` one by one.
 */
const suites = /** @type {Record<string, Suite>} */ ({
  checks: { minutes: 10, build: true },
  simulator: { folders: ['test/simulator'], minutes: 10 },
  browser: { folders: ['test/core', 'test/elements'], minutes: 15, browsers: true },
  relay: { folders: ['test/server'], minutes: 10, build: true, network: true, atOnce: 2 },
  house: { folders: ['test/house'], minutes: 10, atOnce: 2 },
  e2e: {
    folders: ['test/e2e'],
    minutes: 20,
    build: true,
    browsers: true,
    atOnce: 2, // a call of two waits most of the time
    // Many people, or rounds and pictures that must come in time: these take all there is.
    alone: ['eight', 'glare', 'recording'].map((name) => `test/e2e/${name}.test.ts`),
  },
  faults: {
    folders: ['test/faults'],
    minutes: full ? 180 : 20,
    build: true,
    browsers: true,
    network: true,
    atOnce: full ? 1 : 2, // they wait most of the time; where figures count, nothing runs beside them
    alone: ['relay-killed', 'uplink'].map((name) => `test/faults/${name}.test.ts`), // pictures of three and four
  },
});

const args = process.argv.slice(2).filter((arg) => arg !== '--full');
const filters = args.filter((arg) => !(arg in suites));
const chosen = Object.entries(suites).filter(
  ([name]) => args.length === filters.length || args.includes(name),
);
const matches = (/** @type {string} */ text) =>
  !filters.length || filters.some((filter) => text.includes(filter));

/** Everything this run starts carries this mark in its environment: what is left over is found by it, and ended. */
const mark = randomUUID();
const scratch = mkdtempSync(join(tmpdir(), 'pm-test-'));
/** @type {NodeJS.ProcessEnv} */
const environment = { ...process.env, PM_TEST_RUN: mark, TMPDIR: scratch };

/** @type {(Outcome & {suite: string})[]} */
const outcomes = [];
/** @type {{suite: string, seconds: number, note: string}[]} */
const rows = [];
/** Where the fault suite collects its figures. */
const figures = join(scratch, 'figures.jsonl');
const stop = new AbortController();
let audio = 0;

const say = (/** @type {string} */ text) => console.log(text);

// ---------------------------------------------------------------- processes

/** The processes with our mark, as `pid name`. Nothing where there is no /proc. */
function running() {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid || Number(pid) === audio) return [];
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`PM_TEST_RUN=${mark}`)) return [];
      return [{ pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() }];
    } catch {
      return []; // ended meanwhile
    }
  });
}

/** Ends one of our processes. */
function end(/** @type {number} */ pid, /** @type {NodeJS.Signals} */ signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

/** Gives what a suite left running a moment to end, then ends it. */
async function sweep(/** @type {string} */ suite) {
  const until = Date.now() + 5000;
  while (running().length && Date.now() < until) await sleep(100);
  const left = running();
  if (!left.length) return;
  say(`${suite} left running, now ended: ${left.map(({ pid, name }) => `${name} (${pid})`).join(', ')}`);
  for (const { pid } of left) end(pid, 'SIGTERM');
  await sleep(1000);
  for (const { pid } of running()) end(pid, 'SIGKILL');
}

/** Runs a program with our mark to its end, showing what it prints. Resolves to what went wrong, or ''. */
function execute(
  /** @type {string[]} */ nodeArgs,
  /** @type {number} */ minutes,
  /** @type {NodeJS.ProcessEnv} */ env = {},
) {
  return /** @type {Promise<string>} */ (
    new Promise((resolve) => {
      const child = spawn(process.execPath, nodeArgs, {
        cwd: root,
        env: { ...environment, ...env },
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill('SIGTERM');
        setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
      }, minutes * 60_000);
      const forward = () => child.kill('SIGTERM');
      stop.signal.addEventListener('abort', forward);
      child.on('error', (error) => resolve(error.message));
      child.on('exit', (code, signal) => {
        clearTimeout(timer);
        stop.signal.removeEventListener('abort', forward);
        resolve(
          late
            ? `took longer than ${minutes} minutes`
            : code === 0
              ? ''
              : `ended with ${signal ?? `code ${code}`}`,
        );
      });
    })
  );
}

// ---------------------------------------------------------------- what must be there

const isRoot = process.getuid?.() === 0;
const isDebian =
  existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
const hasProgram = (/** @type {string} */ name) =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));

async function install(/** @type {string[]} */ packages) {
  say(`installing ${packages.join(', ')}…`);
  process.env['DEBIAN_FRONTEND'] = 'noninteractive';
  await run('apt-get', ['update', '-qq'], { minutes: 5 });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { minutes: 20 });
}

/** Chromium and Firefox, or an error which says what to do. */
async function ensureBrowsers() {
  const { findChromium, findFirefox } = await import('./support/browsers.mjs');
  const missing = () => [
    ...(findChromium() ? [] : [{ name: 'chromium', variable: 'PM_CHROMIUM' }]),
    ...(findFirefox() ? [] : [{ name: 'firefox-esr', variable: 'PM_FIREFOX' }]),
  ];
  const wanted = missing().map(({ name }) => name);
  if (isRoot && isDebian) {
    if (!hasProgram('pulseaudio')) wanted.push('pulseaudio');
    if (wanted.length) {
      await install(wanted).catch((/** @type {Error} */ error) => say(`installing failed: ${error.message}`));
    }
  }
  const still = missing();
  if (still.length) {
    throw new Error(
      `not found: ${still.map(({ name }) => name).join(' and ')}. Install it (on Debian: apt-get install ` +
        `${still.map(({ name }) => name).join(' ')}), or point ${still.map(({ variable }) => variable).join(' and ')} ` +
        'to the executable of a browser.',
    );
  }
}

/** What the network lab needs, as far as it can be had: tests without it say so and are skipped. */
async function ensureNetworkLab() {
  const { missingPackages, whyNoNetwork, whyNoRedis, whyNoTurn } = await import('./support/lab/programs.mjs');
  const wanted = missingPackages();
  if (wanted.length && isRoot && isDebian) {
    await install(wanted).catch((/** @type {Error} */ error) => say(`installing failed: ${error.message}`));
    // A package that starts a server by itself was not asked to: the tests start their own.
    for (const server of ['coturn', 'redis-server', 'nginx', 'caddy']) {
      if (wanted.some((name) => name.startsWith(server)) && hasProgram('systemctl'))
        await run('systemctl', ['disable', '--now', server], { minutes: 1 }).catch(() => {});
    }
  }
  for (const reason of new Set([whyNoNetwork(), whyNoTurn(), whyNoRedis()]))
    if (reason) say(`SKIPPING tests: ${reason}`);
}

/** A sound card that swallows everything: without one, Firefox never starts an AudioContext. Ours alone. */
async function startAudio() {
  if (audio || !hasProgram('pulseaudio')) {
    if (!audio) say('pulseaudio is not installed: tests of sound in Firefox may fail');
    return;
  }
  const socket = join(scratch, 'pulse.socket');
  const child = spawn(
    'pulseaudio',
    [
      '-n', // no configuration of the machine
      '--daemonize=no',
      '--use-pid-file=no',
      '--exit-idle-time=-1',
      '--disable-shm=yes',
      '--log-level=error',
      `--load=module-native-protocol-unix auth-anonymous=1 socket=${socket}`,
      '--load=module-null-sink sink_name=private_meet',
    ],
    { env: { ...process.env, HOME: scratch, XDG_RUNTIME_DIR: scratch }, stdio: 'ignore' },
  );
  audio = child.pid ?? 0;
  child.on('error', () => (audio = 0)).on('exit', () => (audio = 0));
  for (let tries = 0; audio && !existsSync(socket) && tries < 100; tries++) await sleep(50);
  if (existsSync(socket)) environment['PULSE_SERVER'] = `unix:${socket}`;
  else say('pulseaudio did not start: tests of sound in Firefox may fail');
}

// ---------------------------------------------------------------- suites

const isTest = (/** @type {string} */ path) => /\.test\.(ts|mjs)$/.test(path) && matches(path);

function testFiles(/** @type {string[]} */ folders) {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .filter(isTest)
    .sort();
}

/** What the suite's reporter wrote down. A program that fails without a failed test has crashed: one failure. */
function collect(
  /** @type {string} */ suite,
  /** @type {string} */ resultsFile,
  /** @type {string} */ wrong,
) {
  const lines = existsSync(resultsFile) ? readFileSync(resultsFile, 'utf8').split('\n').filter(Boolean) : [];
  const found = lines.map((line) => /** @type {Outcome} */ (JSON.parse(line)));
  for (const outcome of found) outcomes.push({ ...outcome, suite });
  if (wrong && !found.some(({ outcome }) => outcome === 'failed')) fail(suite, `(the suite) ${wrong}`);
  if (!wrong && !found.length) fail(suite, '(the suite) ran no test at all');
}

function fail(/** @type {string} */ suite, /** @type {string} */ name) {
  outcomes.push({ suite, group: '', file: '', name, outcome: 'failed' });
}

async function runChecks() {
  const { checks, runCheck } = await import('../.scripts/check.mjs');
  for (const check of checks) {
    if (stop.signal.aborted || !(matches(check.name) || matches(check.group))) continue;
    const { passed, output } = await runCheck(check, { env: environment, signal: stop.signal });
    say(`${passed ? '✔' : '✖'} ${check.name}`);
    if (!passed) say(output);
    outcomes.push({
      suite: 'checks',
      group: '',
      file: '',
      name: check.name,
      outcome: passed ? 'passed' : 'failed',
    });
  }
}

async function runBrowser(/** @type {string[]} */ files, /** @type {number} */ minutes) {
  const results = join(scratch, 'browser.jsonl');
  const wrong = await execute(
    ['node_modules/@web/test-runner/dist/bin.js', '--config', 'test/web-test-runner.config.mjs'],
    minutes,
    { PM_TEST_FILES: JSON.stringify(files), PM_TEST_RESULTS: results },
  );
  collect('browser', results, wrong);
}

/**
 * @param {string} suite
 * @param {string[]} files
 * @param {number} minutes
 * @param {number} atOnce
 */
async function runNode(suite, files, minutes, atOnce) {
  if (!files.length || stop.signal.aborted) return;
  const results = join(scratch, `${suite}-${atOnce}.jsonl`);
  const wrong = await execute(
    [
      '--import=tsx',
      '--test',
      `--test-concurrency=${atOnce}`,
      `--test-timeout=${minutes * 60_000}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=./.scripts/count-reporter.mjs',
      `--test-reporter-destination=${results}`,
      ...files,
    ],
    minutes,
    suite === 'faults' ? { PM_FAULT_FIGURES: figures, PM_FAULTS: full ? 'full' : 'once' } : {},
  );
  collect(suite, results, wrong);
}

/** The table of the faults; of a full run the results as well, and its missed goals as failures. */
async function judgeFaults() {
  const { keepResults, readFigures, table, verdict } = await import('./support/faults/figures.mjs');
  const found = readFigures(figures);
  const tests = outcomes
    .filter(({ suite }) => suite === 'faults')
    .map(({ name, outcome, reason }) => ({ name, outcome, ...(reason ? { reason } : {}) }));
  const skipped = tests
    .filter(({ outcome }) => outcome === 'skipped')
    .map(({ name, reason }) => (reason ? `${name}: ${reason}` : name));
  say(`\n${table(found, skipped)}`);
  if (!full) return;
  say(`\nwritten to ${keepResults(root, found, tests, filters.length > 0)}`);
  for (const figure of found.filter((each) => verdict(each) === 'MISSED'))
    fail('faults', `${figure.fault} (${figure.where}): ${figure.goal}: missed`);
}

async function runSuite(/** @type {string} */ name, /** @type {Suite} */ suite) {
  const { folders, minutes, browsers } = suite;
  say(`\n── ${name} ${'─'.repeat(60 - name.length)}`);
  const started = Date.now();
  const files = testFiles(folders ?? []);
  let note = '';
  if (folders && !files.length) {
    note = filters.length ? 'no file matches' : 'skipped: no files yet';
    say(`${name}: ${note}`);
  } else {
    try {
      if (browsers) {
        await ensureBrowsers();
        await startAudio();
      }
      if (suite.network) await ensureNetworkLab();
      if (name === 'checks') await runChecks();
      else if (name === 'browser') await runBrowser(files, minutes);
      else {
        const { atOnce = 1, alone = [] } = suite;
        await runNode(
          name,
          files.filter((file) => !alone.includes(file)),
          minutes,
          atOnce,
        );
        await runNode(
          name,
          files.filter((file) => alone.includes(file)),
          minutes,
          1,
        );
      }
      if (name === 'faults') await judgeFaults();
    } catch (error) {
      say(String(error));
      fail(name, String(error));
    }
    await sweep(name);
  }
  rows.push({ suite: name, seconds: (Date.now() - started) / 1000, note });
}

// ---------------------------------------------------------------- the run

function printSummary() {
  const count = (/** @type {Outcome[]} */ list, /** @type {string} */ outcome) =>
    list.filter((one) => one.outcome === outcome).length;
  const line = (/** @type {(string | number)[]} */ cells) =>
    cells.map((cell, index) => (index ? String(cell).padStart(9) : String(cell).padEnd(22))).join('');
  say(`\n${line(['', 'passed', 'failed', 'skipped', 'seconds'])}`);
  for (const { suite, seconds, note } of rows) {
    const mine = outcomes.filter((outcome) => outcome.suite === suite);
    const groups = [...new Set(mine.map(({ group }) => group))].sort();
    const parts = note ? [] : groups;
    if (!parts.length) say(`${line([suite, 0, 0, 0, seconds.toFixed(1)])}  ${note}`);
    for (const group of parts) {
      const list = mine.filter((outcome) => outcome.group === group);
      const title = group ? `${suite} · ${group}` : suite;
      say(
        line([
          title,
          count(list, 'passed'),
          count(list, 'failed'),
          count(list, 'skipped'),
          seconds.toFixed(1),
        ]),
      );
    }
  }
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
  if (failed.length) say('\nfailed:');
  for (const { suite, group, file, name, reason = '' } of failed) {
    say(`  ${[suite, group, file, name].filter(Boolean).join(' · ')}`);
    // Enough to know what happened where only the end of the output was kept.
    for (const each of reason.split('\n').slice(0, 12)) if (each.trim()) say(`      ${each.slice(0, 300)}`);
  }
  if (stop.signal.aborted) say('\ninterrupted');
  const passed = count(outcomes, 'passed');
  if (!outcomes.length) say('\nnothing was tested');
  say(`\n${passed} passed, ${failed.length} failed`);
  process.exitCode = failed.length || stop.signal.aborted || !passed ? 1 : 0;
}

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => stop.abort());
}

try {
  await ensureDependencies();
  if (chosen.some(([, { build }]) => build)) {
    await ensureBuild().catch((error) => {
      rows.push({ suite: 'build', seconds: 0, note: '' });
      fail('build', String(error));
    });
  }
  for (const [name, suite] of chosen) {
    if (!stop.signal.aborted) await runSuite(name, suite);
  }
} catch (error) {
  rows.push({ suite: 'preparation', seconds: 0, note: '' });
  fail('preparation', String(error));
} finally {
  if (audio) end(audio, 'SIGTERM');
  for (let tries = 0; audio && tries < 50; tries++) await sleep(50);
  if (audio) end(audio, 'SIGKILL');
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  printSummary();
}
