// @ts-check
/**
 * `npm start [-- --port 9000 …]`: from a fresh clone to a running relay. Installs and builds what is missing or stale,
 * then becomes the relay as far as one can see: its flags, environment, streams, signals and exit code.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuild, ensureDependencies, root, say } from './project.mjs';

try {
  await ensureDependencies();
  await ensureBuild();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

const relay = spawn(
  process.execPath,
  ['--enable-source-maps', join(root, 'demo-server/dist/cli.js'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
const signals = /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
for (const signal of signals) process.on(signal, () => relay.kill(signal));
// npm does not pass a signal on: when whoever started this is gone, so is the reason to run.
const parent = process.ppid;
setInterval(() => process.ppid === parent || relay.kill('SIGTERM'), 500).unref();
relay.on('error', (error) => {
  say(error.message);
  process.exit(1);
});
relay.on('exit', (code, signal) => {
  if (!signal) process.exit(code ?? 1);
  for (const name of signals) process.removeAllListeners(name);
  process.kill(process.pid, signal); // end the same way
});
