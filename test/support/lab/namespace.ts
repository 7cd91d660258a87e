/**
 * A network namespace without a name: it lives as long as a process of ours in it, so that nothing is left behind
 * however a test ends. Its keeper ends with our end of its stdin; whatever else we start in it dies with us.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export class Namespace {
  private constructor(
    readonly name: string,
    private readonly keeper: ChildProcess,
  ) {}

  /** @throws where one may not be made: see `whyNoNetwork` */
  static async make(name: string): Promise<Namespace> {
    const keeper = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ready = once(keeper.stdout, 'data');
    const failed = once(keeper, 'exit').then(() => {
      throw new Error('unshare --net failed');
    });
    failed.catch(() => {});
    await Promise.race([ready, failed]);
    const made = new Namespace(name, keeper);
    // IPv4 alone: every address of a test is one that it chose.
    made.run(`ip link set lo up
      sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1`);
    return made;
  }

  /** For `ip link … netns`. */
  get pid(): number {
    return this.keeper.pid ?? 0;
  }

  private get path(): string {
    return `/proc/${String(this.pid)}/ns/net`;
  }

  /** The command line that runs a program in here; it keeps its process id, and dies with us. */
  command(program: string, args: readonly string[] = []): [program: string, args: string[]] {
    return [
      'nsenter',
      [`--net=${this.path}`, '--', 'setpriv', '--pdeathsig', 'KILL', '--', program, ...args],
    ];
  }

  /** The same for whoever takes the path of a program alone: a shell script. */
  script(program: string): string {
    return `#!/bin/sh\nexec nsenter --net=${this.path} -- '${program}' "$@"\n`;
  }

  /** Runs lines of shell in here, at once and to their end. */
  run(script: string): string {
    const [program, args] = this.command('sh', ['-e']);
    try {
      return execFileSync(program, args, {
        input: script,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'pipe'],
      });
    } catch (error) {
      const { stderr } = error as { stderr?: string };
      throw new Error(`in ${this.name}: ${stderr?.trim() ?? String(error)}\n${script}`, { cause: error });
    }
  }

  /** Sets packet rules, replacing the earlier ones. */
  rules(text: string): void {
    this.run(`nft -f - <<'RULES'\n${text}\nRULES\n`);
  }

  /** Gives it up; it is gone once whatever was started in it is. */
  close(): void {
    this.keeper.stdin?.destroy();
    this.keeper.kill();
  }
}
