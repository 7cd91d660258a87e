// @ts-check
/**
 * `npm test -- browser`: test/core and test/elements, straight from TypeScript, in Chromium and in Firefox.
 * PM_TEST_FILES narrows the files (a JSON list), PM_TEST_RESULTS names the file which test/run.mjs reads the counts from.
 */
import { appendFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { esbuildPlugin } from '@web/dev-server-esbuild';
import { defaultReporter } from '@web/test-runner';
import { chromeLauncher } from '@web/test-runner-chrome';
import * as puppeteer from 'puppeteer-core';
import { chromiumOptions, firefoxOptions } from './support/browsers.mjs';

const rootDir = dirname(dirname(fileURLToPath(import.meta.url)));
const results = process.env['PM_TEST_RESULTS'];

/** @typedef {import('@web/test-runner').TestSuiteResult} TestSuiteResult */

/** One line of JSON per test and browser; a file that could not run is one failed test. */
function countingReporter() {
  return {
    onTestRunFinished(/** @type {{sessions: import('@web/test-runner').TestSession[]}} */ { sessions }) {
      if (!results) return;
      for (const session of sessions) {
        const file = relative(rootDir, session.testFile ?? '');
        const write = (/** @type {string} */ name, /** @type {string} */ outcome, reason = '') =>
          appendFileSync(
            results,
            `${JSON.stringify({ group: session.browser.name, file, name, outcome, reason })}\n`,
          );
        const visit = (/** @type {TestSuiteResult | undefined} */ suite, /** @type {string} */ path) => {
          for (const test of suite?.tests ?? []) {
            const outcome = test.skipped ? 'skipped' : test.passed ? 'passed' : 'failed';
            write(path + test.name, outcome, test.error?.message);
          }
          for (const inner of suite?.suites ?? []) visit(inner, `${path}${inner.name} › `);
        };
        visit(session.testResults, '');
        const failedInside = JSON.stringify(session.testResults ?? null).includes('"passed":false');
        if (!session.passed && (session.errors.length || !failedInside)) {
          write(`(the file) ${session.errors.map(({ message }) => message).join('; ')}`, 'failed');
        }
      }
    },
  };
}

/** A window per page: pages that share one are hidden tabs, which stop their video. */
const createPage = (/** @type {{context: import('puppeteer-core').BrowserContext}} */ { context }) =>
  context.newPage({ type: 'window' });

export default {
  rootDir,
  files: process.env['PM_TEST_FILES']
    ? JSON.parse(process.env['PM_TEST_FILES'])
    : ['test/core/**/*.test.ts', 'test/elements/**/*.test.ts'],
  nodeResolve: true,
  plugins: [esbuildPlugin({ ts: true, target: 'es2022', tsconfig: `${rootDir}/tsconfig.json` })],
  browsers: [
    chromeLauncher({
      puppeteer,
      launchOptions: { ...chromiumOptions(), args: [...chromiumOptions().args] },
      createPage,
    }),
    chromeLauncher({ puppeteer, launchOptions: firefoxOptions(), createPage }),
  ],
  concurrentBrowsers: 2,
  concurrency: 1,
  testFramework: { config: { timeout: 20_000 } },
  browserStartTimeout: 60_000,
  testsStartTimeout: 60_000,
  testsFinishTimeout: 300_000,
  // lit's developer build says that it is one, in every file.
  filterBrowserLogs: (/** @type {{args: unknown[]}} */ { args }) =>
    !String(args[0]).startsWith('Lit is in dev mode'),
  reporters: [defaultReporter({ reportTestProgress: false, reportTestResults: true }), countingReporter()],
};
