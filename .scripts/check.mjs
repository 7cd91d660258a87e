// @ts-check
/**
 * The checks that need no browser: `node .scripts/check.mjs [typecheck lint format layers package size]`.
 * Each prints what is wrong; the exit code tells whether one failed. test/run.mjs counts them one by one.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureBuild, ensureDependencies, root } from './project.mjs';

const bin = (/** @type {string} */ path) => `node_modules/${path}`;
const tsc = bin('@typescript/native/bin/tsc');

/**
 * Every check: its name, the command (run by this Node) and whether it looks at what was built.
 *
 * @type {{name: string, group: string, args: string[], built?: boolean}[]}
 */
export const checks = [
  { name: 'types of the elements', group: 'typecheck', args: [tsc, '-p', 'tsconfig.json'] },
  { name: 'types of the relay', group: 'typecheck', args: [tsc, '-p', 'demo-server/tsconfig.json'] },
  { name: 'types of the tests', group: 'typecheck', args: [tsc, '-p', 'test/tsconfig.json'] },
  { name: 'lint', group: 'lint', args: [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
  {
    name: 'format',
    group: 'format',
    args: [bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
  },
  {
    name: 'layers',
    group: 'layers',
    args: [
      bin('dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config',
      '.scripts/layers.config.mjs',
      'src',
      'demo-server/src',
    ],
  },
  { name: 'package', group: 'package', args: [bin('publint/src/cli.js'), '--strict'], built: true },
  { name: 'size', group: 'size', args: [bin('size-limit/bin.js')], built: true },
];

/**
 * Runs one check: its output and whether it passed.
 *
 * @param {(typeof checks)[number]} check
 * @param {{env?: NodeJS.ProcessEnv, signal?: AbortSignal}} [surroundings]
 * @returns {Promise<{passed: boolean, output: string}>}
 */
export function runCheck({ args }, surroundings = {}) {
  return new Promise((resolve) => {
    const options = { ...surroundings, cwd: root, timeout: 5 * 60_000, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      const killed = error?.killed ? '\nended: it took longer than 5 minutes' : '';
      resolve({ passed: !error, output: `${stdout}${stderr}${killed}`.trim() });
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !checks.some(({ group }) => group === name));
  if (unknown) throw new Error(`no check named ${unknown}`);
  const chosen = checks.filter(({ group }) => !wanted.length || wanted.includes(group));
  await ensureDependencies();
  if (chosen.some(({ built }) => built)) await ensureBuild();
  for (const check of chosen) {
    const { passed, output } = await runCheck(check);
    console.log(`${passed ? '✔' : '✖'} ${check.name}`);
    if (output) console.log(output);
    if (!passed) process.exitCode = 1;
  }
}
