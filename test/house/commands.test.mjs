// @ts-check
/** `npm start` and `npm test` themselves, in a small copy of the project. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { node, project, root } from './support.mjs';

/** The scripts of this project around other contents; node_modules are shared. */
function copy(/** @type {import('node:test').TestContext} */ t, /** @type {Record<string, string>} */ files) {
  const folder = project(t, files);
  for (const path of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    '.scripts',
    'test/run.mjs',
    'test/support/browsers.mjs',
  ]) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** As though it had just been built: the products are there and nothing changed since. */
async function built(/** @type {string} */ folder) {
  const { recordBuild } = await import(pathToFileURL(join(folder, '.scripts/project.mjs')).href);
  recordBuild();
}

const products = Object.fromEntries(
  [
    'dist/pm-elements.js',
    'dist/core.js',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/core.d.ts',
    'custom-elements.json',
  ].map((file) => [file, '']),
);
const tests = (/** @type {string} */ text) =>
  `import { describe, it, test } from 'node:test';\nimport assert from 'node:assert';\n${text}`;

test('npm test counts what passed and what failed, and says so in its last line', async (t) => {
  const folder = copy(t, {
    'test/house/a.test.mjs': tests(`
      describe('a suite is no test', () => { it('one', () => {}); it('two', () => assert.equal(1, 2)); });
      test.skip('aside', () => {});
    `),
    'test/house/b.test.ts': tests(`test('typed', () => assert.ok(true as boolean));`),
  });
  const { code, stdout } = await node(folder, ['test/run.mjs', 'house']);
  assert.equal(stdout.trimEnd().split('\n').at(-1), '2 passed, 1 failed', stdout);
  assert.notEqual(code, 0);
  assert.match(stdout, /house · test\/house\/a\.test\.mjs · two/, 'the failed test is named');
  assert.match(stdout, /AssertionError.*1 == 2/, 'and explained');
});

test('npm test passes when everything passes, and takes a filter of files', async (t) => {
  const folder = copy(t, {
    'test/house/good.test.mjs': tests(`test('good', () => {});`),
    'test/house/bad.test.mjs': tests(`test('bad', () => assert.fail());`),
  });
  const { code, stdout } = await node(folder, ['test/run.mjs', 'house', 'good']);
  assert.equal(stdout.trimEnd().split('\n').at(-1), '1 passed, 0 failed', stdout);
  assert.equal(code, 0);
});

test('a test file that crashes is a failure', async (t) => {
  const folder = copy(t, {
    'test/house/a.test.mjs': tests(`test('good', () => {});`),
    'test/house/b.test.mjs': `process.exit(3);\n`,
  });
  const { code, stdout } = await node(folder, ['test/run.mjs', 'house']);
  assert.equal(stdout.trimEnd().split('\n').at(-1), '1 passed, 1 failed', stdout);
  assert.notEqual(code, 0);
});

test('a file without a single test is no success', async (t) => {
  const { code, stdout } = await node(copy(t, { 'test/house/a.test.mjs': 'throw new Error("at once");\n' }), [
    'test/run.mjs',
    'house',
  ]);
  assert.equal(stdout.trimEnd().split('\n').at(-1), '0 passed, 1 failed', stdout);
  assert.notEqual(code, 0);
});

test('a suite without files is skipped aloud, and nothing tested is no success', async (t) => {
  const { code, stdout } = await node(copy(t, {}), ['test/run.mjs', 'house']);
  assert.match(stdout, /skipped: no files/);
  assert.equal(stdout.trimEnd().split('\n').at(-1), '0 passed, 0 failed', stdout);
  assert.notEqual(code, 0);
});

