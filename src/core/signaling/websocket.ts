/** Signalling over a WebSocket that comes back by itself. */
import { PmError, toPmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { ClientMessage } from '../protocol/index.ts';
import { retryDelay, URGENT_STEP } from '../util/backoff.ts';
import { Connection } from './connection.ts';
import type { Signaling, SignalingHandler } from './signaling.ts';
import type { PlainWelcome } from './plain-server.ts';
import { diagnose, knock, type TokenSource } from './token-source.ts';

/** Close code with which our relay gives a session to its newer socket. */
const REPLACED = 4001;
/** An open socket that is silent for so long (ms) belongs to a server that never greets, unless it did before. */
const GREETING = 1_500;
/** How long it may take to learn why no socket opened, in milliseconds. */
const PATIENCE = 5_000;
/** What hangs for so long (ms) may do so on a connection of before the path was cut: a socket makes one of its own. */
const HANGING = 1_000;
/** A page's policy may allow sockets alone: every so manieth attempt goes without a request before it. */
const BLIND_EVERY = 4;
/** Signals held while no socket is open; older ones fall out, since `resend` repeats what still matters. */
const HELD_SIGNALS = 256;

export interface WebSocketOptions {
  readonly relays: readonly URL[];
  /** Names this participant across sockets; 128 random bits. */
  readonly session: string;
  readonly tokens: TokenSource;
}

export class WebSocketSignaling implements Signaling {
  readonly #platform: Platform;
  readonly #options: WebSocketOptions;
  readonly #handler: SignalingHandler;

  #connection: Connection | null = null;
  /** Tried beside one that is open and silent: whichever lives goes on. */
  #second: Connection | null = null;
  /** The relay may have been told of a second one, and take the first for replaced. */
  #challenged = false;
  #isOpen = false;
  #released = false;
  #closed = false;
  #attempt = 0;
  /** Counts attempts for good, so that an overtaken one notices. */
  #generation = 0;
  #cancelWait: (() => void) | null = null;
  /** The relay was not there last. */
  #away = false;
  /** Whether the server greets; null while nobody knows. */
  #greeted: boolean | null = null;
  /** On a server that does not greet the token is the identity: it is kept until it expires or is refused. */
  #kept: PlainWelcome | null = null;
  #held: ClientMessage[] = [];

  constructor(platform: Platform, options: WebSocketOptions, handler: SignalingHandler) {
    this.#platform = platform;
    this.#options = options;
    this.#handler = handler;
  }

  get open(): boolean {
    return this.#isOpen;
  }

  get sure(): boolean {
    return this.#isOpen && this.#connection!.sure;
  }

  start(): void {
    void this.#connect();
  }

  send(message: ClientMessage): void {
    if (message.type.startsWith('webrtc.') && !this.#released) {
      this.#held.push(message);
      if (this.#held.length > HELD_SIGNALS) this.#held.shift();
    } else {
      this.#connection?.send(message);
    }
  }

  release(): void {
    this.#released = true;
    for (const message of this.#held.splice(0)) {
      // `resend` follows: an original client that gets two offers at once answers one of them by an offer.
      if (message.type !== 'webrtc.offer') this.#connection?.send(message);
    }
  }

  nudge(): void {
    if (this.#cancelWait) void this.#connect();
    else this.#connection?.doubt();
  }

  renew(): boolean {
    if (!this.#kept || !this.#options.tokens.outdated) return false;
    const connection = this.#connection;
    this.#detach();
    connection?.close();
    this.#kept = null;
    void this.#connect();
    return true;
  }

  close(farewell?: ClientMessage): void {
    this.#closed = true;
    this.#generation += 1;
    this.#cancelWait?.();
    this.#cancelWait = null;
    const connection = this.#connection;
    this.#detach();
    connection?.close(farewell);
    this.#second?.close();
    // An original client that has not heard of the farewell keeps its connection to this identity: another one is met anew.
    if (this.#kept) this.#options.tokens.forget();
    this.#held = [];
  }

  #detach(): void {
    this.#connection = null;
    this.#isOpen = false;
    this.#released = false;
  }

  async #connect(): Promise<void> {
    this.#cancelWait?.();
    this.#cancelWait = null;
    const generation = (this.#generation += 1);
    const { relays, session, tokens } = this.#options;
    const relay = relays[this.#attempt % relays.length]!;
    const url = new URL(relay);
    try {
      if (this.#kept && this.#kept.until < this.#platform.date()) this.#kept = null;
      url.searchParams.set('token', this.#kept?.token ?? (await tokens.get(relay)));
      if (generation !== this.#generation) return;
      url.searchParams.set('ext', '1');
      url.searchParams.set('session', session);
      // Firefox delays a socket the longer the more have failed before, up to a minute. Requests it does not.
      if (this.#away && (tokens.signedIn || this.#attempt % BLIND_EVERY)) {
        const there = await this.#patiently(knock(this.#platform, url), true, HANGING);
        if (generation !== this.#generation) return;
        if (!there) throw silent();
      }
      this.#openSocket(url);
    } catch (error) {
      // A second attempt beside an open socket may fail unseen.
      if (generation !== this.#generation || this.#connection) return;
      this.#failed(toPmError(error, 'relay-unreachable'));
    }
  }

  #openSocket(url: URL): void {
    const patience = this.#greeted ? Infinity : this.#greeted === null ? GREETING : 0;
    const connection = new Connection(this.#platform, url.href, patience, {
      welcome: (welcome) => {
        if (connection === this.#second) this.#switch(connection);
        this.#kept = welcome.protocol ? null : (welcome as PlainWelcome);
        this.#greeted = !this.#kept;
        this.#isOpen = true;
        this.#challenged = this.#away = false;
        this.#attempt = 0;
        this.#handler.opened(welcome);
      },
      message: (message) => this.#handler.message(message),
      silent: () => {
        // An original server takes a second socket for a second person.
        if (!this.#second && !this.#kept) void this.#connect();
      },
      answered: () => {
        if (connection === this.#connection) this.#handler.answered();
      },
      gone: (opened, code) => {
        if (connection !== this.#second) this.#gone(url, opened, code);
        else this.#second = null;
      },
    });
    if (!this.#connection) this.#connection = connection;
    else {
      this.#second = connection;
      this.#challenged = true;
    }
  }

  /** The second one is through, the first one is silent still. */
  #switch(to: Connection): void {
    const silent = this.#connection;
    this.#detach();
    this.#connection = to;
    this.#second = null;
    silent?.close();
    this.#handler.lost();
  }

  #gone(url: URL, opened: boolean, code: number): void {
    const wasOpen = this.#isOpen;
    this.#detach();
    if (code === REPLACED && !this.#challenged) return this.#handler.replaced();
    if (wasOpen) this.#handler.lost();
    // The handler may have closed us for good.
    if (this.#closed) return;
    this.#connection = this.#second;
    this.#second = null;
    if (this.#connection) return;
    if (wasOpen) this.#wait();
    else if (opened) this.#failed(new PmError('relay-unreachable', `The relay's socket closed (${code}).`));
    else void this.#explain(url);
  }

  /** On a path that just died an answer may take minutes. */
  async #patiently<T>(asked: Promise<T>, late: T, patience = PATIENCE): Promise<T> {
    const generation = this.#generation;
    const answer = await new Promise<T>((resolve) => {
      this.#cancelWait = this.#platform.after(patience, () => resolve(late));
      void asked.then(resolve);
    });
    if (generation === this.#generation) {
      this.#cancelWait?.();
      this.#cancelWait = null;
    }
    return answer;
  }

  async #explain(url: URL): Promise<void> {
    const generation = this.#generation;
    const error = await this.#patiently(diagnose(this.#platform, url), silent());
    if (generation !== this.#generation) return;
    this.#away = error.code === 'relay-unreachable';
    if (error.code === 'token-invalid') this.#kept = null;
    if (error.code === 'token-invalid' && this.#options.tokens.forget() && this.#attempt === 0) {
      // A guest's token outlived the relay that gave it, or the page can give a fresh one: no failure yet.
      this.#attempt += 1;
      return this.#connect();
    }
    this.#failed(error);
  }

  #failed(error: PmError): void {
    const attempt = this.#attempt;
    this.#attempt += 1;
    this.#handler.failed(error, attempt);
    if (!this.#closed) this.#wait();
  }

  #wait(): void {
    const step = this.#handler.urgent ? Math.min(this.#attempt, URGENT_STEP) : this.#attempt;
    this.#cancelWait = this.#platform.after(
      retryDelay(step, this.#platform.random()),
      () => void this.#connect(),
    );
  }
}

const silent = () => new PmError('relay-unreachable', 'The relay does not answer.');
