/** The one table of settings: it feeds `--help` and the guide, and checks what is given. */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';

interface Setting<T> {
  env: `PM_${string}`;
  /** What stands for the value in `--help`. */
  value: string;
  fallback: string;
  help: string;
  /** The value when the flag stands alone. */
  alone?: string;
  /** Never shown in a message. */
  secret?: true;
  /** @throws {Error} whose message completes "PM_X is wrong: ". */
  parse: (text: string) => T;
}

const setting = <T>(definition: Setting<T>): Setting<T> => definition;

const anyText = (text: string): string => text;

const name = (text: string): string => {
  if (text === '') throw new Error('it must not be empty');
  return text;
};

const integer = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new Error(`a whole number from ${min} to ${max}`);
  return value;
};

const seconds = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (text === '' || !(value >= min && value <= max))
    throw new Error(`a number of seconds from ${min} to ${max}`);
  return value;
};

const oneOf =
  <const T extends string>(...choices: T[]) =>
  (text: string): T => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new Error(`one of ${choices.join(', ')}`);
    return found;
  };

/** Commas and blanks separate. */
const list =
  (check: (item: string) => void) =>
  (text: string): string[] => {
    const items = text.split(/[\s,]+/).filter((item) => item !== '');
    items.forEach(check);
    return items;
  };

function checkOrigin(text: string): void {
  if (URL.canParse(text) && new URL(text).origin === text) return;
  throw new Error(`${JSON.stringify(text)} is no origin such as https://your.site`);
}

function checkIceUrl(text: string): void {
  if (/^(stun|turn)s?:[^\s/?]+(\?transport=(udp|tcp))?$/.test(text)) return;
  throw new Error(`${JSON.stringify(text)} is no stun: or turn: URL such as turn:turn.your.site:3478`);
}

function checkNetwork(text: string): void {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  if (
    family !== 0 &&
    more.length === 0 &&
    (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most))
  )
    return;
  throw new Error(`${JSON.stringify(text)} is no address or network such as 10.0.0.0/8`);
}

/** Secrets and file names: whoever uses them says what is wrong. */
const checkAnything = (): void => undefined;

function webUrl(text: string): string {
  if (text === '' || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol))) return text;
  throw new Error('a URL such as https://your.site/.well-known/jwks.json');
}

function redisUrl(text: string): string {
  if (text === '' || (URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol))) return text;
  throw new Error('a URL such as redis://redis:6379');
}

const originList = list(checkOrigin);

