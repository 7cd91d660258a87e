/** Where the token of each connection attempt comes from: the page, or a guest sign-in at the relay's origin. */
import { isPmError, PmError, toPmError, type PmErrorCode } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { besideRelay } from './relay-url.ts';

export interface TokenOptions {
  readonly token: string | null;
  readonly getToken: (() => Promise<string>) | null;
  readonly displayName: string;
}

/** What a refused sign-in means. A 5xx comes from a relay, or a proxy before it, that may be back in a moment. */
const SIGN_IN_CODES: Readonly<Record<number, PmErrorCode>> = { 400: 'usage', 429: 'rate-limited' };

/** How long the page may take to have a token, in milliseconds. */
const TOKEN_WAIT = 15_000;

export class TokenSource {
  readonly #platform: Platform;
  readonly #options: () => TokenOptions;

  /** The guest's token, kept while it is good. */
  #guest: { token: string; name: string; origin: string } | null = null;

  constructor(platform: Platform, options: () => TokenOptions) {
    this.#platform = platform;
    this.#options = options;
  }

  /** @throws {PmError} `token-invalid`, `relay-unreachable`, `relay-refused`, `rate-limited` or `usage` */
  async get(relay: URL): Promise<string> {
    const { token, getToken, displayName: name } = this.#options();
    if (getToken) {
      try {
        const given: unknown = await this.#inTime(getToken());
        if (typeof given === 'string' && given) return given;
      } catch (error) {
        throw toPmError(error, 'token-invalid');
      }
      throw new PmError('token-invalid', 'getToken() must resolve to a token.');
    }
    if (token) return token;
    if (this.#guest?.origin !== relay.origin || this.#guest.name !== name) {
      this.#guest = await this.#signIn(relay, name);
    }
    return this.#guest.token;
  }

  /** A page's own server may never answer, and nothing is said while it is waited for. */
  async #inTime<T>(asked: Promise<T>): Promise<T> {
    let stop = () => {};
    const late = new Promise<never>((_resolve, reject) => {
      stop = this.#platform.after(TOKEN_WAIT, () =>
        reject(new PmError('token-invalid', 'getToken() does not answer.')),
      );
    });
    return Promise.race([asked, late]).finally(stop);
  }

  /** Whether this page can make requests to the relay: it has. */
  get signedIn(): boolean {
    return this.#guest !== null;
  }

  /** Whether a guest's token carries another name than the person has by now. */
  get outdated(): boolean {
    const { token, getToken, displayName } = this.#options();
    return !token && !getToken && this.#guest?.name !== displayName;
  }

  /** The last token is of no use any more. @returns whether another one may be had */
  forget(): boolean {
    const { token, getToken } = this.#options();
    this.#guest = null;
    return getToken !== null || !token;
  }

  async #signIn(relay: URL, name: string): Promise<{ token: string; name: string; origin: string }> {
    // Sent as text/plain, which servers of this protocol accept, so that no CORS preflight costs a round trip.
    const request = { method: 'POST', body: JSON.stringify({ username: name }) };
    const ask = (again: number): Promise<Response> =>
      this.#platform.fetch(besideRelay(relay, 'auth/sign-in').href, request).catch(async (error: unknown) => {
        // Whether nobody answers, or this page may not read the answer, only a request without reading can tell.
        if (!(await knock(this.#platform, relay))) throw toPmError(error, 'relay-unreachable');
        // A network that came back in between looks just the same: it does not three times.
        if (again) return ask(again - 1);
        throw new PmError('relay-refused', 'The relay does not admit this page.', error);
      });
    const response = await ask(2);
    const { status } = response;
    if (status !== 200) {
      const code = SIGN_IN_CODES[status] ?? (status < 500 ? 'relay-refused' : 'relay-unreachable');
      throw new PmError(code, `Sign-in: ${status} ${(await response.text()).slice(0, 200)}`);
    }
    const { accessToken } = (await response.json().catch(() => ({}))) as { accessToken?: unknown };
    if (typeof accessToken === 'string') return { token: accessToken, name, origin: relay.origin };
    throw new PmError('protocol', 'Sign-in answered without a token.');
  }
}

/** Whether anybody answers at a relay's address. What is asked shows in no page's console, unlike what refuses. */
export const knock = (platform: Platform, relay: URL): Promise<boolean> =>
  platform.fetch(besideRelay(relay, 'health').href, { mode: 'no-cors' }).then(
    () => true,
    () => false,
  );

/**
 * Why a socket could not be opened. Browsers hide the status of a failed WebSocket, so the same address is asked by
 * plain HTTP: a relay answers 401 or 403 there, and 426 when a socket would be welcome.
 */
export async function diagnose(platform: Platform, url: URL): Promise<PmError> {
  const address = besideRelay(url, url.href);
  const response = await platform
    .fetch(address.href, { cache: 'no-store' })
    .catch((error: unknown) => toPmError(error, 'relay-unreachable'));
  if (isPmError(response)) return response;
  const { status } = response;
  if (status === 401) return new PmError('token-invalid', 'The relay refused the token.');
  if (status === 403) return new PmError('relay-refused', 'The relay does not admit this page.');
  return new PmError('relay-unreachable', `The relay's socket could not be opened (${status}).`);
}
