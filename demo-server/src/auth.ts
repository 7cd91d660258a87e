/** Tokens: minted at sign-in, checked before anything else on a socket. No token, whole or in part, is ever logged. */
import { createSecretKey, randomUUID, type KeyObject } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { codePoints, LIMITS } from '../../src/core/protocol/limits.ts';
import type { Role } from '../../src/core/protocol/schema.ts';
import { list, number, optional, text, where, type Shape } from '../../src/core/protocol/shape.ts';
import type { Claims } from './core/env.ts';

/** Seconds that a sign-in lasts. */
const LIFETIME = 3_600;
/** Seconds by which a minting site's clock may be ahead of ours. */
const AHEAD = 60;

const roomName = where(text, (name) => name.trim() !== '' && codePoints(name) <= LIMITS.roomLength);
const rooms = list(roomName, 64);

/** Every claim that counts beside `iss` and `exp`, which are checked with the signature. */
const CLAIMS = {
  sub: where(text, (sub) => /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(sub)),
  iat: where(number, (iat) => iat <= Date.now() / 1000 + AHEAD),
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

export interface MintClaims {
  username: string;
  /** Lowercase UUIDv4; made up when absent. */
  sub?: string;
  /** `PM_APP_NAME` of the relay. */
  iss?: string;
  /** Bare names of the only rooms that it opens. */
  room?: string | string[];
  role?: 'host' | 'guest';
  account?: string;
  /** Seconds from now until it expires; an hour when absent. */
  expiresIn?: number;
}

/** A token that the relay with this secret accepts. */
export async function mintToken(claims: MintClaims, secret: string): Promise<string> {
  const { sub = randomUUID(), iss = 'private-meet', expiresIn = LIFETIME, ...rest } = claims;
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT(rest)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(iss)
    .setSubject(sub)
    .setIssuedAt(now)
    .setExpirationTime(now + expiresIn)
    .sign(keyOf(secret));
}

/** Bytes of the secret's UTF-8, as the original and every JWT library take them. */
function keyOf(secret: string): KeyObject {
  return createSecretKey(Buffer.from(secret, 'utf8'));
}

/**
 * A function which checks tokens against one secret and issuer, with the algorithm pinned.
 * It rejects with a `TokenError`, whatever is wrong.
 */
export function tokenVerifier(secret: string, issuer: string): (token: string) => Promise<Claims> {
  const key = keyOf(secret);
  const options = { algorithms: ['HS256'], issuer, requiredClaims: ['sub', 'exp', 'iat', 'username'] };
  return async (token) => {
    let claims: Record<string, unknown>;
    try {
      claims = (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new TokenError(error.code);
      throw error;
    }
    for (const [name, shape] of Object.entries(CLAIMS)) {
      if (!shape(claims[name])) throw new TokenError(`claim ${name}`);
    }
    const { sub, username, room, role = 'guest', account } = claims as Checked;
    return {
      sub,
      role,
      username: username.trim(),
      ...(room !== undefined && { rooms: typeof room === 'string' ? [room] : room }),
      ...(account !== undefined && { account }),
    };
  };
}
