// @ts-check
/** `npm run build [-- module core npm types relay manifest]`: everything, or the parts named. Speaks on stderr. */
import { ensureDependencies, run, say } from './project.mjs';

const parts = process.argv.slice(2);
const bundles = parts.filter((part) => part !== 'manifest');

try {
  await ensureDependencies();
  if (!parts.length || bundles.length) {
    await run(
      process.execPath,
      [
        'node_modules/rollup/dist/bin/rollup',
        '-c',
        ...(bundles.length ? ['--configOnly', bundles.join(',')] : []),
      ],
      { minutes: 5 },
    );
  }
  if (!parts.length || parts.includes('manifest')) {
    await run(
      process.execPath,
      [
        'node_modules/@custom-elements-manifest/analyzer/cem.js',
        'analyze',
        '--config',
        '.scripts/manifest.config.mjs',
      ],
      { minutes: 2 },
    );
  }
} catch (error) {
  say(String(error)); // the tool has said what is wrong
  process.exitCode = 1;
}