export const settings = {
  port: setting({
    env: 'PM_PORT',
    value: 'number',
    fallback: '8080',
    help: 'Port to listen on; 0 takes a free one.',
    parse: integer(0, 65_535),
  }),
  host: setting({
    env: 'PM_HOST',
    value: 'address',
    fallback: 'localhost',
    alone: '0.0.0.0',
    help: 'Address to listen on; 0.0.0.0 (or --host alone) for the whole network.',
    parse: name,
  }),
  https: setting({
    env: 'PM_HTTPS',
    value: 'auto|on|off',
    fallback: 'auto',
    alone: 'on',
    help: 'auto: on unless the host is this machine alone. Without PM_CERT a self-signed certificate is made. Off behind a proxy.',
    parse: oneOf('auto', 'on', 'off'),
  }),
  cert: setting({
    env: 'PM_CERT',
    value: 'file',
    fallback: '',
    help: 'Certificate chain, PEM. Goes with PM_KEY and turns HTTPS on.',
    parse: anyText,
  }),
  key: setting({ env: 'PM_KEY', value: 'file', fallback: '', help: 'Its private key, PEM.', parse: anyText }),
  appName: setting({
    env: 'PM_APP_NAME',
    value: 'name',
    fallback: 'private-meet',
    help: 'Issuer (iss) of the tokens, checked on every one.',
    parse: name,
  }),
  jwtSecret: setting({
    env: 'PM_JWT_SECRET',
    value: 'text',
    fallback: '',
    secret: true,
    help: 'Secret which signs the tokens (HS256), 32 bytes or more. Made up at the start when absent: tokens then end with the process.',
    parse: anyText,
  }),
  jwtOldSecrets: setting({
    env: 'PM_JWT_OLD_SECRETS',
    value: 'list',
    fallback: '',
    secret: true,
    help: 'Secrets whose tokens still count, for replacing PM_JWT_SECRET: the old one stays here until its tokens have expired.',
    parse: list(checkAnything),
  }),
  jwtKeys: setting({
    env: 'PM_JWT_KEYS',
    value: 'files',
    fallback: '',
    help: 'Public keys (PEM) of sites that mint tokens: RSA for RS256, P-256 for ES256, Ed25519 for EdDSA.',
    parse: list(checkAnything),
  }),
  jwksUrl: setting({
    env: 'PM_JWKS_URL',
    value: 'url',
    fallback: '',
    help: 'Where a site publishes such keys (JWKS). They are read again when a token names a new one.',
    parse: webUrl,
  }),
  jwtIssuer: setting({
    env: 'PM_JWT_ISSUER',
    value: 'name',
    fallback: '',
    help: 'Issuer (iss) of tokens signed with those keys; PM_APP_NAME when absent.',
    parse: anyText,
  }),
  jwtAudience: setting({
    env: 'PM_JWT_AUDIENCE',
    value: 'name',
    fallback: '',
    help: 'Audience (aud) which every token must name; absent: none is asked for.',
    parse: anyText,
  }),
  allowedOrigins: setting({
    env: 'PM_ALLOWED_ORIGINS',
    value: 'list',
    fallback: '*',
    help: 'Exact origins of the pages that may use this relay, its own included, or *.',
    parse: (text): '*' | string[] => (text === '*' ? '*' : originList(text)),
  }),
  guests: setting({
    env: 'PM_GUESTS',
    value: 'on|off',
    fallback: 'on',
    alone: 'on',
    help: 'Whether anybody may sign in by name alone. Off: only tokens minted elsewhere count.',
    parse: (text) => oneOf('on', 'off')(text) === 'on',
  }),
  roomPrefix: setting({
    env: 'PM_ROOM_PREFIX',
    value: 'text',
    fallback: '',
    help: 'Rooms are named <prefix>:<room> on the wire.',
    parse: anyText,
  }),
  e2eePrefix: setting({
    env: 'PM_E2EE_PREFIX',
    value: 'text',
    fallback: 'your_e2ee_wire_prefix',
    help: 'What encrypted chat messages begin with.',
    parse: name,
  }),
  fileChannelLabel: setting({
    env: 'PM_FILE_CHANNEL_LABEL',
    value: 'text',
    fallback: 'your_webrtc_file_channel_label',
    help: 'Label of the data channel for files towards original clients.',
    parse: name,
  }),
  turnUrls: setting({
    env: 'PM_TURN_URLS',
    value: 'list',
    fallback: '',
    help: 'STUN and TURN servers told to clients. None by default: no third party is contacted.',
    parse: list(checkIceUrl),
  }),
  turnSecret: setting({
    env: 'PM_TURN_SECRET',
    value: 'text',
    fallback: '',
    secret: true,
    help: 'static-auth-secret of the TURN servers, from which time-limited credentials are made.',
    parse: anyText,
  }),
  turnTtl: setting({
    env: 'PM_TURN_TTL',
    value: 'seconds',
    fallback: '3600',
    help: 'How long TURN credentials last; renewed after two thirds of it.',
    parse: seconds(1, 86_400),
  }),
  redisUrl: setting({
    env: 'PM_REDIS_URL',
    value: 'url',
    fallback: '',
    secret: true,
    help: 'A Redis (7 or later), such as redis://redis:6379, which makes all relays that name it one: rooms, limits and resuming span them.',
    parse: redisUrl,
  }),
  webhookUrl: setting({
    env: 'PM_WEBHOOK_URL',
    value: 'url',
    fallback: '',
    help: 'Where each join and leave is told, for registers of attendance: a signed POST, repeated until it is accepted.',
    parse: webUrl,
  }),
  webhookSecret: setting({
    env: 'PM_WEBHOOK_SECRET',
    value: 'text',
    fallback: '',
    secret: true,
    help: 'Secret which signs those (HMAC-SHA-256). Goes with PM_WEBHOOK_URL.',
    parse: anyText,
  }),
  presence: setting({
    env: 'PM_PRESENCE',
    value: 'on|off',
    fallback: 'off',
    alone: 'on',
    help: 'Whether GET /rooms/<room> tells who is in a room, to whoever has a token for it.',
    parse: (text) => oneOf('on', 'off')(text) === 'on',
  }),
  metrics: setting({
    env: 'PM_METRICS',
    value: 'on|off',
    fallback: 'off',
    alone: 'on',
    help: 'Whether GET /metrics tells figures for Prometheus, to this machine and PM_METRICS_FROM alone.',
    parse: (text) => oneOf('on', 'off')(text) === 'on',
  }),
  metricsFrom: setting({
    env: 'PM_METRICS_FROM',
    value: 'list',
    fallback: '',
    help: 'Addresses or networks which may read /metrics beside this machine.',
    parse: list(checkNetwork),
  }),
  trustedProxies: setting({
    env: 'PM_TRUSTED_PROXIES',
    value: 'list',
    fallback: '',
    help: 'Addresses or networks of proxies whose X-Forwarded-For is believed.',
    parse: list(checkNetwork),
  }),
  signInRate: setting({
    env: 'PM_SIGN_IN_RATE',
    value: 'number',
    fallback: '20',
    help: 'Sign-ins per second from one address, counted over 5 s, so that a class behind one address gets in at once; 0 for no limit.',
    parse: integer(0, 100_000),
  }),
  getRate: setting({
    env: 'PM_GET_RATE',
    value: 'number',
    fallback: '200',
    help: 'Other requests per second from one address, counted over 5 s; 0 for no limit.',
    parse: integer(0, 100_000),
  }),
  connectRate: setting({
    env: 'PM_CONNECT_RATE',
    value: 'number',
    fallback: '50',
    help: 'New sockets per second from one address, counted over 5 s; 0 for no limit.',
    parse: integer(0, 100_000),
  }),
  socketsPerAddress: setting({
    env: 'PM_SOCKETS_PER_ADDRESS',
    value: 'number',
    fallback: '1000',
    help: 'Open sockets from one address, or one IPv6 network of 64 bits: enough for a school behind one address; 0 for no limit.',
    parse: integer(0, 1_000_000),
  }),
  socketsPerAccount: setting({
    env: 'PM_SOCKETS_PER_ACCOUNT',
    value: 'number',
    fallback: '10',
    help: "Open sockets of one account (a token's account, else its sub); 0 for no limit.",
    parse: integer(0, 100_000),
  }),
  roomsPerSocket: setting({
    env: 'PM_ROOMS_PER_SOCKET',
    value: 'number',
    fallback: '10',
    help: 'Rooms in which one socket may be at a time.',
    parse: integer(1, 10_000),
  }),
  membersPerRoom: setting({
    env: 'PM_MEMBERS_PER_ROOM',
    value: 'number',
    fallback: '100',
    help: 'Members that a room holds at most.',
    parse: integer(2, 1_000),
  }),
  joinSeconds: setting({
    env: 'PM_JOIN_SECONDS',
    value: 'seconds',
    fallback: '3600',
    help: 'How long a socket may be open without ever joining a room.',
    parse: seconds(1, 86_400),
  }),
  heartbeatSeconds: setting({
    env: 'PM_HEARTBEAT_SECONDS',
    value: 'seconds',
    fallback: '3',
    help: 'Between two pings to each client; one silent for three of them is cut.',
    parse: seconds(0.05, 60),
  }),
  graceSeconds: setting({
    env: 'PM_GRACE_SECONDS',
    value: 'seconds',
    fallback: '30',
    help: 'How long the place of somebody whose connection broke is kept.',
    parse: seconds(0, 3_600),
  }),
  logLevel: setting({
    env: 'PM_LOG_LEVEL',
    value: 'level',
    fallback: 'info',
    help: 'fatal, error, warn, info, debug, trace or silent. The log goes to stderr, one JSON object per line.',
    parse: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  }),
};

export type SettingName = keyof typeof settings;
export type SettingValues = { [K in SettingName]: ReturnType<(typeof settings)[K]['parse']> };

/** A secret for one run of the process. */
export const makeSecret = (): string => randomBytes(32).toString('base64url');
