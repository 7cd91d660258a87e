/** Everything over plain HTTP: sign-in, health, the module, the demo page, and why a socket was refused. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import proxyAddr from '@fastify/proxy-addr';
import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import files from '@fastify/static';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { codePoints, LIMITS } from '../../src/core/protocol/limits.ts';
import { admit, claimsOf, DRAINING, TOO_MANY, type Door } from './admission.ts';
import { WINDOW } from './callers.ts';
import { wireRoom } from './core/room.ts';
import { mintToken } from './mint.ts';
import type { ClusterRouter } from './cluster/router.ts';
import { sharedRates } from './cluster/shared.ts';
import { isLoopback, type Config } from './config.ts';
import type { RelayCore } from './core/relay-core.ts';
import type { Metrics } from './metrics.ts';

/** One level above both `src` and `dist`, so that sources and bundle find the same folders. */
const packageFolder = new URL('..', import.meta.url);
const publicFolder = fileURLToPath(new URL('public/', packageFolder));
const examplesFolder = fileURLToPath(new URL('examples/', packageFolder));
const moduleFolder = fileURLToPath(new URL('../dist/', packageFolder));

/** What a page of ours may load: itself alone. Sockets are spelled out for browsers whose 'self' leaves them out. */
const contentPolicy = {
  'default-src': ["'self'"],
  'connect-src': ["'self'", 'ws:', 'wss:'],
  'img-src': ["'self'", 'data:', 'blob:'],
  'media-src': ["'self'", 'blob:', 'mediastream:'],
  'script-src': ["'self'"],
  'script-src-attr': ["'none'"],
  'style-src': ["'self'"],
  'object-src': ["'none'"],
  'base-uri': ["'self'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'self'"],
};

export interface HttpDeps {
  config: Config;
  log: Logger;
  core: RelayCore;
  door: Door;
  /** Null where nobody looks at figures. */
  metrics: Metrics | null;
  /** Null for a relay of its own. */
  cluster: ClusterRouter | null;
  secret: string;
  /** PEM pair, or null for plain HTTP. */
  tls: { cert: string; key: string } | null;
}

const plain = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).type('text/plain; charset=utf-8').send(text);

/** The name of a sign-in, or null for a body that is none. */
function usernameOf(body: unknown): string | null {
  if (typeof body !== 'string' || body.trim() === '') return 'Guest';
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  if (value === null) return 'Guest';
  if (typeof value !== 'object' || Array.isArray(value)) return null;
  const name = (value as { username?: unknown }).username ?? '';
  return typeof name === 'string' ? name.trim() || 'Guest' : null;
}

/** Limits per address: `perSecond` in the long run, a window's worth at once. */
const limit = (perSecond: number): object | false =>
  perSecond > 0 && { max: perSecond * WINDOW, timeWindow: WINDOW * 1000 };

export async function createHttp(deps: HttpDeps): Promise<FastifyInstance> {
  const { config, log, door, secret, tls } = deps;
  const app = fastify({
    // Its own log lines hold the URL, and so the token: what is worth a line is logged by the hooks below.
    logger: false,
    frameworkErrors: (_error, _request, reply) => void plain(reply, 400, 'Bad request'),
    trustProxy: config.trustedProxies.length > 0 && config.trustedProxies,
    bodyLimit: 16_384,
    forceCloseConnections: true,
    ...(tls && { https: tls }),
  }) as unknown as FastifyInstance; // with TLS its type names another server, which nothing here looks at

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ route: request.routeOptions.url, err: error }, 'request failed');
    return plain(reply, status, status >= 500 ? 'Internal server error' : error.message);
  });
  app.addHook('onResponse', async ({ method, routeOptions }, { statusCode }) => {
    log.debug({ method, route: routeOptions.url, status: statusCode }, 'request');
  });
  // Bodies are read as text, whatever they claim to be: the content type never matters here.
  app.addHook('onRequest', async ({ raw }) => {
    raw.headers['content-type'] = 'text/plain';
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body));

  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: contentPolicy },
    // Whoever runs the relay under a name decides that; on a LAN address under a made-up certificate it would lock out.
    strictTransportSecurity: false,
  });
  await app.register(cors, {
    origin: config.allowedOrigins,
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: ['Content-Type', 'Authorization'],
    maxAge: 600,
  });
  await app.register(rateLimit, {
    global: config.getRate > 0,
    ...limit(config.getRate),
    ...(deps.cluster && { store: sharedRates(deps.cluster.bus) }),
    errorResponseBuilder: () => Object.assign(new Error('Too many requests'), { statusCode: 429 }),
  });

  // For every page: one whose origin is not admitted learns by it that the relay is there all the same.
  app.get('/health', (_request, reply) =>
    plain(reply.header('cross-origin-resource-policy', 'cross-origin'), 200, 'OK'),
  );
  // For whoever sends people here: not while it stops.
  app.get('/ready', (_request, reply) =>
    door.isReady()
      ? plain(reply, 200, 'OK')
      : plain(reply.header('retry-after', WINDOW), DRAINING.status, DRAINING.text),
  );
  if (config.presence) presence(app, deps);
  if (deps.metrics) figures(app, deps.metrics, config.metricsFrom);
  signIn(app, config, secret);
  whyNoSocket(app, door);
  await pages(app, log);
  return app;
}

