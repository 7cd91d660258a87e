// @ts-check
/** The check of the layers passes on a project in order and fails on every kind of disorder. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { node, project, root } from './support.mjs';

/** A small project in order, one file per room. */
const good = {
  'tsconfig.json': '{}',
  'src/index.ts': `import './define.ts';\nexport * from './core/index.ts';\n`,
  'src/define.ts': `import { Room } from './elements/pm-room.ts';\nconsole.log(Room);\n`,
  'src/core/index.ts': `export { Call } from './call/call.ts';\nexport type { Link } from './transport/transport.ts';\n`,
  'src/core/errors.ts': `export const code = 'usage';\n`,
  'src/core/platform.ts': `import { code } from './errors.ts';\nexport interface Platform { now(): number }\nexport const fail = code;\n`,
  'src/core/util/async.ts': `import type { Platform } from '../platform.ts';\nexport const later = (platform: Platform) => platform.now();\n`,
  'src/core/state/store.ts': `import { later } from '../util/async.ts';\nexport const store = later;\n`,
  'src/core/layout/grid.ts': `export const grid = 1;\n`,
  'src/core/protocol/index.ts': `import { code } from '../errors.ts';\nexport const schema = code;\n`,
  'src/core/signaling/signaling.ts': `import { schema } from '../protocol/index.ts';\nexport interface Signaling { schema: typeof schema }\n`,
  'src/core/signaling/websocket.ts': `import type { Signaling } from './signaling.ts';\nexport class WebSocketSignaling { signaling?: Signaling }\n`,
  'src/core/crypto/envelope.ts': `export const seal = 1;\n`,
  'src/core/media/local-media.ts': `import { store } from '../state/store.ts';\nexport class LocalMedia { store = store }\n`,
  'src/core/transport/transport.ts': `import type { LocalMedia } from '../media/local-media.ts';\nexport interface Link { media: LocalMedia }\n`,
  'src/core/transport/mesh/mesh.ts': `import type { Link } from '../transport.ts';\nexport class Mesh { link?: Link }\n`,
  'src/core/chat/chat.ts': `import { seal } from '../crypto/envelope.ts';\nexport const chat = seal;\n`,
  'src/core/files/files.ts': `export const files = 1;\n`,
  'src/core/call/call.ts': [
    `import { Mesh } from '../transport/mesh/mesh.ts';`,
    `import { WebSocketSignaling } from '../signaling/websocket.ts';`,
    `import { LocalMedia } from '../media/local-media.ts';`,
    `import { chat } from '../chat/chat.ts';`,
    `export class Call { parts = [Mesh, WebSocketSignaling, LocalMedia, chat] }\n`,
  ].join('\n'),
  'src/elements/context.ts': `export const context = 1;\n`,
  'src/elements/pm-room.ts': `import { Call } from '../core/index.ts';\nimport { context } from './context.ts';\nexport class Room { parts = [Call, context] }\n`,
  'demo-server/src/cli.ts': `import { schema } from '../../src/core/protocol/index.ts';\nconsole.log(schema);\n`,
};

function check(/** @type {string} */ folder) {
  return node(folder, [
    join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
    '--config',
    join(root, '.scripts/layers.config.mjs'),
    'src',
    'demo-server/src',
  ]);
}

test('a project in order passes', async (t) => {
  const { code, stdout } = await check(project(t, good));
  assert.equal(code, 0, stdout);
});

