/** Where the token of each connection attempt comes from: the page, or a guest sign-in at the relay's origin. */
import { isPmError, PmError, toPmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { besideRelay } from './relay-url.ts';

export interface TokenOptions {
  readonly token: string | null;
  readonly getToken: (() => Promise<string>) | null;
  readonly displayName: string;
}

export class TokenSource {
  readonly #platform: Platform;
  readonly #options: () => TokenOptions;

  /** The guest's token, kept while it is good: on a plain server it is the identity. */
  #guest: { token: string; name: string; origin: string } | null = null;

  constructor(platform: Platform, options: () => TokenOptions) {
    this.#platform = platform;
    this.#options = options;
  }

  /** The name inside the guest's token, or null when there is none. */
  get guestName(): string | null {
    return this.#guest?.name ?? null;
  }

  /** @throws {PmError} `token-invalid`, `relay-unreachable`, `relay-refused`, `rate-limited` or `usage` */
  async get(relay: URL): Promise<string> {
    const { token, getToken } = this.#options();
    if (getToken) {
      const given: unknown = await getToken().catch((error: unknown) => {
        throw isPmError(error) ? error : new PmError('token-invalid', 'getToken() failed.', error);
      });
      if (typeof given === 'string' && given) return given;
      throw new PmError('token-invalid', 'getToken() must resolve to a token.');
    }
    if (token) return token;
    if (this.#guest?.origin !== relay.origin) this.#guest = await this.#signIn(relay);
    return this.#guest.token;
  }

  /** The relay refused the last token. @returns whether another one may be had */
  refused(): boolean {
    const { token, getToken } = this.#options();
    this.#guest = null;
    return getToken !== null || !token;
  }

  async #signIn(relay: URL): Promise<{ token: string; name: string; origin: string }> {
    const name = this.#options().displayName.trim();
    // Sent as text/plain, which servers of this protocol accept, so that no CORS preflight costs a round trip.
    const response = await this.#platform
      .fetch(besideRelay(relay, 'auth/sign-in').href, {
        method: 'POST',
        body: JSON.stringify({ username: name }),
      })
      .catch((error: unknown) => {
        throw toPmError(error, 'relay-unreachable');
      });
    if (!response.ok) {
      const text = (await response.text()).slice(0, 200);
      const code =
        response.status === 429 ? 'rate-limited' : response.status === 400 ? 'usage' : 'relay-refused';
      // A 5xx comes from a relay, or a proxy before it, that may be back in a moment.
      throw new PmError(
        response.status >= 500 ? 'relay-unreachable' : code,
        `Sign-in: ${response.status} ${text}`,
      );
    }
    const body = (await response.json().catch(() => null)) as { accessToken?: unknown } | null;
    if (typeof body?.accessToken !== 'string')
      throw new PmError('protocol', 'Sign-in answered without a token.');
    return { token: body.accessToken, name, origin: relay.origin };
  }
}

/** The subject that a JWT names, unverified: the relay checks it, we only want to know who we are. */
export function tokenSubject(token: string): string | null {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { sub } = JSON.parse(atob(payload)) as { sub?: unknown };
    return typeof sub === 'string' ? sub : null;
  } catch {
    // An opaque token says nothing to us; only plain servers would need it to.
    return null;
  }
}

/**
 * Why a socket could not be opened. Browsers hide the status of a failed WebSocket, so the same address is asked by
 * plain HTTP: a relay answers 401 or 403 there, and 426 when a socket would be welcome.
 */
export async function diagnose(platform: Platform, url: URL): Promise<PmError> {
  const address = besideRelay(url, url.href);
  let status: number;
  try {
    status = (await platform.fetch(address.href, { cache: 'no-store' })).status;
  } catch {
    // A relay that lets this origin read nothing still lets it learn that somebody answers.
    return platform.fetch(besideRelay(url, 'health').href, { mode: 'no-cors', cache: 'no-store' }).then(
      () => new PmError('relay-refused', 'The relay answers but does not admit this page.'),
      (error: unknown) => new PmError('relay-unreachable', 'The relay does not answer.', error),
    );
  }
  if (status === 401) return new PmError('token-invalid', 'The relay refused the token.');
  if (status === 403) return new PmError('relay-refused', 'The relay does not admit this page.');
  return new PmError('relay-unreachable', `The relay's socket could not be opened (${status}).`);
}
