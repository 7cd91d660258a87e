/** The coturn configuration that ships, in a real coturn: who is let in, and whom they can reach. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { selfSigned } from '../../demo-server/src/lan.ts';
import { INTERNAL } from '../../demo-server/src/probe/targets.ts';
import { bytesOf, TurnClient } from '../../demo-server/src/probe/turn-client.ts';
import { iceServers } from '../../demo-server/src/turn.ts';
import { findProgram, whyNoTurn } from '../support/lab/programs.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const shipped = readFileSync(join(root, 'demo-server/deploy/turnserver.conf'), 'utf8');
const SECRET = 'a secret for turn in tests';
const skip = whyNoTurn() || false;

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A coturn with the shipped file, in which only what says CHANGE is changed, and where it listens. */
async function startCoturn(change: (text: string) => string = (text) => text) {
  const folder = mkdtempSync(join(tmpdir(), 'pm-coturn-'));
  const { cert, key } = await selfSigned();
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const set = (text: string, name: string, value: string) => {
    assert.match(text, new RegExp(`^${name}=`, 'm'), name);
    return text.replace(new RegExp(`^${name}=.*$`, 'm'), value);
  };
  let text = set(shipped, 'external-ip', '');
  for (const [name, value] of [
    ['static-auth-secret', SECRET],
    ['cert', join(folder, 'cert.pem')],
    ['pkey', join(folder, 'key.pem')],
    ['listening-port', String(port)],
    ['tls-listening-port', String(tlsPort)],
  ] as const)
    text = set(text, name, `${name}=${value}`);
  const file = join(folder, 'turnserver.conf');
  writeFileSync(file, change(text), { mode: 0o600 });
  // Where it listens, and where it leaves its files: nothing else.
  const args = ['-c', file, '--listening-ip', '127.0.0.1', '--relay-ip', '127.0.0.1', '--relay-ip', '::1'];
  args.push('--userdb', join(folder, 'turndb'), '--pidfile', join(folder, 'pid'), '--log-file', 'stdout');
  const child = spawn(findProgram('turnserver'), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (log += String(chunk)));
  const asked = new TurnClient('127.0.0.1', port, '', '');
  try {
    // It answers before it has credentials: then it is there.
    for (let count = 0; ; count += 1) {
      const verdict = await asked.allocate().catch(() => -1);
      if (verdict === 401) break;
      if (count > 5 || child.exitCode !== null)
        throw new Error(`coturn does not answer (${verdict}):\n${log}`);
    }
  } finally {
    await asked.close().catch(() => undefined);
  }
  return {
    port,
    get log() {
      return log;
    },
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true });
    },
  };
}

function probe(port: number, secret = SECRET): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ['demo-server/dist/probe-turn.js', `127.0.0.1:${port}`, '--secret', secret];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: root }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test('addresses are written as bytes, however they are spelled', () => {
  assert.equal(bytesOf('127.0.0.1').toString('hex'), '7f000001');
  assert.equal(bytesOf('::').toString('hex'), '0'.repeat(32));
  assert.equal(bytesOf('::1').toString('hex'), `${'0'.repeat(31)}1`);
  assert.equal(bytesOf('::ffff:127.0.0.1').toString('hex'), '00000000000000000000ffff7f000001');
  assert.equal(bytesOf('64:ff9b::10.0.0.1').toString('hex'), '0064ff9b00000000000000000a000001');
  assert.equal(bytesOf('2001:DB8:0:1::a').toString('hex'), '20010db800000001000000000000000a');
});

describe('coturn as it ships', { skip }, () => {
  test('takes the relay’s credentials alone, refuses everything internal, allows the public', async (context) => {
    await using coturn = await startCoturn();
    const { code, stdout } = await probe(coturn.port);
    assert.equal(code, 0, `${stdout}\n${coturn.log.slice(-2_000)}`);
    const lines = stdout.trim().split('\n');
    assert.ok(
      lines.every((line) => line.startsWith('ok ')),
      stdout,
    );
    for (const address of [...INTERNAL[4], ...INTERNAL[6]])
      assert.ok(lines.includes(`ok   ${address}: refused (403)`), address);
    assert.equal(lines.filter((line) => line.endsWith('a public address: allowed')).length, 2);
    context.diagnostic(`${lines.length} lines, all as they should be`);
  });

  test('the probe finds what is open: a file without its IPv6 lines, another secret, nobody there', async () => {
    {
      await using leaky = await startCoturn((text) => text.replace(/^denied-peer-ip=.*:.*$/gm, ''));
      const { code, stdout } = await probe(leaky.port);
      assert.equal(code, 1);
      assert.match(stdout, /^BAD {2}64:ff9b::127\.0\.0\.1: allowed$/m);
      assert.equal((await probe(leaky.port, 'guessed')).code, 1);
    }
    const nobody = await probe(await freePort());
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /does not answer|ECONNREFUSED/);
  });

  test('credentials end: what was good for a second is refused after it', async () => {
    await using coturn = await startCoturn();
    const urls = { urls: ['turn:x'], secret: SECRET, ttl: 1 };
    const [server] = iceServers(urls, 'ann', Date.now() / 1000);
    const enter = async () => {
      const client = new TurnClient('127.0.0.1', coturn.port, server!.username!, server!.credential!);
      const verdict = await client.allocate();
      await client.close();
      return verdict;
    };
    assert.equal(await enter(), 0);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    assert.equal(await enter(), 401);
  });
});
