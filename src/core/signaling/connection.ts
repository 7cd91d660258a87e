/** One socket, from its opening to its end: decoding, heartbeat, pacing. It never comes back; its owner makes another. */
import type { Platform, Socket } from '../platform.ts';
import {
  decodeRelayMessage,
  encode,
  ProtocolError,
  type ClientMessage,
  type RelayMessage,
  type Welcome,
} from '../protocol/index.ts';
import { Scope } from '../util/scope.ts';
import { Pacer } from './pacer.ts';

/** A socket that gives no sign of life for so long after it was doubted may be dead, in milliseconds. */
const DOUBT = 800;
/** How long a relay may take to greet, in milliseconds. */
const WELCOME_TIMEOUT = 8_000;
/** Such a server answers no ping of ours, but this question. */
const QUESTION = { type: 'utils.generateRoomID', data: {} } as const;

export interface ConnectionHooks {
  /** The socket may be used, after the relay's greeting or for want of one. */
  welcome(welcome: Welcome): void;
  message(message: RelayMessage): void;
  /** Doubted, and silent since: another one should be tried. */
  silent(): void;
  /** Was asked for a sign of life, and has given one. */
  answered(): void;
  /** The socket is gone, or never opened. Called once. */
  gone(opened: boolean, closeCode: number): void;
}

export class Connection {
  readonly #platform: Platform;
  readonly #hooks: ConnectionHooks;

  readonly #socket: Socket;
  readonly #pacer: Pacer;
  readonly #scope = new Scope();
  #opened = false;
  #over = false;
  /** In milliseconds; 0 until the socket may be used. */
  #heartbeat = 0;
  #plain = false;
  #heard = 0;
  #pinged = 0;
  #doubted = false;

  /**
   * @param patience how long an open socket may be silent before the server is taken for one that never greets (ms)
   * @throws what the browser throws for an address that it will not open
   */
  constructor(platform: Platform, url: string, patience: number, hooks: ConnectionHooks) {
    this.#platform = platform;
    this.#hooks = hooks;

    this.#socket = platform.createSocket(url);
    this.#socket.binaryType = 'arraybuffer';
    this.#pacer = new Pacer(platform, (frame) => this.#socket.send(frame));
    this.#socket.onopen = () => {
      this.#opened = true;
      if (patience < WELCOME_TIMEOUT) this.#later(patience, () => this.#heartbeat || this.#takeAsPlain(url));
    };
    this.#socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.#onMessage(event.data);
    this.#socket.onclose = (event) => this.#finish(event.code);
    this.#later(WELCOME_TIMEOUT, () => this.#heartbeat || this.drop());
  }

  /** Not asked for a sign of life in vain so far. */
  get sure(): boolean {
    return this.#pinged === 0;
  }

  send(message: ClientMessage): void {
    if (!this.#over) this.#pacer.push(encode(message));
  }

  /** Says goodbye and closes in order. */
  close(farewell?: ClientMessage): void {
    if (this.#over) return;
    if (this.#heartbeat && farewell) {
      this.#pacer.flush();
      this.#socket.send(encode(farewell));
    }
    this.#end();
    this.#socket.close(1000);
  }

  /** Gives the socket up without waiting for the network to agree. */
  drop(): void {
    if (this.#over) return;
    this.#finish(1006);
    this.#socket.close();
  }

  /** Something happened that sockets do not survive: asks for a sign of life, and says soon if there is none. */
  doubt(): void {
    this.#probe();
    if (this.#doubted || !this.#pinged) return;
    this.#doubted = true;
    this.#later(DOUBT, () => {
      this.#doubted = false;
      if (this.#pinged) this.#hooks.silent();
    });
  }

  /** Asks for a sign of life now; without one within a heartbeat the socket counts as gone. */
  #probe(): void {
    if (!this.#heartbeat || this.#over || this.#pinged) return;
    this.#pinged = this.#platform.now();
    this.send(this.#plain ? QUESTION : { type: 'relay.ping', data: {} });
  }

  #takeAsPlain(url: string): void {
    this.#platform.work(import('./plain-server.ts')).then(
      ({ plainWelcome }) => this.#heartbeat || this.#begin(plainWelcome(url)),
      () => this.drop(),
    );
  }

  #begin(welcome: Welcome): void {
    if (this.#over) return;
    const begun = this.#heartbeat;
    this.#plain = !welcome.protocol;
    this.#heartbeat = Math.max(0.05, welcome.heartbeatSeconds) * 1_000;
    // A greeting may come late.
    if (!begun) this.#watch();
    this.#hooks.welcome(welcome);
  }

  #onMessage(data: string | ArrayBuffer): void {
    this.#heard = this.#platform.now();
    const asked = this.#pinged;
    this.#pinged = 0;
    if (asked) this.#hooks.answered();
    let message: RelayMessage;
    try {
      message = decodeRelayMessage(data);
    } catch (error) {
      // A newer relay may say more than we know: only what is truly malformed is worth a warning.
      const unknown = error instanceof ProtocolError && error.code === 'unknown-type';
      this.#platform.log(unknown ? 'debug' : 'warn', 'A frame from the relay was dropped.', error);
      return;
    }
    if (message.type === 'relay.ping') return this.send({ type: 'relay.pong', data: {} });
    if (message.type === 'relay.pong') return;
    if (message.type === 'relay.welcome') this.#begin(message.data);
    else this.#hooks.message(message);
  }

  /**
   * Two silent heartbeats lead to a ping, a third one ends the socket. A timer that fires late, in a page that was
   * frozen or asleep, therefore asks first and never takes its own sleep for the relay's.
   */
  #watch(): void {
    this.#later(this.#heartbeat, () => {
      const now = this.#platform.now();
      if (this.#pinged && now - this.#pinged >= this.#heartbeat * 0.9) return this.drop();
      if (now - this.#heard >= this.#heartbeat * 1.9) this.#probe();
      this.#watch();
    });
  }

  #later(ms: number, callback: () => void): void {
    this.#scope.after(this.#platform, ms, callback);
  }

  #finish(code: number): void {
    if (this.#over) return;
    const opened = this.#opened;
    this.#end();
    this.#hooks.gone(opened, code);
  }

  #end(): void {
    this.#over = true;
    this.#pacer.stop();
    this.#scope.end();
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
  }
}