/** @type {[title: string, rule: string, changed: Record<string, string>][]} */
const bad = [
  [
    'two files that import each other',
    'no-cycle',
    {
      'src/core/util/async.ts': `import { b } from './b.ts';\nexport const later = () => b;\n`,
      'src/core/util/b.ts': `import { later } from './async.ts';\nexport const b = () => later;\n`,
    },
  ],
  [
    'a circle of three, one of them by type only',
    'no-cycle',
    {
      'src/core/util/async.ts': `import { b } from './b.ts';\nexport const later = () => b;\n`,
      'src/core/util/b.ts': `import { c } from './c.ts';\nexport const b = () => c;\n`,
      'src/core/util/c.ts': `import type { later } from './async.ts';\nexport const c = (x: typeof later) => x;\n`,
    },
  ],
  [
    'a lower tier that imports a higher one',
    'one-way: core/state',
    {
      'src/core/state/store.ts': `import { LocalMedia } from '../media/local-media.ts';\nexport const store = LocalMedia;\n`,
      'src/core/media/local-media.ts': `export class LocalMedia {}\n`,
    },
  ],
  [
    'the same by type only',
    'one-way: core/util',
    {
      'src/core/util/extra.ts': `import type { Call } from '../call/call.ts';\nexport type Extra = Call;\n`,
    },
  ],
  [
    'an inline type import of a higher tier',
    'one-way: core/layout',
    {
      'src/core/layout/grid.ts': `import { type Link } from '../transport/transport.ts';\nexport type Grid = Link;\n`,
    },
  ],
  [
    'a dynamic import of a higher tier',
    'one-way: core/protocol',
    {
      'src/core/protocol/index.ts': `export const schema = () => import('../chat/chat.ts');\n`,
    },
  ],
  [
    'siblings on one tier',
    'one-way: core/chat',
    {
      'src/core/chat/chat.ts': `import { files } from '../files/files.ts';\nexport const chat = files;\n`,
    },
  ],
  [
    'the barrel imported from inside',
    'one-way: core/files',
    {
      'src/core/files/files.ts': `import type { Call } from '../index.ts';\nexport type Files = Call;\n`,
    },
  ],
  [
    'the core that imports an element',
    'core-knows-core-only',
    {
      'src/core/layout/grid.ts': `import { context } from '../../elements/context.ts';\nexport const grid = context;\n`,
    },
  ],
  [
    'the core that imports lit',
    'core-knows-core-only',
    {
      'src/core/layout/grid.ts': `import { html } from 'lit';\nexport const grid = html;\n`,
      'node_modules/lit/package.json': `{"name": "lit", "version": "3.0.0", "type": "module", "exports": "./index.js"}`,
      'node_modules/lit/index.js': `export const html = 1;\n`,
    },
  ],
  [
    'the core that imports a module of Node',
    'core-knows-core-only',
    {
      'src/core/util/extra.ts': `import { readFileSync } from 'node:fs';\nexport const extra = readFileSync;\n`,
    },
  ],
  [
    'a transport that names a concrete class',
    'only-call-names: media',
    {
      'src/core/transport/mesh/mesh.ts': `import { LocalMedia } from '../../media/local-media.ts';\nexport class Mesh { media = new LocalMedia() }\n`,
    },
  ],
  [
    'an element that names the mesh',
    'topology-stays-below-transport',
    {
      'src/elements/context.ts': `import type { Mesh } from '../core/transport/mesh/mesh.ts';\nexport type Context = Mesh;\nexport const context = 1;\n`,
    },
  ],
  [
    'an element that imports the entry',
    'elements-know-call-and-lit',
    {
      'src/elements/extra.ts': `import type { Call } from '../index.ts';\nexport type Extra = Call;\n`,
    },
  ],
  [
    'the relay that imports more than the protocol',
    'relay-knows-protocol-only',
    {
      'demo-server/src/cli.ts': `import type { Platform } from '../../src/core/platform.ts';\nexport type P = Platform;\n`,
    },
  ],
  [
    'a source that imports the relay',
    'sources-know-neither-relay-nor-tests',
    {
      'src/define.ts': `import '../demo-server/src/cli.ts';\n`,
    },
  ],
  [
    'an import of a file that is not there',
    'no-unresolved',
    {
      'src/define.ts': `import './gone.ts';\n`,
    },
  ],
];

for (const [title, rule, changed] of bad) {
  test(`fails: ${title}`, async (t) => {
    const { code, stdout } = await check(project(t, { ...good, ...changed }));
    assert.notEqual(code, 0, `passed:\n${stdout}`);
    assert.ok(stdout.includes(rule), `expected ${rule} in:\n${stdout}`);
  });
}
