/** Which tokens count: keys of other issuers, each for its own algorithm, rotation, and the end of a session. */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { exportJWK, SignJWT, type JWK } from 'jose';
import { mintToken } from '../../demo-server/src/mint.ts';
import { runRelay, startRelayProcess, TEST_SECRET, type RelayProcess } from '../support/relay.ts';
import { newSession, WireClient } from '../support/wire-client.ts';

const SITE = 'https://lms.test';
const AUDIENCE = 'meet';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');
const published = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const seconds = () => Math.floor(Date.now() / 1000);

type Change = Record<string, unknown>;
const claimsOf = (change: Change = {}) => ({
  sub: randomUUID(),
  username: 'Ann',
  iss: SITE,
  aud: AUDIENCE,
  iat: seconds(),
  exp: seconds() + 600,
  ...change,
});
/** Claims that are undefined are left out. */
const sign = (key: KeyObject, alg: string, change: Change = {}, header: Change = {}) =>
  new SignJWT(JSON.parse(JSON.stringify(claimsOf(change))))
    .setProtectedHeader({ alg, typ: 'JWT', ...header })
    .sign(key);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const byHmac = (secret: string, change: Change = {}, header: Change = {}) => {
  const text = `${part({ alg: 'HS256', typ: 'JWT', ...header })}.${part(claimsOf(change))}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};

const folder = mkdtempSync(join(tmpdir(), 'pm-tokens-'));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** A site that publishes its keys, or fails to. */
const site = { keys: [] as JWK[], asked: 0, broken: false };
const web = createServer((_request, response) => {
  site.asked += 1;
  if (site.broken) return void response.writeHead(500).end();
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: site.keys }));
});

let relay: RelayProcess;
let jwksUrl = '';
before(async () => {
  site.keys = [{ ...(await exportJWK(published.publicKey)), kid: 'one', use: 'sig' }];
  await once(web.listen(0, '127.0.0.1'), 'listening');
  jwksUrl = `http://127.0.0.1:${(web.address() as AddressInfo).port}/jwks.json`;
  relay = await startRelayProcess({
    PM_JWT_KEYS: [rsa, ec, ed].map(({ publicKey }, i) => file(`${i}.pem`, pem(publicKey))).join(','),
    PM_JWKS_URL: jwksUrl,
    PM_JWT_ISSUER: SITE,
    PM_JWT_AUDIENCE: AUDIENCE,
    PM_JWT_OLD_SECRETS: 'the-secret-of-last-year-0123456789 one-before-that-0123456789abcdef',
  });
});
after(async () => {
  await relay.close();
  web.close();
  rmSync(folder, { recursive: true });
  assert.doesNotMatch(relay.stderr, /eyJ/, 'no token in the log');
  assert.doesNotMatch(relay.stdout + relay.stderr, /secret-of-last-year/, 'no secret in the log');
});

/** The status that a socket with this token meets; 426 is "welcome". */
const statusOf = async (token: string, at = relay) =>
  (await fetch(`${at.url}/ws?token=${encodeURIComponent(token)}`)).status;

describe('tokens that count', () => {
  const good: [string, () => string | Promise<string>][] = [
    ['RS256 by a key in a file', () => sign(rsa.privateKey, 'RS256')],
    ['ES256 by a key in a file', () => sign(ec.privateKey, 'ES256')],
    ['EdDSA by a key in a file', () => sign(ed.privateKey, 'EdDSA')],
    ['ES256 by a published key', () => sign(published.privateKey, 'ES256', {}, { kid: 'one' })],
    ['HS256 by the secret', () => byHmac(TEST_SECRET, { iss: 'private-meet' })],
    ['HS256 by an old secret', () => byHmac('one-before-that-0123456789abcdef', { iss: 'private-meet' })],
    ['mintToken()', () => mintToken({ username: 'Ann', aud: AUDIENCE }, TEST_SECRET)],
    ['one audience of several', () => sign(ec.privateKey, 'ES256', { aud: ['other', AUDIENCE] })],
  ];
  for (const [title, token] of good)
    test(title, async () => assert.equal(await statusOf(await token()), 426));

  test('a guest who signs in here', async () => {
    await using client = await WireClient.open(relay, { ext: true });
    assert.match(client.userID, /^[\da-f-]{36}$/);
  });
});