test('a process which a test leaves behind is ended', { skip: process.platform !== 'linux' }, async (t) => {
  const folder = copy(t, {
    'test/house/a.test.mjs': tests(`
      import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      test('leaves a process', () => {
        const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
        child.unref();
        writeFileSync('pid', String(child.pid));
      });
    `),
  });
  const { stdout } = await node(folder, ['test/run.mjs', 'house']);
  assert.match(stdout, /house left running, now ended: node/);
  const pid = readFileSync(join(folder, 'pid'), 'utf8');
  // A process that ended may stay in the table until its parent asks: then it has no command line any more.
  assert.ok(
    !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/cmdline`, 'utf8') === '',
    `${pid} still runs`,
  );
});

test('a browser that is missing is named together with its variable', async (t) => {
  const folder = copy(t, { 'test/core/a.test.ts': '' });
  const { code, stdout } = await node(folder, ['test/run.mjs', 'browser'], {
    PM_CHROMIUM: '/nowhere/chromium',
  });
  assert.match(stdout, /PM_CHROMIUM=\/nowhere\/chromium is no executable file/);
  assert.equal(stdout.trimEnd().split('\n').at(-1), '0 passed, 1 failed', stdout);
  assert.notEqual(code, 0);
});

const canInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version');

test('browsers that are missing come through apt, or the run says what to install', async (t) => {
  const folder = copy(t, {
    'test/core/a.test.ts': '',
    // It notes what it was asked for, and fails.
    'bin/apt-get': '#!/bin/sh\necho "$@" >> "$0.log"\nexit 100\n',
  });
  chmodSync(join(folder, 'bin/apt-get'), 0o755);
  const { code, stdout } = await node(folder, ['test/run.mjs', 'browser'], {
    PATH: join(folder, 'bin'),
    PM_CHROMIUM: '',
    PM_FIREFOX: '',
  });
  const asked = join(folder, 'bin/apt-get.log');
  if (canInstall) assert.match(readFileSync(asked, 'utf8'), /^update/);
  else assert.ok(!existsSync(asked), 'only root installs');
  assert.match(stdout, /not found: chromium and firefox-esr/);
  assert.match(stdout, /point PM_CHROMIUM and PM_FIREFOX to/);
  assert.equal(stdout.trimEnd().split('\n').at(-1), '0 passed, 1 failed', stdout);
  assert.notEqual(code, 0);
});

test('npm start passes flags, environment, stdout, signals and the exit code through', async (t) => {
  const folder = copy(t, {
    ...products,
    'demo-server/dist/cli.js': `
      const timer = setInterval(() => {}, 1000);
      process.on('SIGTERM', () => { clearInterval(timer); process.exitCode = 7; });
      console.log('listening on http://localhost:1', JSON.stringify(process.argv.slice(2)), process.env.PM_PORT);
    `,
  });
  writeFileSync(join(folder, 'demo-server/package.json'), '{"type": "module"}');
  await built(folder);
  const relay = spawn(process.execPath, ['.scripts/start.mjs', '--port', '9000', '--host', '0.0.0.0'], {
    cwd: folder,
    env: { ...process.env, PM_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => relay.kill('SIGKILL'));
  const first = await new Promise((resolve) =>
    createInterface({ input: relay.stdout }).once('line', resolve),
  );
  assert.equal(first, 'listening on http://localhost:1 ["--port","9000","--host","0.0.0.0"] 0');
  relay.kill('SIGTERM');
  assert.equal(await new Promise((resolve) => relay.once('exit', resolve)), 7);
});

test('npm start builds when a source changed, and says why it cannot', async (t) => {
  const folder = copy(t, {
    ...products,
    'demo-server/dist/cli.js': `console.log('old');\n`,
    'src/index.ts': '',
  });
  await built(folder);
  writeFileSync(join(folder, 'src/index.ts'), 'const broken = ;\n');
  writeFileSync(join(folder, 'rollup.config.mjs'), readFileSync(join(root, 'rollup.config.mjs')));
  const { code, stdout, stderr } = await node(folder, ['.scripts/start.mjs']);
  assert.equal(stdout, '', 'stdout belongs to the relay');
  assert.match(stderr, /building/);
  assert.notEqual(code, 0);
});
