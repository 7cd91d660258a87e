// @ts-check
/**
 * Imports point one way only (`npm run check:layers`, dependency-cruiser):
 *
 *   util, errors, platform <- state, layout, protocol <- signaling, crypto, media <- transport, chat, files <- call
 *   <- core/index <- elements <- define, index
 *
 * A tier may import the tiers below it and, within one tier, only its own folder. Type imports count as well.
 * test/house/layers.test.mjs proves that each of these rules can fail.
 */
const tiers = [
  ['util', 'errors.ts', 'platform.ts'],
  ['state', 'layout', 'protocol'],
  ['signaling', 'crypto', 'media'],
  ['transport', 'chat', 'files'],
  ['call'],
  ['index.ts'],
];
const core = '^src/core/';
const path = (/** @type {string} */ room) =>
  `${core}${room.replace('.', '\\.')}${room.endsWith('.ts') ? '$' : '/'}`;
/** Errors and the platform are everybody's: they may be imported within their own tier too. */
const everybodys = ['errors.ts', 'platform.ts'];

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const oneWay = tiers.flatMap((rooms, tier) =>
  rooms.map((room) => ({
    name: `one-way: core/${room}`,
    severity: 'error',
    comment: `core/${room} may import the tiers below it and itself`,
    from: { path: path(room) },
    to: {
      path: core,
      pathNot: [...tiers.slice(0, tier).flat(), ...everybodys, room].map(path),
    },
  })),
);

/** Concrete classes are named by the call alone; everybody else knows their interfaces. */
const concrete = ['transport/mesh', 'signaling/websocket', 'media'];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      comment: 'files that import each other in a circle cannot be understood, tested or replaced one by one',
      from: {},
      to: { circular: true },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...oneWay,
    {
      name: 'core-knows-core-only',
      severity: 'error',
      comment: 'the core is headless: nothing of the elements, no lit, no Node, no package',
      from: { path: core },
      to: { pathNot: [core] },
    },
    ...concrete.map((room) => ({
      name: `only-call-names: ${room}`,
      severity: /** @type {const} */ ('error'),
      comment: 'only call names concrete classes; others use `import type`',
      from: { path: '^src/', pathNot: [path('call'), path('index.ts'), `${core}${room}(/|\\.ts$)`] },
      to: {
        path: `${core}${room}(/|\\.ts$)`,
        dependencyTypesNot: /** @type {import('dependency-cruiser').DependencyType[]} */ (['type-only']),
      },
    })),
    {
      name: 'elements-know-call-and-lit',
      severity: 'error',
      comment: 'elements are thin: the core and lit, nothing above themselves',
      from: { path: '^src/elements/' },
      to: { pathNot: ['^src/elements/', core, 'node_modules/(lit|lit-html|lit-element|@lit/[^/]+)/'] },
    },
    {
      name: 'topology-stays-below-transport',
      severity: 'error',
      comment: 'an SFU would replace the mesh: elements may not know it, not even its types',
      from: { path: '^src/(elements/|index\\.ts$|define\\.ts$)' },
      to: { path: `${core}(transport/mesh|signaling/websocket)(/|\\.ts$)` },
    },
    {
      name: 'relay-knows-protocol-only',
      severity: 'error',
      comment: 'the relay shares the protocol with the client and nothing else',
      from: { path: '^demo-server/' },
      to: { path: '^(src|test|stories)/', pathNot: '^src/core/protocol/' },
    },
    {
      name: 'sources-know-neither-relay-nor-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(demo-server|test|stories|\\.scripts)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
