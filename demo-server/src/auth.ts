/** Tokens: minted at sign-in, checked before anything else on a socket. No token, whole or in part, is ever logged. */
import { createSecretKey, randomUUID, type KeyObject } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import * as v from 'valibot';
import { codePoints, LIMITS } from '../../src/core/protocol/limits.ts';
import type { Claims } from './core/env.ts';

/** Seconds that a sign-in lasts. */
const LIFETIME = 3_600;
/** Seconds by which a minting site's clock may be ahead of ours. */
const AHEAD = 60;

const roomName = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(LIMITS.roomLength));

const payload = v.object({
  sub: v.pipe(v.string(), v.regex(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)),
  iat: v.number(),
  username: v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1),
    v.check((name) => codePoints(name) <= LIMITS.nameLength),
  ),
  room: v.optional(
    v.union([
      v.pipe(
        roomName,
        v.transform((name) => [name]),
      ),
      v.pipe(v.array(roomName), v.maxLength(64)),
    ]),
  ),
  role: v.optional(v.picklist(['host', 'guest']), 'guest'),
  account: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(128))),
});

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
    let claims: unknown;
    try {
      claims = (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) throw new TokenError(error.code);
      throw error;
    }
    const result = v.safeParse(payload, claims);
    if (!result.success) throw new TokenError(`claim ${v.getDotPath(result.issues[0]) ?? ''}`);
    const { sub, iat, username, room, role, account } = result.output;
    if (iat > Date.now() / 1000 + AHEAD) throw new TokenError('claim iat');
    return { sub, username, role, ...(room && { rooms: room }), ...(account !== undefined && { account }) };
  };
}
