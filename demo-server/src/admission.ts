import { isSession, type ConnectOptions } from './core/relay-core.ts';
import type { Claims } from './core/env.ts';
import { KeysUnavailableError, TokenError } from './auth.ts';

/** Who may open a socket, as what; or the HTTP status and text that say why not. */
export type Admission =
  | { status: 200; claims: Claims; connect: ConnectOptions }
  | { status: 400 | 401 | 403 | 503; text: string; detail: string };

export interface AdmissionRules {
  verify(token: string): Promise<Claims>;
  allowedOrigins: '*' | readonly string[];
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
  let claims: Claims;
  try {
    claims = await rules.verify(query.get('token') ?? '');
  } catch (error) {
    if (error instanceof TokenError) return { status: 401, text: 'Unauthorized', detail: error.message };
    // Clients ask again: they would give up over a token that does not count.
    if (error instanceof KeysUnavailableError)
      return { status: 503, text: 'Tokens cannot be checked', detail: error.message };
    throw error;
  }
  if (origin !== undefined && rules.allowedOrigins !== '*' && !rules.allowedOrigins.includes(origin)) {
    return { status: 403, text: 'Origin not allowed', detail: origin };
  }
  if (query.get('ext') !== '1') return { status: 200, claims, connect: { ext: false } };
  const session = query.get('session') ?? '';
  if (!isSession(session)) return { status: 400, text: 'Invalid session', detail: 'session' };
  return { status: 200, claims, connect: { ext: true, session } };
}
