// @ts-check
/** custom-elements.json for editors, Storybook and wrappers. It names what ships: dist/index.js, not the sources. */
const shipped = 'dist/index.js';

export default {
  globs: ['src/elements/**/*.ts', 'src/define.ts'],
  outdir: '.',
  litelement: true,
  packagejson: false,
  plugins: [
    {
      name: 'private-meet:one-module',
      packageLinkPhase(/** @type {any} */ { customElementsManifest: manifest }) {
        const all = (/** @type {string} */ key) =>
          manifest.modules.flatMap((/** @type {any} */ module) => module[key] ?? []);
        const point = (/** @type {any} */ value) => {
          if (!value || typeof value !== 'object') return;
          if (typeof value.module === 'string' && !value.package) value.module = shipped;
          Object.values(value).forEach(point);
        };
        const unique = (/** @type {any[]} */ list) => [
          ...new Map(list.map((entry) => [`${entry.kind} ${entry.name}`, entry])).values(),
        ];
        const declarations = all('declarations').filter(
          (/** @type {any} */ { kind }) => kind === 'class' || kind === 'mixin',
        );
        const names = new Set(declarations.map((/** @type {any} */ { name }) => name));
        const exports = all('exports').filter(
          (/** @type {any} */ entry) =>
            entry.kind === 'custom-element-definition' || names.has(entry.declaration?.name),
        );
        manifest.modules = [
          {
            kind: 'javascript-module',
            path: shipped,
            declarations: unique(declarations),
            exports: unique(exports),
          },
        ];
        point(manifest.modules);
      },
    },
  ],
};
