/** The relay, put together: settings in, a listening server out. */
import { createHash, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { AdmissionRules, Door } from './admission.ts';
import { tokenVerifier } from './auth.ts';
import { Callers, callerOf } from './callers.ts';
import { ClusterRouter } from './cluster/router.ts';
import { ConfigError, isLoopback, type Config } from './config.ts';
import { ownerOf } from './core/connection.ts';
import type { Desk, Sockets } from './core/desk.ts';
import type { RelayEnv } from './core/env.ts';
import { RelayCore } from './core/relay-core.ts';
import { createHttp } from './http.ts';
import { lanAddresses, selfSigned } from './lan.ts';
import { Metrics } from './metrics.ts';
import { makeSecret } from './settings.ts';
import { acceptSockets } from './socket.ts';
import { iceServers } from './turn.ts';
import { Webhook } from './webhook.ts';

export interface Relay {
  /** Where this machine reaches it, without a slash at the end. */
  url: string;
  /** Where others on the network reach it; empty when it listens to this machine alone. */
  lanUrls: string[];
  /** Tells every client to come back, ends all sockets and stops listening, within about two seconds. */
  close(): Promise<void>;
}

function nodeEnv(
  config: Config,
  log: Logger,
  node: string,
  metrics: Metrics | null,
  webhook: Webhook | null,
): RelayEnv {
  const turn = { urls: config.turnUrls, secret: config.turnSecret, ttl: config.turnTtl };
  return {
    log,
    timers: {
      now: () => performance.now(),
      setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
      clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
    },
    node,
    sha256: (text) => createHash('sha256').update(text).digest(),
    randomUUID,
    iceServers: (userID) => iceServers(turn, userID, Date.now() / 1000),
    ...(metrics && { count: (what, label) => metrics.count(what, label) }),
    ...(webhook && { attended: (attendance) => webhook.tell(attendance) }),
  };
}

const WILDCARDS = new Set(['0.0.0.0', '::']);

function urlsOf(config: Config, port: number): Pick<Relay, 'url' | 'lanUrls'> {
  const at = (host: string) =>
    `${config.tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (isLoopback(config.host)) return { url: at(config.host), lanUrls: [] };
  if (!WILDCARDS.has(config.host)) return { url: at(config.host), lanUrls: [at(config.host)] };
  const addresses = lanAddresses().filter((address) => config.host === '::' || !address.includes(':'));
  return { url: at('localhost'), lanUrls: addresses.map(at) };
}

/** Why the system refused host and port, in words. */
const LISTEN_ERRORS: Record<string, (config: Config) => string> = {
  EADDRINUSE: ({ port }) => `PM_PORT ${port} is in use by another program.`,
  EACCES: ({ port }) => `PM_PORT ${port} needs rights that this process has not.`,
  EADDRNOTAVAIL: ({ host }) => `PM_HOST ${host} is no address of this machine.`,
  ENOTFOUND: ({ host }) => `PM_HOST ${host} is no known name.`,
};

/**
 * @throws {ConfigError} when host or port cannot be had
 */
export async function startRelay(config: Config, log: Logger): Promise<Relay> {
  if (config.jwtSecret === '') {
    log.warn('PM_JWT_SECRET is not set: made one up, so tokens end with this process');
  } else if (Buffer.byteLength(config.jwtSecret) < 32) {
    log.warn('PM_JWT_SECRET is shorter than 32 bytes: tokens signed with it can be guessed');
  }
  const secret = config.jwtSecret || makeSecret();
  const verify = tokenVerifier({
    secrets: [secret, ...config.jwtOldSecrets],
    issuer: config.appName,
    keys: config.jwtKeys,
    jwksUrl: config.jwksUrl,
    keyIssuer: config.jwtIssuer || config.appName,
    audience: config.jwtAudience,
  });
  const tls = config.tls === 'self-signed' ? await selfSigned() : config.tls;
  const node = randomUUID();
  const shared: { cluster?: ClusterRouter } = {};
  const makeCluster = (desk: Desk, sockets: Sockets) =>
    (shared.cluster = new ClusterRouter(config.redisUrl, node, desk, log, sockets));
  const metrics = config.metrics ? new Metrics() : null;
  const { webhookUrl, webhookSecret } = config;
  const webhook = webhookUrl === '' ? null : new Webhook({ url: webhookUrl, secret: webhookSecret, log });
  const core = new RelayCore(
    nodeEnv(config, log, node, metrics, webhook),
    {
      heartbeatSeconds: config.heartbeatSeconds,
      graceSeconds: config.graceSeconds,
      joinSeconds: config.joinSeconds,
      socketsPerAccount: config.socketsPerAccount,
      roomsPerSocket: config.roomsPerSocket,
      membersPerRoom: config.membersPerRoom,
      iceRenewSeconds: config.turnSecret === '' ? 0 : (config.turnTtl * 2) / 3,
      prefixes: { room: config.roomPrefix, e2ee: config.e2eePrefix, file: config.fileChannelLabel },
    },
    config.redisUrl === '' ? undefined : makeCluster,
  );
  const { cluster } = shared;
  cluster?.start();
  metrics?.watch(core);
  let draining = false;
  const callers = new Callers(config.socketsPerAddress, config.connectRate, () => performance.now());
  const rules: AdmissionRules = {
    verify,
    allowedOrigins: config.allowedOrigins,
    hasPlace: async (claims, connect) =>
      core.hasPlace(claims, connect, (await cluster?.heldElsewhere(ownerOf(claims))) ?? 0),
  };
  const door: Door = {
    rules,
    callers,
    callerOf: callerOf(config.trustedProxies),
    isReady: () => !draining && (cluster?.bus.ready ?? true),
  };
  const http = await createHttp({ config, log, core, door, metrics, cluster: cluster ?? null, secret, tls });
  const sockets = acceptSockets(http.server, { core, door, log, metrics });
  try {
    await http.listen({ host: config.host, port: config.port });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const explain = LISTEN_ERRORS[code];
    throw explain ? new ConfigError(explain(config)) : error;
  }
  const { port } = http.server.address() as AddressInfo;
  log.info({ host: config.host, port, tls: tls !== null }, 'listening');
  return {
    ...urlsOf(config, port),
    async close() {
      draining = true;
      await cluster?.leave();
      await sockets.close();
      await Promise.all([http.close(), webhook?.close(), cluster?.stop()]);
    },
  };
}
