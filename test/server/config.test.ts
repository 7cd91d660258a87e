/** How the relay starts: its settings, what it says about them, and what it prints. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ConfigError, readConfig, settingsTable } from '../../demo-server/src/config.ts';
import { settings } from '../../demo-server/src/settings.ts';
import { runRelay, startRelayProcess } from '../support/relay.ts';
import { WireClient } from '../support/wire-client.ts';

test('--help lists every setting as flag and variable, with its default, and ends with 0', async () => {
  const { code, stdout } = await runRelay(['--help']);
  assert.equal(code, 0);
  for (const { env, fallback, help } of Object.values(settings)) {
    assert.ok(stdout.includes(`${env}${fallback === '' ? '' : ` [${fallback}]`}\n      ${help}`), env);
    assert.ok(stdout.includes(`--${env.slice(3).toLowerCase().replaceAll('_', '-')} <`), env);
  }
});

test('the guide lists every setting as --help does (npm run docs writes it)', () => {
  const guide = readFileSync(new URL('../../demo-server/GUIDE.md', import.meta.url), 'utf8').replace(
    / +/g,
    ' ',
  );
  for (const row of settingsTable().split('\n').slice(2))
    assert.ok(guide.includes(row.replace(/ +/g, ' ')), row);
});

test('the names that pages and deployments rely on are there', () => {
  const named = Object.values(settings).map(({ env }) => env);
  const promised =
    'PM_PORT PM_HOST PM_CERT PM_KEY PM_APP_NAME PM_JWT_SECRET PM_ALLOWED_ORIGINS PM_GUESTS PM_ROOM_PREFIX ' +
    'PM_E2EE_PREFIX PM_FILE_CHANNEL_LABEL PM_TURN_URLS PM_TURN_SECRET PM_TRUSTED_PROXIES';
  for (const name of promised.split(' ')) assert.ok(named.includes(name as never), name);
});

test('the first line of stdout that starts with "listening on " carries the URL; the log is on stderr', async () => {
  await using relay = await startRelayProcess();
  assert.match(relay.stdout, /^listening on http:\/\/localhost:\d+\n$/);
  assert.equal((await fetch(`${relay.url}/health`)).status, 200);
  for (const line of relay.stderr.trim().split('\n')) JSON.parse(line);
});

test('a flag wins over its variable', () => {
  const config = readConfig(['--port=1', '--app-name', 'mine'], {
    PM_PORT: '2',
    PM_APP_NAME: 'theirs',
    PM_GRACE_SECONDS: '7',
  });
  assert.deepEqual([config.port, config.appName, config.graceSeconds], [1, 'mine', 7]);
});

test('--host alone is the whole network, and then HTTPS is on', () => {
  const { host, tls } = readConfig(['--host', '--port', '0'], {});
  assert.deepEqual([host, tls], ['0.0.0.0', 'self-signed']);
  assert.equal(readConfig([], {}).tls, null);
  assert.equal(readConfig(['--host', '--https', 'off'], {}).tls, null);
});

test('an empty variable is one that is not set', () => {
  assert.equal(readConfig([], { PM_PORT: '' }).port, 8080);
});

const wrong: [string, string[], RegExp][] = [
  ['a port that is none', ['--port', 'http'], /^PM_PORT "http" is wrong: a whole number from 0 to 65535\.$/],
  ['a port out of range', ['--port', '65536'], /^PM_PORT "65536" is wrong/],
  ['an origin with a path', ['--allowed-origins', 'https://a.test/x'], /^PM_ALLOWED_ORIGINS .*is no origin/],
  ['* among origins', ['--allowed-origins', '* https://a.test'], /^PM_ALLOWED_ORIGINS .*is no origin/],
  ['guests maybe', ['--guests', 'maybe'], /^PM_GUESTS "maybe" is wrong: one of on, off\.$/],
  ['a TURN server by http', ['--turn-urls', 'http://turn.test'], /^PM_TURN_URLS .*is no stun: or turn: URL/],
  ['TURN without its secret', ['--turn-urls', 'turn:turn.test'], /^PM_TURN_SECRET is missing/],
  [
    'a proxy that is no address',
    ['--trusted-proxies', '10.0.0.0/33'],
    /^PM_TRUSTED_PROXIES .*is no address or network/,
  ],
  ['a heartbeat of zero', ['--heartbeat-seconds', '0'], /^PM_HEARTBEAT_SECONDS "0" is wrong/],
  ['a grace that is no number', ['--grace-seconds', 'long'], /^PM_GRACE_SECONDS "long" is wrong/],
  ['an unknown log level', ['--log-level', 'loud'], /^PM_LOG_LEVEL "loud" is wrong: one of fatal/],
  ['a key without its certificate', ['--key', 'x.pem'], /^PM_CERT is missing/],
  ['a certificate without its key', ['--cert', 'x.pem'], /^PM_KEY is missing/],
  [
    'files that are not there',
    ['--cert', '/no/cert.pem', '--key', '/no/key.pem'],
    /^PM_CERT: cannot read \/no\/cert\.pem/,
  ],
  [
    'files that are no certificate',
    ['--cert', 'package.json', '--key', 'package.json'],
    /^PM_CERT and PM_KEY are no usable pair/,
  ],
  ['an unknown option', ['--prot', '1'], /^Unknown option --prot: --help lists them all\.$/],
  ['an option without its value', ['--port'], /^--port needs a value\.$/],
];
for (const [title, args, message] of wrong) {
  test(`${title}: one sentence that names it`, () => {
    assert.throws(
      () => readConfig(args, {}),
      (error) => error instanceof ConfigError && message.test(error.message) && !error.message.includes('\n'),
    );
  });
}

test('a wrong value stops the start: the sentence on stderr, exit code 2, nothing on stdout', async () => {
  const { code, stdout, stderr } = await runRelay([], { PM_PORT: 'http' });
  assert.deepEqual(
    [code, stdout, stderr],
    [2, '', 'PM_PORT "http" is wrong: a whole number from 0 to 65535.\n'],
  );
});

test('a port in use stops the start likewise', async () => {
  const other = createServer().listen(0, 'localhost');
  await once(other, 'listening');
  try {
    const { port } = other.address() as AddressInfo;
    const { code, stdout, stderr } = await runRelay(['--port', String(port)], { PM_LOG_LEVEL: 'silent' });
    assert.deepEqual([code, stdout, stderr], [2, '', `PM_PORT ${port} is in use by another program.\n`]);
  } finally {
    other.close();
  }
});

test('a secret is never shown, one made up is announced', async () => {
  const failed = await runRelay(['--port', 'x'], { PM_JWT_SECRET: 'the secret itself' });
  assert.doesNotMatch(failed.stderr + failed.stdout, /the secret itself/);
  await using relay = await startRelayProcess({ PM_JWT_SECRET: '' });
  assert.match(relay.stderr, /PM_JWT_SECRET is not set/);
  const client = await WireClient.open(relay);
  await client.close();
});

test('PM_GUESTS=off: no sign-in', async () => {
  await using relay = await startRelayProcess({ PM_GUESTS: 'off' });
  const response = await fetch(`${relay.url}/auth/sign-in`, { method: 'POST', body: '{}' });
  assert.equal(response.status, 403);
});

test('prefixes and issuer are told and used', async () => {
  await using relay = await startRelayProcess({
    PM_ROOM_PREFIX: 'rooms',
    PM_E2EE_PREFIX: 'sealed',
    PM_FILE_CHANNEL_LABEL: 'files',
    PM_APP_NAME: 'school',
  });
  const client = await WireClient.open(relay, { ext: true });
  assert.deepEqual(client.frames[0]?.data.prefixes, { room: 'rooms', e2ee: 'sealed', file: 'files' });
  await client.close();
});

test('request limits: 429 with Retry-After, per address, believed from listed proxies alone', async () => {
  // Far more requests than a window takes, however slow the machine: how many pass does not matter.
  const signIns = async (url: string, address: (index: number) => string) =>
    Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const headers = { 'x-forwarded-for': address(index) };
        const response = await fetch(`${url}/auth/sign-in`, { method: 'POST', body: '{}', headers });
        return {
          status: response.status,
          wait: response.headers.get('retry-after'),
          text: await response.text(),
        };
      }),
    );
  const count = (answers: { status: number }[], code: number) =>
    answers.filter(({ status }) => status === code).length;

  await using relay = await startRelayProcess({
    PM_SIGN_IN_RATE: '1',
    PM_GET_RATE: '2',
    PM_TRUSTED_PROXIES: '127.0.0.0/8 ::1',
  });
  const one = await signIns(relay.url, () => '198.51.100.1');
  assert.ok(count(one, 200) >= 5 && count(one, 429) > 0);
  const refused = one.find(({ status }) => status === 429);
  assert.ok(Number(refused?.wait) >= 1);
  assert.equal(refused?.text, 'Too many requests');
  const many = await signIns(relay.url, (index) => `198.51.100.${10 + index}`);
  assert.equal(count(many, 200), 40);
  const gets = await Promise.all(Array.from({ length: 60 }, () => fetch(`${relay.url}/health`)));
  assert.ok(count(gets, 429) > 0);

  await using direct = await startRelayProcess({ PM_SIGN_IN_RATE: '1' });
  const forged = await signIns(direct.url, (index) => `198.51.100.${10 + index}`);
  assert.ok(count(forged, 429) > 0, 'without listed proxies the header is nobody’s word');
});
