/** On the local network: HTTPS under a certificate made on the spot, the address, and a code to scan. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { lanAddresses, qrCode, selfSigned } from '../../demo-server/src/lan.ts';
import { startRelayProcess } from '../support/relay.ts';

async function visit(url: string, ca?: string): Promise<{ status: number; certificate: PeerCertificate }> {
  return new Promise((resolve, reject) => {
    get(url, ca === undefined ? { rejectUnauthorized: false } : { ca }, (response) => {
      response.resume();
      const certificate = (response.socket as TLSSocket).getPeerCertificate();
      resolve({ status: response.statusCode ?? 0, certificate });
    }).on('error', reject);
  });
}

test('--host: HTTPS, a certificate for every address of the machine, addresses and a code after the first line', async () => {
  await using relay = await startRelayProcess({}, ['--host']);
  assert.match(relay.url, /^https:\/\/localhost:\d+$/);
  const { status, certificate } = await visit(`${relay.url}/health`);
  assert.equal(status, 200);
  const names = certificate.subjectaltname ?? '';
  for (const name of ['DNS:localhost', 'IP Address:127.0.0.1']) assert.ok(names.includes(name), names);
  const ipv4 = lanAddresses().filter((address) => !address.includes(':'));
  for (const address of ipv4) assert.ok(names.includes(`IP Address:${address}`), names);
  const { port } = new URL(relay.url);
  const printed = relay.stdout.split('\n');
  assert.match(printed[0] ?? '', /^listening on https:/);
  for (const [index, address] of ipv4.entries()) {
    assert.equal(printed[index + 1], `on the network: https://${address}:${port}`);
  }
  if (ipv4[0] !== undefined) {
    assert.ok(relay.stdout.includes(qrCode(`https://${ipv4[0]}:${port}`)), 'the code of the first address');
    assert.equal((await visit(`https://${ipv4[0]}:${port}/health`)).status, 200);
  }
});

test('the code is a square of black on white with its quiet zone', () => {
  const lines = qrCode('https://192.0.2.1:8080').split('\n');
  const widths = new Set(lines.map((line) => line.length));
  assert.equal(widths.size, 1);
  const [start, end] = ['\u001b[30;107m', '\u001b[0m'];
  const width = lines[0]!.length - start.length - end.length;
  assert.equal(Math.ceil(width / 2), lines.length);
  assert.equal(lines[0], `${start}${' '.repeat(width)}${end}`);
});

test('--cert and --key: a real certificate, verified by its client', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pm-tls-'));
  try {
    const { cert, key } = await selfSigned();
    const files = [join(folder, 'cert.pem'), join(folder, 'key.pem')] as const;
    await writeFile(files[0], cert);
    await writeFile(files[1], key);
    await using relay = await startRelayProcess({ PM_CERT: files[0], PM_KEY: files[1] });
    assert.match(relay.url, /^https:\/\/localhost:/);
    assert.equal((await visit(`${relay.url}/health`, cert)).status, 200);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('sockets work over TLS', async () => {
  await using relay = await startRelayProcess({ PM_HTTPS: 'on' });
  assert.match(relay.wsUrl, /^wss:/);
  const script = `
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const { WireClient } = await import('./test/support/wire-client.ts');
    const client = await WireClient.open(${JSON.stringify({ url: relay.url, wsUrl: relay.wsUrl })}, { ext: true });
    await client.join('room');
    await client.close();
    console.log('joined');`;
  const args = ['--no-warnings', '--import', 'tsx', '--input-type=module', '--eval', script];
  const printed = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout, stderr) =>
      error ? reject(new Error(stderr)) : resolve(stdout),
    );
  });
  assert.equal(printed, 'joined\n');
});
