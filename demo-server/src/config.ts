/** The settings: read from flags and `PM_*` variables (flags win), checked at the start by one table. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { algorithmsOf } from './auth.ts';
import { settings, type SettingName, type SettingValues } from './settings.ts';

/** A setting that cannot work. The message is one sentence naming it, to be shown as it is. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface Config extends Omit<SettingValues, 'cert' | 'key' | 'https' | 'jwtKeys'> {
  /** Public keys that tokens may be signed with. */
  jwtKeys: KeyObject[];
  /** A certificate with its key (PEM), one to be made at the start, or plain HTTP. */
  tls: { cert: string; key: string } | 'self-signed' | null;
}

const names = Object.keys(settings) as SettingName[];

const flagOf = (name: SettingName): string =>
  `--${settings[name].env.slice('PM_'.length).toLowerCase().replaceAll('_', '-')}`;

/** Flags as a map from setting to text. `--name value`, `--name=value`, or `--name` where the setting allows it. */
function readFlags(argv: readonly string[]): Map<SettingName, string> {
  const given = new Map<SettingName, string>();
  for (let index = 0; index < argv.length; index += 1) {
    const [flag = '', ...rest] = argv[index]!.split('=');
    const name = names.find((candidate) => flagOf(candidate) === flag);
    if (!name) throw new ConfigError(`Unknown option ${flag}: --help lists them all.`);
    const setting: { alone?: string } = settings[name];
    const next = argv[index + 1];
    if (rest.length > 0) given.set(name, rest.join('='));
    else if (next !== undefined && !next.startsWith('--')) {
      given.set(name, next);
      index += 1;
    } else if (setting.alone !== undefined) given.set(name, setting.alone);
    else throw new ConfigError(`${flag} needs a value.`);
  }
  return given;
}

function readPem(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${variable}: cannot read ${path} (${(error as NodeJS.ErrnoException).code}).`);
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function tlsOf({ cert, key, https, host }: SettingValues): Config['tls'] {
  if ((cert === '') !== (key === '')) {
    const missing = cert === '' ? 'PM_CERT' : 'PM_KEY';
    throw new ConfigError(`${missing} is missing: a certificate and its key go together.`);
  }
  if (cert !== '') {
    if (https === 'off') throw new ConfigError('PM_HTTPS is off, but PM_CERT and PM_KEY are given.');
    const pair = { cert: readPem('PM_CERT', cert), key: readPem('PM_KEY', key) };
    try {
      createSecureContext(pair);
    } catch (error) {
      throw new ConfigError(`PM_CERT and PM_KEY are no usable pair: ${(error as Error).message}.`);
    }
    return pair;
  }
  return https === 'on' || (https === 'auto' && !isLoopback(host)) ? 'self-signed' : null;
}

function publicKeyIn(path: string): KeyObject {
  const pem = readPem('PM_JWT_KEYS', path);
  if (pem.includes('PRIVATE KEY')) {
    throw new ConfigError(
      `PM_JWT_KEYS: ${path} holds a private key, which belongs to whoever mints the tokens.`,
    );
  }
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw new ConfigError(`PM_JWT_KEYS: ${path} is no public key or certificate (PEM).`);
  }
  if (algorithmsOf(key).length > 0) return key;
  throw new ConfigError(`PM_JWT_KEYS: ${path} is none of RSA (2048 bits or more), P-256 and Ed25519.`);
}

/**
 * @param argv the arguments after the command
 * @throws {ConfigError}
 */
export function readConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Config {
  const flags = readFlags(argv);
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of names) {
    const { env: variable, fallback, parse } = settings[name];
    // An empty variable is what compose files and unit files leave behind for "not set".
    const text = flags.get(name) ?? (env[variable] || fallback);
    try {
      values[name] = parse(text.trim());
    } catch (error) {
      const shown = settings[name].secret ? '' : ` ${JSON.stringify(text)}`;
      throw new ConfigError(`${variable}${shown} is wrong: ${(error as Error).message}.`);
    }
  }
  const config = values as SettingValues;
  if (config.turnSecret === '' && config.turnUrls.some((url) => url.startsWith('turn'))) {
    throw new ConfigError('PM_TURN_SECRET is missing: the servers in PM_TURN_URLS need credentials.');
  }
  if (config.redisUrl !== '' && config.jwtSecret === '') {
    throw new ConfigError('PM_JWT_SECRET is missing: all relays of one PM_REDIS_URL need the same.');
  }
  if ((config.webhookUrl === '') !== (config.webhookSecret === '')) {
    const missing = config.webhookUrl === '' ? 'PM_WEBHOOK_URL' : 'PM_WEBHOOK_SECRET';
    throw new ConfigError(`${missing} is missing: the address of attendance and its secret go together.`);
  }
  const { cert: _cert, key: _key, https: _https, ...rest } = config;
  return { ...rest, tls: tlsOf(config), jwtKeys: config.jwtKeys.map(publicKeyIn) };
}

/** The same as a table for the guide (Markdown). */
export function settingsTable(): string {
  const rows = names.map((name) => {
    const { env, fallback, help: text } = settings[name];
    return `| \`${env}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${text.replaceAll('|', '\\|').replaceAll('<', '&lt;')} |`;
  });
  return ['| setting | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** Every setting with its flag, its default and what it does. */
export function help(): string {
  const lines = names.map((name) => {
    const { env, value, fallback, help: text } = settings[name];
    const preset = fallback === '' ? '' : ` [${fallback}]`;
    return `  ${flagOf(name)} <${value}>, ${env}${preset}\n      ${text}\n`;
  });
  return `private-meet-relay: the relay of Private Meet Elements

Usage: private-meet-relay [options]

Each setting is a flag or an environment variable; the flag wins. Defaults in brackets.

${lines.join('')}
  --help
      This text.
`;
}
