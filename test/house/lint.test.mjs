// @ts-check
/** The linter's rules that this project relies on are switched on, and see what they should. */
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { node, project, root } from './support.mjs';

/**
 * The rules that each of these files breaks.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} files
 */
async function lint(t, files) {
  const folder = project(t, {
    'tsconfig.json': readFileSync(join(root, 'tsconfig.json'), 'utf8'),
    '.oxlintrc.json': readFileSync(join(root, '.oxlintrc.json'), 'utf8'),
    ...files,
  });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
  const { code, stdout } = await node(folder, [
    oxlint,
    '--type-aware',
    '--deny-warnings',
    '--format=json',
    'src',
  ]);
  /** @type {{filename: string, code: string}[]} */
  const found = JSON.parse(stdout).diagnostics;
  assert.equal(code === 0, found.length === 0);
  return Object.keys(files).map((file) =>
    found.filter(({ filename }) => filename === file).map((one) => one.code),
  );
}

test('types of the browser may be named in the core, its values only in platform.ts', async (t) => {
  const broken = await lint(t, {
    'src/core/types.ts': [
      `export interface Parts { link: RTCPeerConnection; socket: WebSocket; track: MediaStreamTrack }`,
      `export const read = (parts: { fetch(url: string): string }, crypto: string) => parts.fetch(crypto);\n`,
    ].join('\n'),
    'src/core/platform.ts': `export const platform = { now: () => performance.now(), link: () => new RTCPeerConnection() };\n`,
  });
  assert.deepEqual(broken, [[], []]);
});

/** @type {[title: string, rule: string, file: string, text: string][]} */
const bad = [
  ...[
    'window.name',
    'document.title',
    'navigator.onLine',
    'self.name',
    'globalThis.name',
    'new RTCPeerConnection()',
    `new WebSocket('')`,
    `fetch('')`,
    'performance.now()',
    'crypto.randomUUID()',
    'new MediaStream()',
    'localStorage.length',
    'setTimeout(String, 1)',
    'setInterval(String, 1)',
    'Date.now()',
  ].map(
    (use) =>
      /** @type {[string, string, string, string]} */ ([
        `${use} in the core`,
        'no-restricted-globals',
        'src/core/call/call.ts',
        `export const use = () => ${use};\n`,
      ]),
  ),
  [
    'chance in the core',
    'no-restricted-properties',
    'src/core/a.ts',
    `export const use = () => Math.random();\n`,
  ],
  [
    'a promise nobody waits for',
    'no-floating-promises',
    'src/a.ts',
    `export const use = (a: Promise<void>) => {\n  a;\n};\n`,
  ],
  [
    'a promise as a condition',
    'no-misused-promises',
    'src/a.ts',
    `export const use = (a: Promise<boolean>) => (a ? 1 : 2);\n`,
  ],
  [
    'await of no promise',
    'await-thenable',
    'src/a.ts',
    `export const use = async (a: number) => {\n  await a;\n};\n`,
  ],
  ['any', 'no-explicit-any', 'src/a.ts', `export const use = (a: any) => String(a);\n`],
  ['a forgotten console.log', 'no-console', 'src/elements/a.ts', `console.log(1);\n`],
  [
    'a wrong binding in a template',
    'binding-positions',
    'src/elements/a.ts',
    "import { html } from 'lit';\nexport const a = (tag: string) => html`<${tag}></${tag}>`;\n",
  ],
  [
    'a constructor with parameters in an element',
    'no-constructor-params',
    'src/elements/a.ts',
    'export class A extends HTMLElement {\n  constructor(readonly a: string) {\n    super();\n  }\n}\n',
  ],
];

test('what must not be is seen', async (t) => {
  // One file per case, for one run of the linter.
  const files = bad.map(([, , file, text], index) => [file.replace('.ts', `${index}.ts`), text]);
  const broken = await lint(t, Object.fromEntries(files));
  for (const [index, [title, rule]] of bad.entries()) {
    await t.test(`fails: ${title}`, () => {
      assert.ok(
        broken[index]?.some((code) => code.includes(`(${rule})`)),
        `only ${broken[index]?.join() || 'nothing'} is seen`,
      );
    });
  }
});
