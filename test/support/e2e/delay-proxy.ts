/**
 * A proxy on loopback in front of the relay, HTTP and WebSocket: delays either direction by a fixed or random time
 * (order kept per connection), drops, garbles or cuts, and records every frame, so that signalling can be made slow,
 * broken and countable without touching either end.
 */
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer, type RawData } from 'ws';

/** Milliseconds: fixed, or uniformly random between the two. */
export type Delay = number | readonly [number, number];
export type Direction = 'up' | 'down';

export interface Frame {
  readonly connection: number;
  readonly direction: Direction;
  /** When the proxy received it and when it passed it on, by `Date.now()`. */
  readonly received: number;
  sent: number | null;
  readonly text: string;
  /** The message's `type`, where it is JSON. */
  readonly type: string;
}

export interface ProxyOptions {
  /** The relay, `http://…`. */
  readonly target: string;
  readonly port?: number;
  /** Of frames, of the socket's opening and of requests that are no GET (the sign-in). */
  readonly delay?: Delay;
  /** Uniform in [0, 1): where random delays come from, for a test that wants the same ones again. */
  readonly random?: () => number;
  /** Pages served by the proxy itself, by path. */
  readonly pages?: Readonly<Record<string, string>>;
}

const wait = (ms: number): Promise<void> =>
  ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve();

function typeOf(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value && 'type' in value && typeof value.type === 'string'
      ? value.type
      : '?';
  } catch {
    return '?';
  }
}

export class DelayProxy {
  readonly frames: Frame[] = [];
  delay: Delay;
  private readonly random: () => number;
  /** Refuses new connections, as an unreachable relay does. */
  refusing = false;
  /** Swallows every frame: sockets open and then say nothing. */
  silent = false;
  /** Sees every frame before it is passed on; null drops it. */
  filter: (frame: Frame) => string | null = (frame) => frame.text;

  private readonly server: Server;
  private readonly sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
  });
  private readonly open = new Map<number, { client: WebSocket; relay: WebSocket }>();
  private readonly frozen = new Set<number>();
  private readonly tcp = new Set<Socket>();
  private readonly target: URL;
  private readonly pages: Readonly<Record<string, string>>;
  private count = 0;

  private constructor(options: ProxyOptions) {
    this.target = new URL(options.target);
    this.delay = options.delay ?? 0;
    this.random = options.random ?? Math.random;
    this.pages = options.pages ?? {};
    this.server = createServer((request, response) => void this.serve(request, response));
    this.server.on('upgrade', (request, socket, head) => void this.upgrade(request, socket as Socket, head));
    this.server.on('connection', (socket) => {
      if (this.refusing) return socket.destroy();
      this.tcp.add(socket);
      return socket.on('close', () => this.tcp.delete(socket));
    });
  }

  static async start(options: ProxyOptions): Promise<DelayProxy> {
    const proxy = new DelayProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://localhost:${String(this.port)}`;
  }

  get wsUrl(): string {
    return `ws://localhost:${String(this.port)}/ws`;
  }

  /** Sockets ever opened through it. */
  get opened(): number {
    return this.count;
  }

  /** From now on the connections of this moment only seem to be open, as after a cable was pulled. */
  freeze(): void {
    for (const connection of this.open.keys()) this.frozen.add(connection);
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const { client, relay } of this.open.values()) {
      client.terminate();
      relay.terminate();
    }
  }

  /** Sends a frame to every client, as if the relay had. */
  inject(data: string | Buffer): void {
    for (const { client } of this.open.values()) client.send(data);
  }

  async close(): Promise<void> {
    this.cut();
    for (const socket of this.tcp) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private once(): number {
    const { delay } = this;
    return typeof delay === 'number' ? delay : delay[0] + this.random() * (delay[1] - delay[0]);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const page = this.pages[(request.url ?? '/').split('?')[0] ?? '/'];
    if (page !== undefined) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
      return;
    }
    const slow = request.method !== 'GET';
    if (slow) await wait(this.once());
    const onward = httpRequest(
      new URL(request.url ?? '/', this.target),
      { method: request.method, headers: { ...request.headers, host: this.target.host } },
      (answer) => {
        void wait(slow ? this.once() : 0).then(() => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }

  private async upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy());
    await wait(this.once());
    const url = new URL(request.url ?? '/', this.target);
    url.protocol = 'ws:';
    const { origin } = request.headers;
    const relay = new WebSocket(url, {
      perMessageDeflate: false,
      autoPong: false,
      ...(origin === undefined ? {} : { origin }),
    });
    relay.on('error', () => {});
    relay.once('unexpected-response', (_request, answer) => {
      socket.end(
        `HTTP/1.1 ${String(answer.statusCode)} ${answer.statusMessage ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
    });
    // What the relay says first may arrive before the client's side is open.
    const early: [RawData, boolean, number][] = [];
    const keep = (data: RawData, binary: boolean): void => void early.push([data, binary, Date.now()]);
    relay.on('message', keep);
    relay.once('close', () => socket.writable && !this.isOpen(relay) && socket.destroy());
    relay.once('open', () => {
      void wait(this.once()).then(() => {
        if (socket.destroyed) return relay.terminate();
        return this.sockets.handleUpgrade(request, socket, head, (client) => {
          relay.off('message', keep);
          this.join(client, relay, early);
        });
      });
    });
    socket.once('close', () => relay.readyState === WebSocket.CONNECTING && relay.terminate());
  }

  private isOpen(relay: WebSocket): boolean {
    return [...this.open.values()].some((each) => each.relay === relay);
  }

  private join(client: WebSocket, relay: WebSocket, early: [RawData, boolean, number][]): void {
    const connection = (this.count += 1);
    this.open.set(connection, { client, relay });
    const down = this.pipe(connection, 'down', relay, client);
    for (const [data, binary, received] of early) down(data, binary, received);
    this.pipe(connection, 'up', client, relay);
    client.on('close', () => this.open.delete(connection));
  }

  /** Passes on what `from` says after the delay, in order; its close comes last. */
  private pipe(connection: number, direction: Direction, from: WebSocket, to: WebSocket) {
    let queue = Promise.resolve();
    let due = 0;
    const later = (action: () => void, received = Date.now()): void => {
      due = Math.max(due, received + this.once());
      const at = due;
      queue = queue.then(() => wait(at - Date.now())).then(action);
    };
    const mute = (): boolean => this.silent || this.frozen.has(connection);
    const pass = (raw: RawData, binary: boolean, received = Date.now()): void => {
      const text = Array.isArray(raw) ? Buffer.concat(raw).toString() : Buffer.from(raw as Buffer).toString();
      const frame: Frame = {
        connection,
        direction,
        received,
        sent: null,
        text,
        type: typeOf(text),
      };
      this.frames.push(frame);
      later(() => {
        const out = mute() ? null : this.filter(frame);
        if (out === null || to.readyState !== WebSocket.OPEN) return;
        frame.sent = Date.now();
        to.send(out, { binary });
      }, received);
    };
    from.on('message', (data, binary) => pass(data, binary));
    from.on('ping', (data) =>
      later(() => void (!mute() && to.readyState === WebSocket.OPEN && to.ping(data))),
    );
    from.on('pong', (data) =>
      later(() => void (!mute() && to.readyState === WebSocket.OPEN && to.pong(data))),
    );
    from.on('close', (code, reason) =>
      later(() => {
        if (code === 1006) to.terminate();
        else if (code === 1005) to.close();
        else to.close(code, reason);
      }),
    );
    from.on('error', () => {});
    return pass;
  }
}
