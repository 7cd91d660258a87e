/** WebSocket (WHATWG): both ends of one connection with ordered delivery, close codes, and the ways to die. */
import { exception } from './errors.ts';
import { eventWith, FakeEventTarget } from './events.ts';
import { APART } from './scheduler.ts';
import type { Scope } from './scope.ts';

export type Frame = string | ArrayBuffer;

/** How long a closing handshake may go unanswered before the browser ends the connection. */
const CLOSE_TIMEOUT = 20_000;

/** What stands between the two ends. `dead`: packets vanish, and nobody is told (a half-open connection). */
class Cable {
  dead = false;
  /** Milliseconds that every packet takes beyond what the seed draws: a line that is busy. */
  extra = 0;
  private last: Record<'up' | 'down', number> = { up: 0, down: 0 };

  constructor(private readonly scope: Scope) {}

  /** What an end does by itself, whether packets pass or not. */
  later(ms: number, task: () => void): void {
    this.scope.scheduler.schedule(ms > 0 ? 'timer' : 'work', ms, '', task);
  }

  /** In order, a seeded while later. */
  carry(way: 'up' | 'down', deliver: () => void): void {
    const { scheduler, random, delays, owner } = this.scope;
    const arrival = Math.max(
      scheduler.now + this.extra + random.between(delays.socket[0], delays.socket[1]),
      this.last[way] + APART,
    );
    this.last[way] = arrival;
    scheduler.schedule('work', arrival - scheduler.now, way === 'down' ? owner : '', () => {
      if (!this.dead) deliver();
    });
  }
}

/** The server's end. */
export class ServerSocket {
  onmessage: ((data: Frame) => void) | null = null;
  /** The connection is over, whoever ended it. */
  onclose: ((code: number, reason: string) => void) | null = null;
  open = true;
  private finished = false;

  constructor(
    /** Whose socket this is. */
    readonly owner: string,
    readonly url: string,
    private readonly client: FakeSocket,
    private readonly cable: Cable,
  ) {}

  send(data: Frame): void {
    if (!this.open) return;
    this.cable.carry('down', () => this.client.arrived(data));
  }

  /** Sends a close frame; `onclose` follows once the client has echoed it, or did not in time. */
  close(code = 1000, reason = ''): void {
    if (!this.open) return;
    this.open = false;
    this.cable.carry('down', () => {
      this.client.finish(code, reason, true);
      this.cable.carry('up', () => this.finish(code, reason));
    });
    this.cable.later(CLOSE_TIMEOUT, () => this.finish(1006, ''));
  }

  /** Ends it without a handshake: the client reads 1006. */
  terminate(): void {
    if (!this.open) return;
    this.open = false;
    this.cable.carry('down', () => this.client.finish(1006, '', false));
    this.cable.later(0, () => this.finish(1006, ''));
  }

  /** A protocol ping, which browsers answer by themselves; `pong` runs when the answer is here. */
  ping(pong: () => void): void {
    this.cable.carry('down', () => this.cable.carry('up', () => this.open && pong()));
  }

  /** The client's close frame, or the end of its connection. */
  clientGone(code: number, reason: string): void {
    this.open = false;
    this.finish(code, reason);
  }

  private finish(code: number, reason: string): void {
    if (this.finished) return;
    this.finished = true;
    this.onclose?.(code, reason);
  }
}

export type ConnectHandler = (url: string, socket: ServerSocket) => void;

export class FakeSocket extends FakeEventTarget {
  binaryType: BinaryType = 'blob';
  readyState = 0;
  bufferedAmount = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readonly cable: Cable;
  server: ServerSocket | null = null;

  constructor(
    private readonly scope: Scope,
    readonly url: string,
    /** Null: nobody listens there. */
    accept: () => ConnectHandler | null,
  ) {
    super(['open', 'message', 'close', 'error']);
    if (!/^wss?:\/\/[^/?#]+/.test(url)) throw exception('SyntaxError', `'${url}' is no socket URL`);
    this.cable = new Cable(scope);
    scope.books.sockets.add(this);
    scope.scheduler.soon(scope.owner, scope.delays.socketOpen, () => this.connected(accept()));
  }

  private connected(handler: ConnectHandler | null): void {
    if (this.readyState !== 0) return;
    if (!handler) {
      this.finish(1006, '', false);
      return;
    }
    const server = new ServerSocket(this.scope.owner, this.url, this, this.cable);
    this.server = server;
    handler(this.url, server);
    if (!server.open) {
      // Refused in the handshake (a status other than 101): all a page learns is 1006.
      this.cable.dead = true;
      this.finish(1006, '', false);
      return;
    }
    this.readyState = 1;
    this.emit('open');
  }

  send(data: unknown): void {
    if (this.readyState === 0) throw exception('InvalidStateError', 'the socket is still connecting');
    if (typeof data !== 'string' && !(data instanceof ArrayBuffer) && !ArrayBuffer.isView(data)) {
      throw new TypeError('the fake sends text and buffers alone');
    }
    const view = ArrayBuffer.isView(data) ? data : null;
    const frame = view
      ? new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength).slice().buffer
      : data;
    const size =
      typeof frame === 'string' ? new TextEncoder().encode(frame).length : (frame as ArrayBuffer).byteLength;
    // What is sent after close() is silently discarded, but counted for ever.
    this.bufferedAmount += size;
    if (this.readyState !== 1) return;
    this.scope.scheduler.schedule('work', 0, this.scope.owner, () => {
      if (!this.cable.dead) this.bufferedAmount -= size;
    });
    const { server } = this;
    this.cable.carry('up', () => server?.open && server.onmessage?.(frame as Frame));
  }

  close(code?: number, reason = ''): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException(`${code} is no code that a page may use`, 'InvalidAccessError');
    }
    if (new TextEncoder().encode(reason).length > 123)
      throw exception('SyntaxError', 'the reason is too long');
    if (this.readyState >= 2) return;
    const connecting = this.readyState === 0;
    this.readyState = 2;
    const { scheduler, owner, delays } = this.scope;
    if (connecting) {
      scheduler.soon(owner, delays.compute, () => this.finish(1006, '', false));
      return;
    }
    const { server } = this;
    const heard = code ?? 1005;
    this.cable.carry('up', () => {
      server?.clientGone(heard, reason);
      this.cable.carry('down', () => this.finish(heard, reason, true));
    });
    scheduler.schedule('timer', CLOSE_TIMEOUT, owner, () => this.finish(1006, '', false));
  }

  arrived(data: Frame): void {
    if (this.readyState !== 1 && this.readyState !== 2) return;
    const blob = typeof data !== 'string' && this.binaryType === 'blob';
    this.emit(new MessageEvent('message', { data: blob ? new Blob([data]) : data }));
  }

  finish(code: number, reason: string, wasClean: boolean): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.scope.books.sockets.delete(this);
    if (!wasClean) this.emit('error');
    this.emit(eventWith('close', { code, reason, wasClean }));
  }

  /** The page is gone: its system ends the connection, or cannot (`halfOpen`). */
  vanish(halfOpen: boolean): void {
    this.scope.books.sockets.delete(this);
    this.readyState = 3;
    if (halfOpen) this.cable.dead = true;
    else {
      const { server } = this;
      this.cable.carry('up', () => server?.clientGone(1006, ''));
    }
  }
}
