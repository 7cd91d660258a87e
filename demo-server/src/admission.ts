import type { IncomingMessage } from 'node:http';
import { isSession, type ConnectOptions } from './core/relay-core.ts';
import type { Callers } from './callers.ts';
import type { Claims } from './core/env.ts';
import { KeysUnavailableError, TokenError } from './auth.ts';

/** Who may open a socket, as what; or the HTTP status and text that say why not. */
export type Admission =
  | { status: 200; claims: Claims; connect: ConnectOptions }
  | { status: 400 | 401 | 403 | 429 | 503; text: string; detail: string };

export interface AdmissionRules {
  verify(token: string): Promise<Claims>;
  allowedOrigins: '*' | readonly string[];
  /** Whether whoever the token names may have one more socket. */
  hasPlace(claims: Claims, connect: ConnectOptions): Promise<boolean>;
}

/** What stands before every socket. */
export interface Door {
  rules: AdmissionRules;
  callers: Callers;
  callerOf: (request: IncomingMessage) => string;
  /** Whether new people are welcome: not at a relay that stops, or that cannot reach the others. */
  isReady: () => boolean;
}

/** The answer of a relay that stops. */
export const DRAINING = { status: 503, text: 'Not now' } as const;
/** The answer to an address that has as many sockets as it may, or opens them too fast. */
export const TOO_MANY = { status: 429, text: 'Too many connections' } as const;

type Refused = Exclude<Admission, { status: 200 }>;

/** What a token says, or the answer to one that does not count. */
export async function claimsOf(rules: AdmissionRules, token: string): Promise<Claims | Refused> {
  try {
    return await rules.verify(token);
  } catch (error) {
    if (error instanceof TokenError) return { status: 401, text: 'Unauthorized', detail: error.message };
    // Clients ask again: they would give up over a token that does not count.
    if (error instanceof KeysUnavailableError)
      return { status: 503, text: 'Tokens cannot be checked', detail: error.message };
    throw error;
  }
}

/**
 * The checks before a socket: token first, then origin, then what the client asks for.
 *
 * @param origin the request's `Origin`; absent for programs, which could claim any
 */
export async function admit(
  rules: AdmissionRules,
  query: URLSearchParams,
  origin?: string,
): Promise<Admission> {
  const claims = await claimsOf(rules, query.get('token') ?? '');
  if ('status' in claims) return claims;
  if (origin !== undefined && rules.allowedOrigins !== '*' && !rules.allowedOrigins.includes(origin)) {
    return { status: 403, text: 'Origin not allowed', detail: origin };
  }
  const ext = query.get('ext') === '1';
  const session = query.get('session') ?? '';
  if (ext && !isSession(session)) return { status: 400, text: 'Invalid session', detail: 'session' };
  const connect = ext ? { ext, session } : { ext };
  if (!(await rules.hasPlace(claims, connect))) return { ...TOO_MANY, detail: 'account' };
  return { status: 200, claims, connect };
}