function signIn(app: FastifyInstance, config: Config, secret: string): void {
  const options = { config: { rateLimit: limit(config.signInRate) } };
  app.post('/auth/sign-in', options, async (request, reply) => {
    if (!config.guests) return plain(reply, 403, 'Guests are not admitted');
    const username = usernameOf(request.body);
    if (username === null) return plain(reply, 400, 'Invalid request body');
    if (codePoints(username) > LIMITS.nameLength) {
      return plain(reply, 400, `Username too long (maximum is ${LIMITS.nameLength} characters)`);
    }
    const userId = randomUUID();
    const { appName: iss, jwtAudience: aud } = config;
    const claims = { sub: userId, username, iss, ...(aud !== '' && { aud }) };
    const accessToken = await mintToken(claims, secret);
    return reply
      .header('cache-control', 'no-store')
      .send({ accessToken, tokenType: 'Bearer', userId, username });
  });
}

/** Who is in a room, for a page that shows it before anybody joins: to whoever has a token that opens the room. */
function presence(app: FastifyInstance, { config, core, door }: HttpDeps): void {
  app.get<{ Params: { room: string } }>('/rooms/:room', async ({ headers, params }, reply) => {
    reply.header('cache-control', 'no-store');
    const [, token = ''] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
    const claims = await claimsOf(door.rules, token);
    if ('status' in claims) return plain(reply, claims.status, claims.text);
    const name = params.room.trim();
    if (claims.rooms && !claims.rooms.some((each) => each.trim() === name))
      return plain(reply, 403, 'Not admitted to this room');
    const participants = await core.router.who(wireRoom(name, config.roomPrefix)).catch(() => null);
    if (!participants) return plain(reply.header('retry-after', WINDOW), 503, 'Server busy');
    return reply.send({ room: name, participants });
  });
}

/** Figures, to this machine and listed networks alone. What came through a proxy that is not listed is nobody's. */
function figures(app: FastifyInstance, { registry }: Metrics, from: string[]): void {
  const listed = from.length > 0 ? proxyAddr.compile(from) : () => false;
  app.get('/metrics', async (request, reply) => {
    const { ip, headers } = request;
    const direct = headers['x-forwarded-for'] === undefined && headers['forwarded'] === undefined;
    const address = normalizeIP(ip);
    const known = (direct || request.ips !== undefined) && (isLoopback(address) || listed(address, 0));
    if (!known) return plain(reply, 404, 'Not found');
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

/** A page cannot see why its socket failed. This asks the same question again, and any page may read the answer. */
function whyNoSocket(app: FastifyInstance, { rules, callers, callerOf }: Door): void {
  app.get('/ws', async (request, reply) => {
    reply.header('access-control-allow-origin', '*').header('cache-control', 'no-store');
    if (callers.isFull(callerOf(request.raw)))
      return plain(reply.header('retry-after', WINDOW), TOO_MANY.status, TOO_MANY.text);
    const { searchParams } = new URL(request.url, 'http://relay');
    const admission = await admit(rules, searchParams, request.headers.origin);
    if (admission.status !== 200) return plain(reply, admission.status, admission.text);
    return plain(reply.header('upgrade', 'websocket'), 426, 'Upgrade required');
  });
}

async function pages(app: FastifyInstance, log: Logger): Promise<void> {
  if (!existsSync(`${moduleFolder}pm-elements.js`))
    log.warn('no pm-elements.js to serve yet: npm run build makes it');
  const page = { cacheControl: false, setHeaders: revalidate };
  await app.register(files, { ...page, root: publicFolder });
  await app.register(files, { ...page, root: examplesFolder, prefix: '/examples/', decorateReply: false });
  const index = (_request: FastifyRequest, reply: FastifyReply) => reply.sendFile('index.html');
  app.get('/r/:room', index);

  // The module; the headless core, and beside it what it loads on demand.
  for (const name of ['pm-elements', 'core', 'core-:part(^[\\w-]+)']) {
    for (const end of ['.js', '.js.map']) {
      app.get<{ Params: { part?: string } }>(`/${name}${end}`, ({ params: { part = '' } }, reply) =>
        reply
          .header('access-control-allow-origin', '*')
          .header('cross-origin-resource-policy', 'cross-origin')
          .sendFile(name.replace(/:.*/, part) + end, moduleFolder),
      );
    }
  }
  app.setNotFoundHandler((_request, reply) => plain(reply, 404, 'Not found'));
}

/** Always ask, rarely send: everything has an ETag. */
function revalidate(reply: FastifyReply): void {
  reply.header('cache-control', 'no-cache');
}
