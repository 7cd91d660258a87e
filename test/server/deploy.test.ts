/** The files that ship for a server: real proxies before a real relay, and names that exist. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { selfSigned } from '../../demo-server/src/lan.ts';
import { settings } from '../../demo-server/src/settings.ts';
import { findProgram, whyNoProxy } from '../support/lab/programs.mjs';
import { startRelayProcess, type RelayProcess } from '../support/relay.ts';
import { signIn, WireClient } from '../support/wire-client.ts';

const folder = fileURLToPath(new URL('../../demo-server/deploy/', import.meta.url));
const shipped = (name: string) => readFileSync(join(folder, name), 'utf8');

test('every setting that they name exists', () => {
  const known = Object.values(settings).map(({ env }) => env as string);
  for (const name of readdirSync(folder)) {
    for (const [variable] of shipped(name).matchAll(/\bPM_[A-Z_]+\b/g))
      assert.ok(known.includes(variable), `${variable} in ${name}`);
  }
});

test('systemd finds nothing wrong with the unit', async (context) => {
  const program = findProgram('systemd-analyze');
  if (program === '') return context.skip('systemd-analyze is not installed');
  const { stderr } = await promisify(execFile)(program, [
    'verify',
    join(folder, 'private-meet-relay.service'),
  ]).catch((error: { stderr: string }) => error);
  // What is not on this machine (the command, other units) is no fault of the file.
  const wrong = stderr.split('\n').filter((line) => /Unknown|Invalid|Failed to parse|bad/i.test(line));
  assert.deepEqual(wrong, []);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Proxy extends AsyncDisposable {
  url: string;
  wsUrl: string;
  /** Everything that it wrote. */
  log(): string;
}

async function start(name: 'nginx' | 'caddy', relay: RelayProcess): Promise<Proxy> {
  const home = mkdtempSync(join(tmpdir(), `pm-${name}-`));
  const port = await freePort();
  const upstream = `127.0.0.1:${new URL(relay.url).port}`;
  let printed = '';
  const run = (args: string[]) => {
    const env = { ...process.env, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home, HOME: home };
    const child = spawn(findProgram(name), args, { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => (printed += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (printed += String(chunk)));
    return child;
  };
  const { cert, key } = await selfSigned();
  writeFileSync(join(home, 'cert.pem'), cert);
  writeFileSync(join(home, 'key.pem'), key);
  const replace = (text: string, ...pairs: [RegExp, string][]) =>
    pairs.reduce((all, [from, to]) => {
      assert.match(all, from);
      return all.replace(from, to);
    }, text);
  let child;
  if (name === 'nginx') {
    const site = replace(
      shipped('nginx.conf'),
      [/listen 443 ssl;/, `listen 127.0.0.1:${port} ssl;`],
      [/listen \[::\]:443 ssl;/, ''],
      [/\/etc\/letsencrypt\/live\/meet\.your\.site\/fullchain\.pem/, join(home, 'cert.pem')],
      [/\/etc\/letsencrypt\/live\/meet\.your\.site\/privkey\.pem/, join(home, 'key.pem')],
      [/127\.0\.0\.1:8080/, upstream],
      [/\/var\/log\/nginx\/private-meet\.log/, join(home, 'access.log')],
      [/\/var\/log\/nginx\/private-meet-error\.log/, join(home, 'error.log')],
    );
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (each) => `${each}_temp_path ${home}/${each};`,
    );
    writeFileSync(
      join(home, 'nginx.conf'),
      `daemon off; pid ${home}/pid; error_log stderr; events {}\nhttp {\n${paths.join('\n')}\n${site}\n}\n`,
    );
    child = run(['-p', home, '-c', join(home, 'nginx.conf')]);
  } else {
    const site = replace(
      shipped('Caddyfile'),
      [/meet\.your\.site \{/, `https://127.0.0.1:${port} {\n\ttls ${home}/cert.pem ${home}/key.pem`],
      [/127\.0\.0\.1:8080 \{/, `${upstream} {`],
    );
    writeFileSync(join(home, 'Caddyfile'), `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`);
    child = run(['run', '--config', join(home, 'Caddyfile')]);
  }
  const url = `https://127.0.0.1:${port}`;
  for (const end = Date.now() + 20_000; ;) {
    if (
      await fetch(`${url}/health`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
    if (Date.now() > end || child.exitCode !== null) throw new Error(`${name} does not answer:\n${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    wsUrl: `${url.replace('https', 'wss')}/ws`,
    log: () =>
      printed +
      readdirSync(home)
        .filter((file) => file.endsWith('.log'))
        .map((file) => readFileSync(join(home, file), 'utf8'))
        .join(''),
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      rmSync(home, { recursive: true });
    },
  };
}

for (const name of ['nginx', 'caddy'] as const) {
  describe(`behind ${name} as it ships`, { skip: whyNoProxy(name) || false }, () => {
    test('pages and sockets get through, the address is the caller’s, and no token is written down', async () => {
      // The proxy's certificate is made on the spot.
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        const behind = { PM_TRUSTED_PROXIES: '127.0.0.1', PM_HOST: '127.0.0.1', PM_SIGN_IN_RATE: '1' };
        await using relay = await startRelayProcess(behind);
        await using proxy = await start(name, relay);
        assert.equal((await fetch(`${proxy.url}/pm-elements.js`)).status, 200);
        await using ann = await WireClient.open(proxy, { ext: true });
        await using bob = await WireClient.open(proxy);
        await ann.join('r');
        await bob.join('r');
        ann.send('chat.message', 'r', { message: 'hello' });
        assert.equal((await bob.next('chat.message')).data.message, 'hello');
        const { accessToken } = await signIn(proxy.url);
        await fetch(`${proxy.url}/ws?token=${accessToken}`);
        // What a client claims to be forwarded from counts for nothing: all of these come from one address.
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            fetch(`${proxy.url}/auth/sign-in`, {
              method: 'POST',
              body: '{}',
              headers: { 'x-forwarded-for': `198.51.100.${index}` },
            }),
          ),
        );
        assert.ok(answers.filter(({ status }) => status === 429).length > 5);
        assert.doesNotMatch(proxy.log() + relay.stderr, /eyJ/);
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      }
    });

    test('a relay that ends tells through it as well, and the next one takes over', async () => {
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      try {
        await using relay = await startRelayProcess({
          PM_TRUSTED_PROXIES: '127.0.0.1',
          PM_HOST: '127.0.0.1',
        });
        await using proxy = await start(name, relay);
        const ann = await WireClient.open(proxy, { ext: true });
        await relay.kill('SIGTERM');
        assert.equal((await ann.closed).code, 1012);
        await relay.restart();
        await using back = await WireClient.open(proxy, { ext: true, session: ann.session });
        assert.equal(back.userID, ann.userID);
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      }
    });
  });
}
