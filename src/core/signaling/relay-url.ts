/** Addresses of relays, and what else lives at their origin. */
import { PmError } from '../errors.ts';

const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'ws:',
  'https:': 'wss:',
  'ws:': 'ws:',
  'wss:': 'wss:',
};

/**
 * The socket URLs that a space-separated `relay` setting names.
 * @throws {PmError} `relay-missing` when it names none, `usage` when one is no URL of a web server
 */
export function relayUrls(setting: string, base: string): URL[] {
  const names = setting.split(/\s+/).filter(Boolean);
  if (names.length === 0) throw new PmError('relay-missing', 'No relay is set.');
  return names.map((name) => {
    const url = URL.canParse(name, base) ? new URL(name, base) : null;
    const scheme = url && SCHEMES[url.protocol];
    if (!scheme) throw new PmError('usage', `relay: "${name}" is not the address of a relay.`);
    url.protocol = scheme;
    url.hash = '';
    return url;
  });
}

/** The HTTP address of `path`, beside the socket of `relay`. */
export function besideRelay(relay: URL, path: string): URL {
  const url = new URL(path, relay);
  url.protocol = relay.protocol === 'wss:' ? 'https:' : 'http:';
  return url;
}
