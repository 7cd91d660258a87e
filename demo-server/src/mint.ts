/**
 * Tokens for a page's server to hand out: `import { mintToken } from 'private-meet-relay/token'`. Whoever writes PHP or
 * Python finds the same in the guide.
 */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';

/** Seconds that a token lasts unless said otherwise. */
const LIFETIME = 3_600;

export interface MintClaims {
  username: string;
  /** Lowercase UUIDv4; made up when absent. */
  sub?: string;
  /** `PM_APP_NAME` of the relay. */
  iss?: string;
  /** `PM_JWT_AUDIENCE` of the relay, where that is set. */
  aud?: string;
  /** Bare names of the only rooms that it opens. */
  room?: string | string[];
  /** What a host may do: admit, refuse, lock, remove, end. */
  role?: 'host' | 'guest';
  /** The site's own id of this person: the name in the token then stands. */
  account?: string;
  /** Seconds from now until it expires; an hour when absent. */
  expiresIn?: number;
}

/**
 * A token (RFC 7519, HS256) that the relay with this secret accepts.
 *
 * @param secret `PM_JWT_SECRET` of the relay
 */
export async function mintToken(claims: MintClaims, secret: string): Promise<string> {
  const { sub = randomUUID(), iss = 'private-meet', expiresIn = LIFETIME, ...rest } = claims;
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT(rest)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(iss)
    .setSubject(sub)
    .setIssuedAt(now)
    .setExpirationTime(now + expiresIn)
    .sign(new TextEncoder().encode(secret));
}
