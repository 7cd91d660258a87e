/** The plain server as a program of its own: HTTP, JWT and sockets of Node. */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { PlainServerCore } from './core.ts';
import { signInName, type Claims } from './token.ts';

const SECRET = 'the secret of a plain server for tests';
const ISSUER = 'private-meet';
const LIFETIME_S = 3_600;

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const sign = (content: string): Buffer => createHmac('sha256', SECRET).update(content).digest();

/** A token as the server gives it; `claims` may spoil or shorten it. */
export function plainToken(claims: Partial<Claims> & Record<string, unknown> = {}): string {
  const iat = Math.floor(Date.now() / 1_000);
  const content = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64({
    iss: ISSUER,
    sub: randomUUID(),
    username: 'Guest',
    iat,
    exp: iat + LIFETIME_S,
    ...claims,
  })}`;
  return `${content}.${sign(content).toString('base64url')}`;
}

function check(token: string): Claims | null {
  const [head, body, signature = ''] = token.split('.');
  const given = Buffer.from(signature, 'base64url');
  const right = sign(`${head ?? ''}.${body ?? ''}`);
  if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
  const claims = JSON.parse(Buffer.from(body ?? '', 'base64url').toString()) as Record<string, unknown>;
  const { iss, sub, exp, iat, username } = claims;
  if (iss !== ISSUER || typeof sub !== 'string' || typeof username !== 'string') return null;
  if (typeof iat !== 'number' || typeof exp !== 'number' || exp * 1_000 < Date.now()) return null;
  return { sub, username };
}

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'Content-Type, Authorization',
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

export class PlainServer {
  core: PlainServerCore;
  private http: Server;
  private sockets = new WebSocketServer({ noServer: true, maxPayload: 65_536 });
  /** Sign-ins so far. */
  signIns = 0;

  private constructor(public port: number) {
    this.core = this.makeCore();
    this.http = this.makeHttp();
  }

  static async start(): Promise<PlainServer> {
    const server = new PlainServer(0);
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://localhost:${String(this.port)}`;
  }

  get wsUrl(): string {
    return `ws://localhost:${String(this.port)}/ws`;
  }

  /** Ends every socket without a word, and listens no longer. */
  async kill(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }

  /** Listens again on the same port, with nobody in any room; tokens stay good. */
  async restart(): Promise<void> {
    this.core = this.makeCore();
    this.http = this.makeHttp();
    await this.listen();
  }

  /** Breaks one user's sockets. */
  cut(userId: string): void {
    for (const each of this.core.connections) if (each.claims.sub === userId) each.cut(1011);
  }

  private makeCore(): PlainServerCore {
    return new PlainServerCore({
      now: () => performance.now(),
      after: (ms, callback) => {
        const handle = setTimeout(callback, ms);
        return () => clearTimeout(handle);
      },
      randomUUID,
    });
  }

  private makeHttp(): Server {
    const http = createServer((request, response) => {
      void this.answer(request, response);
    });
    http.on('upgrade', (request: IncomingMessage, socket, head) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
      const claims = pathname === '/ws' ? check(searchParams.get('token') ?? '') : null;
      if (!claims) {
        socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
        return;
      }
      this.sockets.handleUpgrade(request, socket, head, (client) => {
        const connection = this.core.connect(
          {
            send: (frame) => client.send(frame, { binary: true }),
            close: (code, reason) => client.close(code, reason),
            terminate: () => client.terminate(),
            ping: () => client.ping(),
          },
          claims,
        );
        client.on('message', (data: Buffer) => connection.receive(data));
        client.on('pong', () => connection.pong());
        client.on('close', () => connection.closed());
        client.on('error', () => undefined); // its end follows
      });
    });
    return http;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const say = (status: number, body: string | object): void => {
      const text = typeof body === 'string';
      response.writeHead(status, { ...CORS, 'content-type': text ? 'text/plain' : 'application/json' });
      response.end(text ? body : JSON.stringify(body));
    };
    if (request.method === 'OPTIONS') return say(204, '');
    if (pathname === '/health') return say(200, 'OK');
    if (pathname === '/ws') return say(check(searchParams.get('token') ?? '') ? 400 : 401, '');
    if (pathname !== '/auth/sign-in' || request.method !== 'POST') return say(404, 'not found');
    const asked = signInName(await bodyOf(request));
    if ('refusal' in asked) return say(400, asked.refusal);
    this.signIns += 1;
    const userId = randomUUID();
    const accessToken = plainToken({ sub: userId, username: asked.name });
    say(200, { accessToken, tokenType: 'Bearer', userId, username: asked.name });
  }

  private async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.http.listen(this.port, resolve));
    this.port = (this.http.address() as AddressInfo).port;
  }
}
