/**
 * The relay as it was built, in a process of its own: on a free port, with a known secret, and killable.
 *
 * `await using relay = await startRelayProcess()` ends it with the scope.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { settings } from '../../demo-server/src/settings.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Milliseconds that a relay may take to start. A busy machine with two processors takes a while. */
const START_DEADLINE = 30_000;

/** Secret of every relay started here, so that tests can mint tokens of their own. */
export const TEST_SECRET = 'a secret for tests, of more than 32 bytes';

export interface RelayProcess {
  /** Such as `http://localhost:41234`; the same after a restart. */
  readonly url: string;
  /** The socket's, such as `ws://localhost:41234/ws`. */
  readonly wsUrl: string;
  readonly pid: number;
  /** All it printed so far. */
  readonly stdout: string;
  /** Its log so far. */
  readonly stderr: string;
  /** Sends the signal and resolves with the exit code (null after SIGKILL) once the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<number | null>;
  /** Starts it again, on the same port with the same secret; kills it first if it still runs. */
  restart(): Promise<void>;
  /** Ends it for good. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RelayOutcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

const known = new Set<string>(Object.values(settings).map(({ env }) => env));

/** Settings of the machine that runs the tests must not reach the relay under test. */
function environment(given: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !known.has(name));
  return { ...Object.fromEntries(inherited), ...given };
}

/** What a command line becomes, such as the same one in a network namespace. */
export type Wrap = (program: string, args: readonly string[]) => [program: string, args: readonly string[]];
const asItIs: Wrap = (program, args) => [program, args];

function spawnRelay(given: Record<string, string>, args: readonly string[], wrap = asItIs): ChildProcess {
  const command = ['demo-server/dist/cli.js', ...args];
  const child = spawn(...wrap(process.execPath, command), {
    cwd: root,
    env: environment(given),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Runs the command to its end, for starts that fail and for `--help`. */
export async function runRelay(
  args: readonly string[],
  given: Record<string, string> = {},
): Promise<RelayOutcome> {
  const child = spawnRelay(given, args);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/**
 * @param given `PM_*` variables beside the defaults of a test: a free port, a known secret, no request limits
 * @param wrap the command that runs it somewhere else; signals must reach the relay all the same
 * @throws when the relay ends or stays silent instead of listening; the message holds its log
 */
export async function startRelayProcess(
  given: Record<string, string> = {},
  args: readonly string[] = [],
  wrap: Wrap = asItIs,
): Promise<RelayProcess> {
  let variables: Record<string, string> = {
    PM_PORT: '0',
    PM_JWT_SECRET: TEST_SECRET,
    PM_SIGN_IN_RATE: '0',
    PM_GET_RATE: '0',
    PM_CONNECT_RATE: '0',
    ...given,
  };
  let child: ChildProcess;
  let url = '';
  let stdout = '';
  let stderr = '';

  async function start(): Promise<void> {
    child = spawnRelay(variables, args, wrap);
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      const failed = (why: string) => reject(new Error(`the relay ${why}:\n${printed}${stderr}`));
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        failed(`did not listen within ${START_DEADLINE} ms`);
      }, START_DEADLINE);
      child.once('close', (code) => {
        clearTimeout(timer);
        failed(`ended with code ${code}`);
      });
      child.stdout?.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        stdout += chunk.toString();
        const line = /^listening on (\S+)$/m.exec(printed);
        if (!line) return;
        clearTimeout(timer);
        url = line[1]!;
        resolve();
      });
    });
    variables = { ...variables, PM_PORT: new URL(url).port };
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    }
    return child.exitCode;
  }

  await start();
  return {
    get url() {
      return url;
    },
    get wsUrl() {
      return `${url.replace(/^http/, 'ws')}/ws`;
    },
    get pid() {
      return child.pid!;
    },
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    kill,
    async restart() {
      await kill();
      await start();
    },
    async close() {
      await kill();
    },
    async [Symbol.asyncDispose]() {
      await kill();
    },
  };
}
