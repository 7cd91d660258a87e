// @ts-check
/**
 * What the two commands share: dependencies and builds that are up to date. Only Node's own modules, since
 * node_modules may be absent. Everything that is said goes to stderr: stdout belongs to the relay.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export function say(/** @type {string} */ text) {
  process.stderr.write(`${text}\n`);
}

/** The part of a file's JSON that may be absent or broken. */
function readJson(/** @type {string} */ file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8'));
  } catch {
    return undefined;
  }
}

function readText(/** @type {string} */ file) {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Runs a program to its end, both its streams going to stderr.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{minutes: number}} limits
 */
export function run(program, args, { minutes }) {
  return new Promise((/** @type {(value?: undefined) => void} */ resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    });
    const timer = setTimeout(() => child.kill('SIGTERM'), minutes * 60_000);
    const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    const end = () => {
      clearTimeout(timer);
      process.off('SIGINT', forward).off('SIGTERM', forward);
    };
    child.on('error', (/** @type {Error} */ error) => {
      end();
      reject(new Error(`${program}: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      end();
      if (code === 0) resolve();
      else reject(new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}`));
    });
  });
}

const lockMark = 'node_modules/.private-meet-lock';

/** Whether what npm says it installed is what the lockfile names (so that `npm install` counts as well as `npm ci`). */
function installedAsLocked() {
  const wanted = readJson('package-lock.json')?.packages;
  const installed = readJson('node_modules/.package-lock.json')?.packages;
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true; // the root and the workspaces themselves
    const found = installed[path];
    if (!found) return entry.optional === true || entry.peer === true; // another platform's binary
    return (
      found.version === entry.version && found.integrity === entry.integrity && existsSync(join(root, path))
    );
  });
}

/** Installs the packages of package-lock.json unless they are there already. */
export async function ensureDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (readText(lockMark) === lock) return;
  if (!installedAsLocked()) {
    say('installing dependencies (npm ci)…');
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { minutes: 15 });
  }
  writeFileSync(join(root, lockMark), lock);
}

const sources = [
  'src',
  'demo-server/src',
  'rollup.config.mjs',
  '.scripts/build.mjs',
  '.scripts/manifest.config.mjs',
  'tsconfig.json',
  'demo-server/tsconfig.json',
  'package.json',
  'package-lock.json',
];
const products = [
  'dist/pm-elements.js',
  'dist/core.js',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/core.d.ts',
  'custom-elements.json',
  'demo-server/dist/cli.js',
];
const buildMark = '.cache/build';

/** A hash of everything a build depends on. Contents, not dates: a checkout or a copy changes dates. */
function hashSources() {
  const hash = createHash('sha256').update(process.version);
  const visit = (/** @type {string} */ path) => {
    if (!existsSync(path)) return;
    try {
      for (const entry of readdirSync(path).sort()) visit(join(path, entry));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOTDIR') throw error;
      hash.update(`${relative(root, path)}\0`).update(readFileSync(path));
    }
  };
  for (const source of sources) visit(join(root, source));
  return hash.digest('hex');
}

/** Remembers that the products come from the sources as they are now. */
export function recordBuild(hash = hashSources()) {
  mkdirSync(join(root, dirname(buildMark)), { recursive: true });
  writeFileSync(join(root, buildMark), hash);
}

/** Builds unless the products are there and come from these sources. */
export async function ensureBuild() {
  const hash = hashSources();
  if (readText(buildMark) === hash && products.every((file) => existsSync(join(root, file)))) return;
  say('building…');
  await run(process.execPath, ['.scripts/build.mjs'], { minutes: 5 });
  recordBuild(hash);
}
