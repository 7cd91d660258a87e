// @ts-check
/**
 * What ships (see `.scripts/build.mjs`, which also writes custom-elements.json):
 *
 *   dist/pm-elements.js      the single minified module with lit inside, for a script tag
 *   dist/core.js             the headless core, minified, for a script tag or a bundler; core-*.js beside it on demand
 *   dist/index.js            the same elements for bundlers: lit stays an import
 *   dist/{index,core}.d.ts   declarations
 *   demo-server/dist/cli.js  the relay: its own sources and the shared protocol, npm packages stay imports
 *   demo-server/dist/token.* minting tokens, for a page's own server
 *   demo-server/dist/probe-turn.js  whom a TURN server lets people reach
 *
 * `rollup -c --configOnly relay,core` builds a part.
 */
import { chmodSync } from 'node:fs';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { transform as minifyWithEsbuild } from 'esbuild';
import { minifyHTMLLiterals } from 'minify-literals';
import { dts } from 'rollup-plugin-dts';
import esbuild from 'rollup-plugin-esbuild';

/** Bare specifiers are packages: `./x.ts` and absolute paths are ours. */
const isPackage = (/** @type {string} */ id) => !/^(\.|\/|\0|[A-Za-z]:)/.test(id);

/** lit's warnings and checks for developers stay out; TypeScript's own options come from the tsconfig. */
const typescript = (/** @type {string} */ tsconfig = 'tsconfig.json') =>
  esbuild({ target: 'es2022', tsconfig, legalComments: 'none' });

/** Minifies what stands in html``, svg`` and css`` templates. Whatever it cannot minify fails the build. */
function minifyLiterals() {
  const css = async (/** @type {string} */ source) => {
    const { code, warnings } = await minifyWithEsbuild(source, {
      loader: 'css',
      minify: true,
      logLevel: 'silent',
    });
    for (const { text, location } of warnings) console.warn(text, 'in', location?.lineText);
    return code.trim();
  };
  /** @type {Promise<unknown>} */
  let queue = Promise.resolve();

  async function minify(/** @type {string} */ code, /** @type {string} */ fileName) {
    const { warn } = console;
    /** @type {string[]} */
    const complaints = [];
    console.warn = (...parts) => void complaints.push(parts.join(' '));
    // Without keepClosingSlash, `<path/><path/>` in an svg template would nest.
    const html = { keepClosingSlash: true, minifyCSS: false };
    const result = await minifyHTMLLiterals(code, { fileName, css, html }).finally(
      () => (console.warn = warn),
    );
    if (complaints.length) throw new Error(`${fileName}: ${complaints.join('\n')}`);
    return result;
  }

  return {
    name: 'minify-literals',
    transform(/** @type {string} */ code, /** @type {string} */ id) {
      if (id.includes('node_modules') || !/\b(html|svg|css)`/.test(code)) return null;
      const result = queue.then(() => minify(code, id)); // one at a time, for console.warn is shared
      queue = result.catch(() => {});
      return result.then((done) => done && { code: done.code, map: /** @type {any} */ (done.map) });
    },
  };
}

/** Statements that look alike and short functions that stay compress better than what terser makes of them. */
const minifyCode = () =>
  terser({
    ecma: 2020,
    module: true,
    compress: { passes: 2, inline: 1, sequences: false },
    format: { comments: false },
  });

/** A command may be executed (rollup keeps the first line of the source, its shebang). */
const executable = () => ({
  name: 'executable',
  writeBundle: (/** @type {import('rollup').NormalizedOutputOptions} */ { file }) => {
    if (file) chmodSync(file, 0o755);
  },
});

/** @type {Record<string, import('rollup').RollupOptions>} */
const builds = {
  module: {
    input: 'src/index.ts',
    output: { file: 'dist/pm-elements.js', format: 'es', sourcemap: true, inlineDynamicImports: true },
    plugins: [nodeResolve({ browser: true }), typescript(), minifyLiterals(), minifyCode()],
  },
  core: {
    input: { core: 'src/core/index.ts' },
    // Parts on demand import what they share with the core from core.js itself.
    preserveEntrySignatures: 'allow-extension',
    // What few calls need (files, recording, encryption) is loaded when it is.
    output: {
      dir: 'dist',
      format: 'es',
      sourcemap: true,
      entryFileNames: '[name].js',
      chunkFileNames: 'core-[name].js',
    },
    plugins: [nodeResolve({ browser: true }), typescript(), minifyCode()],
  },
  npm: {
    input: 'src/index.ts',
    external: isPackage,
    output: { file: 'dist/index.js', format: 'es', sourcemap: true, inlineDynamicImports: true },
    plugins: [typescript(), minifyLiterals()],
  },
  types: {
    input: { index: 'src/index.ts', core: 'src/core/index.ts' },
    external: isPackage,
    output: { dir: 'dist', format: 'es', entryFileNames: '[name].d.ts', chunkFileNames: 'types/[name].d.ts' },
    plugins: [dts({ tsconfig: 'tsconfig.json' })],
  },
  relay: {
    input: 'demo-server/src/cli.ts',
    external: isPackage,
    output: { file: 'demo-server/dist/cli.js', format: 'es', sourcemap: true, inlineDynamicImports: true },
    plugins: [typescript('demo-server/tsconfig.json'), executable()],
  },
  probe: {
    input: 'demo-server/src/probe/cli.ts',
    external: isPackage,
    output: { file: 'demo-server/dist/probe-turn.js', format: 'es', sourcemap: true },
    plugins: [typescript('demo-server/tsconfig.json'), executable()],
  },
  token: {
    input: 'demo-server/src/mint.ts',
    external: isPackage,
    output: { file: 'demo-server/dist/token.js', format: 'es', sourcemap: true },
    plugins: [typescript('demo-server/tsconfig.json')],
  },
  'token-types': {
    input: 'demo-server/src/mint.ts',
    external: isPackage,
    output: { file: 'demo-server/dist/token.d.ts', format: 'es' },
    plugins: [dts({ tsconfig: 'demo-server/tsconfig.json' })],
  },
};

export default (/** @type {{configOnly?: string}} */ { configOnly }) => {
  const names = configOnly?.split(',') ?? Object.keys(builds);
  return names.map((name) => {
    const build = builds[name];
    if (!build) throw new Error(`no build named ${name}: ${Object.keys(builds).join(', ')}`);
    return {
      ...build,
      onwarn(/** @type {import('rollup').RollupLog} */ warning) {
        throw new Error(`${warning.code}: ${warning.message}`); // a warning of the bundler is a mistake of ours
      },
    };
  });
};
