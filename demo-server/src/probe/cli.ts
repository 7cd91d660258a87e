#!/usr/bin/env node
/**
 * `private-meet-probe-turn host:port --secret <static-auth-secret>`: whether a TURN server takes the relay's credentials,
 * and whom it lets them reach. Exit codes: 0 when all is as it should be, 1 when not, 2 when it cannot be asked.
 */
import { createHmac } from 'node:crypto';
import { iceServers } from '../turn.ts';
import { INTERNAL, PUBLIC } from './targets.ts';
import { TurnClient, type Verdict } from './turn-client.ts';

const FORBIDDEN = 403;

/** One line of the answer; true when it is as it should be. */
function tell(what: string, good: boolean, verdict: Verdict): boolean {
  process.stdout.write(
    `${good ? 'ok ' : 'BAD'}  ${what}: ${verdict === 0 ? 'allowed' : `refused (${verdict})`}\n`,
  );
  return good;
}

async function probe(host: string, port: number, secret: string): Promise<boolean> {
  const results: boolean[] = [];
  const now = Date.now() / 1000;
  const credentials = (at: number) => {
    const [server] = iceServers({ urls: ['turn:x'], secret, ttl: 600 }, 'probe', at);
    return [server!.username!, server!.credential!] as const;
  };
  const enter = async (username: string, password: string, family: 4 | 6 = 4) => {
    const client = new TurnClient(host, port, username, password);
    return { client, verdict: await client.allocate(family) };
  };

  const [name, password] = credentials(now);
  const wrong: [string, string, string][] = [
    ['credentials that have expired', ...credentials(now - 7_200)],
    ['credentials for longer than they were given', `${Math.floor(now + 99_999)}:probe`, password],
    ['credentials of somebody else', name.replace('probe', 'other'), password],
    ['credentials by another secret', name, createHmac('sha1', 'guessed').update(name).digest('base64')],
    ['no credentials', '', ''],
  ];
  for (const [what, username, credential] of wrong) {
    const { client, verdict } = await enter(username, credential);
    results.push(tell(what, verdict === 401, verdict));
    await client.close();
  }
  for (const family of [4, 6] as const) {
    const { client, verdict } = await enter(name, password, family);
    if (family === 6 && (verdict === 440 || verdict === 508)) {
      process.stdout.write('     no IPv6 here: nothing to reach by it\n');
      await client.close();
      continue;
    }
    results.push(tell(`the relay's credentials, IPv${family}`, verdict === 0, verdict));
    if (verdict === 0) {
      for (const address of INTERNAL[family]) {
        const answer = await client.permit(address);
        results.push(tell(address, answer === FORBIDDEN, answer));
      }
      const answer = await client.permit(PUBLIC[family]);
      results.push(tell(`${PUBLIC[family]}, a public address`, answer === 0, answer));
    }
    await client.close();
  }
  return results.every(Boolean);
}

const [where = '', flag, secret = ''] = process.argv.slice(2);
const [, host = '', port = '3478'] = /^(?:turn:)?(\[[\da-f:.]+\]|[^:]+)(?::(\d+))?$/.exec(where) ?? [];
if (host === '' || flag !== '--secret' || secret === '') {
  process.stderr.write('Usage: private-meet-probe-turn host:port --secret <static-auth-secret>\n');
  process.exitCode = 2;
} else {
  probe(host.replace(/[[\]]/g, ''), Number(port), secret).then(
    (good) => (process.exitCode = good ? 0 : 1),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 2;
    },
  );
}
