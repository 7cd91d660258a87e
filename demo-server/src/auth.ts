/** Tokens, checked before anything else on a socket. No token, whole or in part, is ever logged. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose';
import { codePoints, LIMITS } from '../../src/core/protocol/limits.ts';
import type { Role } from '../../src/core/protocol/schema.ts';
import { list, number, optional, text, where, type Shape } from '../../src/core/protocol/shape.ts';
import type { Claims } from './core/env.ts';

/** Seconds by which a minting site's clock may be ahead of ours. */
const AHEAD = 60;

const roomName = where(text, (name) => name.trim() !== '' && codePoints(name) <= LIMITS.roomLength);
const rooms = list(roomName, 64);

/** Every claim that counts beside `iss` and `aud`, which are checked with the signature. */
const CLAIMS = {
  sub: where(text, (sub) => /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(sub)),
  iat: where(number, (iat) => iat <= Date.now() / 1000 + AHEAD),
  exp: number,
  username: where(text, (name) => name.trim() !== '' && codePoints(name.trim()) <= LIMITS.nameLength),
  room: optional((value): value is string | string[] => roomName(value) || rooms(value)),
  role: optional((value): value is Role => value === 'host' || value === 'guest'),
  account: optional(where(text, ({ length }) => length > 0 && length <= 128)),
} satisfies Record<string, Shape<unknown>>;

type Checked = { [K in keyof typeof CLAIMS]: (typeof CLAIMS)[K] extends Shape<infer T> ? T : never };

/** A token that does not count. The message says why, without a word of what it contains. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

/** The keys of `PM_JWKS_URL` cannot be had at the moment: nobody can say whether the token counts. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
}

/** Bytes of the secret's UTF-8, as the original and every JWT library take them. */
function keyOf(secret: string): KeyObject {
  return createSecretKey(Buffer.from(secret, 'utf8'));
}

/** What tokens are checked against. */
export interface TokenRules {
  /** HS256. The first one signs, all of them count: so a secret is replaced without anybody's call ending. */
  secrets: readonly string[];
  /** `iss` of those. */
  issuer: string;
  /** Public keys of other issuers, each for its own kind of signature. */
  keys: readonly KeyObject[];
  /** Where more of those are published (RFC 7517), or an empty text. */
  jwksUrl: string;
  /** `iss` of tokens signed with them. */
  keyIssuer: string;
  /** `aud` which every token must name; an empty text for any or none. */
  audience: string;
}

type Verify = (token: string) => Promise<JWTPayload>;

/** Milliseconds for which published keys are believed, and between two looks at them for a key that is not there. */
const JWKS_AGE = 600_000;
const JWKS_PAUSE = 30_000;

/** The first that knows the signature. Every one is for one algorithm, so that no key can stand in for another. */
function first(tries: readonly Verify[]): Verify {
  return async (token) => {
    let unknown: Error = new TokenError('alg');
    for (const verify of tries) {
      try {
        return await verify(token);
      } catch (error) {
        const elsewhere =
          error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey;
        if (!elsewhere) throw error;
        unknown = error;
      }
    }
    throw unknown;
  };
}

const withKey =
  (key: KeyObject, options: JWTVerifyOptions): Verify =>
  async (token) =>
    (await jwtVerify(token, key, options)).payload;

/** The key which an issuer publishes for a token. */
function publishedKeys(url: string): JWTVerifyGetKey {
  const published = createRemoteJWKSet(new URL(url), {
    timeoutDuration: 5_000,
    cooldownDuration: JWKS_PAUSE,
    cacheMaxAge: JWKS_AGE,
  });
  return async (header, token) => {
    try {
      return await published(header, token);
    } catch (error) {
      // The key is not among them, or more than one might be it: that is the token's fault.
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
        throw error;
      throw new KeysUnavailableError(error instanceof Error ? error.message : String(error));
    }
  };
}

/** The only algorithms of a kind of key, or none when tokens are not signed with such a key here. */
export function algorithmsOf(key: KeyObject): string[] {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  if (kind === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return ['RS256'];
  if (kind === 'ec' && details?.namedCurve === 'prime256v1') return ['ES256'];
  return kind === 'ed25519' ? ['EdDSA', 'Ed25519'] : [];
}

/** How to check a token, by the algorithm that its header claims: a key is never tried with another than its own. */
function verifiers({ secrets, issuer, keys, jwksUrl, keyIssuer, audience }: TokenRules): Map<string, Verify> {
  const options = (algorithm: string, iss: string): JWTVerifyOptions => ({
    algorithms: [algorithm],
    issuer: iss,
    requiredClaims: ['sub', 'exp', 'iat', 'username'],
    ...(audience !== '' && { audience }),
  });
  const published = jwksUrl === '' ? null : publishedKeys(jwksUrl);
  const own = options('HS256', issuer);
  const found = new Map([['HS256', first(secrets.map((secret) => withKey(keyOf(secret), own)))]]);
  for (const algorithm of ['RS256', 'ES256', 'EdDSA', 'Ed25519']) {
    const theirs = options(algorithm, keyIssuer);
    const tries = keys
      .filter((key) => algorithmsOf(key).includes(algorithm))
      .map((key) => withKey(key, theirs));
    if (published) tries.push(async (token) => (await jwtVerify(token, published, theirs)).payload);
    found.set(algorithm, first(tries));
  }
  return found;
}

function algorithmIn(token: string): string {
  try {
    return decodeProtectedHeader(token).alg ?? '';
  } catch {
    throw new TokenError('malformed');
  }
}

/**
 * A function which checks tokens. It rejects with a `TokenError` whatever is wrong with one, and with a
 * `KeysUnavailableError` when the keys of another issuer cannot be had.
 */
export function tokenVerifier(rules: TokenRules): (token: string) => Promise<Claims> {
  const known = verifiers(rules);
  return async (token) => {
    let claims: Record<string, unknown>;
    try {
      const verify = known.get(algorithmIn(token));
      if (!verify) throw new TokenError('alg');
      claims = await verify(token);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new TokenError(error.code);
      throw error;
    }
    for (const [name, shape] of Object.entries(CLAIMS)) {
      if (!shape(claims[name])) throw new TokenError(`claim ${name}`);
    }
    const { sub, username, exp, room, role = 'guest', account } = claims as Checked;
    return {
      sub,
      role,
      username: username.trim(),
      validMs: exp * 1000 - Date.now(),
      ...(room !== undefined && { rooms: typeof room === 'string' ? [room] : room }),
      ...(account !== undefined && { account }),
    };
  };
}
