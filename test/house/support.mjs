// @ts-check
/** Small projects in a temporary folder, to prove that the project's own tools fail when they should. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * A folder with these files, removed when the test ends.
 *
 * @param {import('node:test').TestContext} test
 * @param {Record<string, string>} files
 */
export function project(test, files) {
  const folder = mkdtempSync(join(tmpdir(), 'pm-house-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/**
 * Runs a script with this Node.
 *
 * @param {string} folder
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{code: number, stdout: string, stderr: string}>}
 */
export function node(folder, args, env = {}) {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env; // it would make an inner test run report to the outer one
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd: folder, env: { ...inherited, ...env }, timeout: 120_000, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, stdout, stderr });
      },
    );
  });
}