describe('tokens that do not', () => {
  const bad: [string, () => string | Promise<string>][] = [
    ['no token', () => ''],
    ['no token at all', () => 'a.b.c'],
    ['alg none', () => `${part({ alg: 'none', typ: 'JWT' })}.${part(claimsOf())}.`],
    ['alg none with the secret of nobody', () => `${part({ alg: 'none' })}.${part(claimsOf())}.AAAA`],
    ['an HMAC by the public key', () => byHmac(pem(rsa.publicKey), { iss: 'private-meet' })],
    ['an HMAC by the public key, as the site', () => byHmac(pem(ec.publicKey))],
    ['an HMAC by the name of an algorithm', () => byHmac('HS256', { iss: 'private-meet' })],
    [
      'a key that brings itself along',
      async () => sign(stranger.privateKey, 'ES256', {}, { jwk: await exportJWK(stranger.publicKey) }),
    ],
    [
      'a key to be fetched from the token',
      () => sign(stranger.privateKey, 'ES256', {}, { jku: `${jwksUrl}?mine`, kid: 'mine' }),
    ],
    ["a stranger by the published key's name", () => sign(stranger.privateKey, 'ES256', {}, { kid: 'one' })],
    ['another algorithm of the same key', () => sign(rsa.privateKey, 'PS256')],
    ['another digest of the same key', () => sign(rsa.privateKey, 'RS512')],
    ['the secret, as the site', () => byHmac(TEST_SECRET)],
    ['the site, as the relay', () => sign(ec.privateKey, 'ES256', { iss: 'private-meet' })],
    ['another issuer', () => sign(ec.privateKey, 'ES256', { iss: 'https://other.test' })],
    ['another audience', () => sign(ec.privateKey, 'ES256', { aud: 'shop' })],
    ['no audience', () => sign(ec.privateKey, 'ES256', { aud: undefined })],
    ['expired', () => sign(ec.privateKey, 'ES256', { exp: seconds() - 1 })],
    ['no exp', () => sign(ec.privateKey, 'ES256', { exp: undefined })],
    ['exp that is no number', () => sign(ec.privateKey, 'ES256', { exp: 'never' })],
    ['no iat', () => sign(ec.privateKey, 'ES256', { iat: undefined })],
    ['minted tomorrow', () => sign(ec.privateKey, 'ES256', { iat: seconds() + 86_400 })],
    ['not before tomorrow', () => sign(ec.privateKey, 'ES256', { nbf: seconds() + 86_400 })],
    ['no name', () => sign(ec.privateKey, 'ES256', { username: undefined })],
    ['a subject that is no UUID', () => sign(ec.privateKey, 'ES256', { sub: 'admin' })],
    ['a role that there is not', () => sign(ec.privateKey, 'ES256', { role: 'root' })],
    ['rooms that are no names', () => sign(ec.privateKey, 'ES256', { room: ['math', 7] })],
    ['an unknown critical header', () => byHmac(TEST_SECRET, { iss: 'private-meet' }, { crit: ['x'], x: 1 })],
  ];
  for (const [title, token] of bad) test(title, async () => assert.equal(await statusOf(await token()), 401));

  test('cut and altered ones', async () => {
    const token = await sign(ec.privateKey, 'ES256', { role: 'guest' });
    const [head = '', , signature = ''] = token.split('.');
    assert.equal(await statusOf(`${head}.${part(claimsOf({ role: 'host' }))}.${signature}`), 401);
    assert.equal(await statusOf(token.slice(0, -8)), 401);
  });
});

