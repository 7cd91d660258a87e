// @ts-check
/**
 * A reporter of node:test for test/run.mjs: one line of JSON per test, with the reason of what was skipped or failed.
 * Suites are no tests.
 */
import { relative } from 'node:path';
import { root } from './project.mjs';

/** @param {AsyncIterable<import('node:test/reporters').TestEvent>} source */
export default async function* count(source) {
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { name, file, details, skip, todo } = event.data;
    if (/** @type {{type?: string}} */ (details).type === 'suite') continue;
    const aside = (skip !== undefined && skip !== false) || (todo !== undefined && todo !== false);
    const outcome = aside ? 'skipped' : event.type === 'test:pass' ? 'passed' : 'failed';
    const { error } = /** @type {{error?: Error}} */ (details);
    // The runner's own error wraps what the test threw.
    const thrown = error?.cause instanceof Error ? error.cause.message : (error?.message ?? '');
    const reason = outcome === 'failed' ? thrown : typeof skip === 'string' ? skip : '';
    const line = { group: '', file: file ? relative(root, file) : '', name, outcome, reason };
    yield `${JSON.stringify(line)}\n`;
  }
}
