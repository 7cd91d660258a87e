/** The network side of the sockets: the upgrade, `ws`, and its adapter to the core. */
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { LIMITS } from '../../src/core/protocol/limits.ts';
import { admit, DRAINING, TOO_MANY, type Admission, type Door } from './admission.ts';
import { WINDOW } from './callers.ts';
import type { Log, SocketLike } from './core/env.ts';
import type { Metrics } from './metrics.ts';
import type { RelayCore } from './core/relay-core.ts';

/** Milliseconds that a closing handshake may take before the transport is cut. */
const CLOSE_TIMEOUT = 2_000;

interface Deps {
  core: RelayCore;
  door: Door;
  log: Log;
  metrics: Metrics | null;
}

/** The original sends and expects binary frames; ours are text, which developer tools show. */
function adapt(socket: WebSocket, binary: boolean): SocketLike {
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (text) => socket.send(binary ? Buffer.from(text) : text),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    ping: () => socket.ping(),
  };
}

/** An HTTP answer on a socket which no HTTP server looks after any more. */
function answer(socket: Duplex, status: number, text: string): void {
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      (status === TOO_MANY.status || status === DRAINING.status ? `Retry-After: ${WINDOW}\r\n` : '') +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

/** Path and query of a request; null when it is none. The query holds the token: it is never logged. */
function target(request: IncomingMessage): URL | null {
  const url = request.url ?? '';
  return url.startsWith('/') && URL.canParse(`http://relay${url}`) ? new URL(`http://relay${url}`) : null;
}

/** Takes the upgrades of `server` to `/ws`. `close()` ends every socket and resolves when none is left. */
export function acceptSockets(
  server: Server,
  { core, door, log, metrics }: Deps,
): { close(): Promise<void> } {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.frameBytes,
    perMessageDeflate: false,
    maxFragments: 128,
    maxBufferedChunks: 1_024,
    // The types do not know it yet.
    ...{ closeTimeout: CLOSE_TIMEOUT },
  });
  let closing = false;

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = target(request);
    if (url?.pathname !== '/ws') return answer(socket, 404, 'Not found');
    const leave = door.callers.enter(door.callerOf(request));
    if (leave) socket.once('close', leave);
    const admission: Admission = leave
      ? await admit(door.rules, url.searchParams, request.headers.origin)
      : { ...TOO_MANY, detail: 'address' };
    if (socket.destroyed) return;
    if (closing) return answer(socket, DRAINING.status, DRAINING.text);
    metrics?.count('socket', String(admission.status === 200 ? 101 : admission.status));
    if (admission.status !== 200) {
      log.info({ status: admission.status, detail: admission.detail }, 'socket refused');
      return answer(socket, admission.status, admission.text);
    }
    const { claims, connect } = admission;
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const connection = core.connect(adapt(ws, !connect.ext), claims, connect);
      ws.on('message', (data) => connection.receive(data as Buffer)); // a Buffer, since binaryType is nodebuffer
      ws.on('pong', () => connection.pong());
      ws.on('error', (error) =>
        log.debug({ user: connection.person.userID, error: error.message }, 'socket error'),
      );
      ws.on('close', (code) => connection.closed(code));
    });
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const broken = (error: Error) => log.debug({ error: error.message }, 'socket error before the upgrade');
    socket.on('error', broken);
    upgrade(request, socket, head).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'upgrade failed');
      socket.destroy();
    });
  });

  return {
    async close() {
      closing = true;
      core.stop();
      const open = [...sockets.clients].filter(({ readyState }) => readyState !== WebSocket.CLOSED);
      await Promise.all(open.map((socket) => new Promise((done) => socket.once('close', done))));
    },
  };
}
