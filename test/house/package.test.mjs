// @ts-check
/** What the repository and its packages promise. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './support.mjs';

const read = (/** @type {string} */ file) => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json'));
const relay = JSON.parse(read('demo-server/package.json'));

test('the browser module depends on lit alone', () => {
  assert.deepEqual(Object.keys(manifest.dependencies), ['lit']);
});

test('every dependency stands in the table of the README, and nothing else does', () => {
  const table = read('README.md').split('## Dependencies')[1]?.split('\n## ')[0] ?? '';
  const listed = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name ?? '');
  const used = [manifest, relay].flatMap(({ dependencies, devDependencies }) => [
    ...Object.keys(dependencies ?? {}),
    ...Object.keys(devDependencies ?? {}),
  ]);
  assert.deepEqual([...new Set(listed)].sort(), [...new Set(used)].sort());
});

test('the lockfile names no registry', () => {
  assert.doesNotMatch(read('package-lock.json'), /"resolved": "[a-z+]+:\/\//);
});

test('the top level holds the agreed rooms and nothing else', () => {
  const rooms = [
    'src',
    'stories',
    'test',
    'demo-server',
    'rollup.config.mjs',
    'package.json',
    'tsconfig.json',
    'README.md',
  ];
  const company = ['LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md', 'package-lock.json'];
  const made = ['node_modules', 'dist', 'custom-elements.json', 'storybook-static', 'coverage'];
  const found = readdirSync(root).filter((name) => !name.startsWith('.') && !name.endsWith('.log'));
  assert.deepEqual(
    found.filter((name) => ![...rooms, ...company, ...made].includes(name)),
    [],
  );
});

test('versions and licences agree', () => {
  assert.equal(relay.version, manifest.version);
  assert.equal(relay.license, manifest.license);
  assert.match(read('LICENSE'), /^MIT License\n/);
  assert.match(read('CHANGELOG.md'), /## \[Unreleased\]/);
});