describe('published keys', () => {
  test('one that is new is found by its name; while nobody answers, the answer is 503 and not 401', async () => {
    await using own = await startRelayProcess({ PM_JWKS_URL: jwksUrl, PM_JWT_ISSUER: SITE });
    const token = await sign(published.privateKey, 'ES256', {}, { kid: 'one' });
    site.broken = true;
    assert.equal(await statusOf(token, own), 503);
    assert.equal(await statusOf(byHmac(TEST_SECRET, { iss: 'private-meet' }), own), 426, 'others go on');
    site.broken = false;
    assert.equal(await statusOf(token, own), 426);
    const asked = site.asked;
    for (let count = 0; count < 20; count += 1) {
      assert.equal(
        await statusOf(await sign(stranger.privateKey, 'ES256', {}, { kid: `x${count}` }), own),
        401,
      );
    }
    assert.ok(site.asked - asked <= 1, 'made-up names do not make us ask the site each time');
  });
});

describe('the end of a session', () => {
  test('an open socket ends with its token, and the session is taken back with a fresh one', async () => {
    const token = await mintToken({ username: 'Ann', aud: AUDIENCE, expiresIn: 2 }, TEST_SECRET);
    const session = newSession();
    await using bob = await WireClient.open(relay, { ext: true, username: 'Bob' });
    await using ann = await WireClient.open(relay, { ext: true, token, session });
    const room = randomUUID();
    for (const client of [bob, ann]) await client.join(room);
    assert.deepEqual(await ann.closed, { code: 4003, reason: 'token expired' });
    assert.equal(await statusOf(token), 401);
    const fresh = await mintToken({ username: 'Ann', aud: AUDIENCE }, TEST_SECRET);
    await using back = await WireClient.open(relay, { ext: true, token: fresh, session });
    const { data } = await back.join(room);
    assert.deepEqual([data.resumed, data.seq], [true, 2]);
    assert.ok(!bob.frames.some(({ type }) => type === 'room.left'));
  });

  test('of an original client: only where a site has named it or chosen its rooms', async () => {
    const short = { username: 'Ann', aud: AUDIENCE, expiresIn: 2 };
    await using named = await WireClient.open(relay, {
      token: await mintToken({ ...short, account: 'a7' }, TEST_SECRET),
    });
    await using bound = await WireClient.open(relay, {
      token: await mintToken({ ...short, room: 'math' }, TEST_SECRET),
    });
    await using guest = await WireClient.open(relay, { token: await mintToken(short, TEST_SECRET) });
    assert.equal((await named.closed).code, 4003);
    assert.equal((await bound.closed).code, 4003);
    await guest.settle();
  });
});

describe('keys in settings', () => {
  const wrong: [string, () => string, RegExp][] = [
    ['a file that is not there', () => join(folder, 'none.pem'), /^PM_JWT_KEYS: cannot read .*ENOENT/],
    ['a file that is no key', () => file('no.pem', 'hello'), /is no public key or certificate \(PEM\)\.\n$/],
    [
      'a private key',
      () => file('private.pem', ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
      /holds a private key/,
    ],
    [
      'a short RSA key',
      () => file('short.pem', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)),
      /is none of RSA/,
    ],
    [
      'another curve',
      () => file('p384.pem', pem(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey)),
      /is none of RSA/,
    ],
  ];
  for (const [title, path, message] of wrong) {
    test(`${title} stops the start with one sentence`, async () => {
      const { code, stderr } = await runRelay(['--jwt-keys', path()]);
      assert.deepEqual([code, stderr.trim().split('\n').length], [2, 1]);
      assert.match(stderr, message);
    });
  }

  test('so does a place of published keys that is no URL', async () => {
    const { code, stderr } = await runRelay(['--jwks-url', 'file:///etc/passwd']);
    assert.equal(code, 2);
    assert.match(stderr, /^PM_JWKS_URL "file:\/\/\/etc\/passwd" is wrong: a URL such as/);
  });
});
