/**
 * Chat over the relay: what oneself says appears at once and counts as said when the relay echoes it; what is not
 * confirmed is kept and said again under the same id once the relay is back, so that nothing is lost and nothing doubled.
 * What was echoed is also told to our own clients directly, and again when their connection is made anew: somebody whose
 * socket is half open, or not yet back at a relay that was restarted, gets it that way; everybody else has it and drops
 * the copy. Loaded once a room is joined.
 */
import type { Envelope } from '../crypto/envelope.ts';
import { PmError, toPmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { codePoints, LIMITS, messageData, type ClientMessage, type RelayMessage } from '../protocol/index.ts';
import { participant, type CallState, type ChatMessage } from '../state/call-state.ts';
import type { Action } from '../state/reducer.ts';
import { deferred, SerialQueue, type Deferred } from '../util/async.ts';
import { Bucket } from '../util/bucket.ts';

/** Messages that are kept, and bytes of pictures among them. */
const HISTORY = 500;
const PICTURES = 64 * 1_048_576;
/** How long a message may wait for its echo before it is shown as failed, in milliseconds. */
const CONFIRM_TIMEOUT = 20_000;
/** Longest text of an encrypted message, and what an envelope adds to its prefix, base64 and tag. */
const SEALED_LENGTH = 3_000;
const ENVELOPE = 61;
/** Milliseconds after which one's own typing ends by itself, is said again while it goes on, and others' expires. */
const TYPING_IDLE = 4_000;
const TYPING_AGAIN = 3_000;
const TYPING_EXPIRES = 8_000;
/** For how long (ms), and up to how many characters of JSON, what was said is told again to a connection made anew. */
const COPIES_KEPT = 60_000;
const COPIES_LENGTH = 50_000;
/** Ids of messages that are not kept any more, so that a late copy does not bring them back. */
const FORGOTTEN = 5_000;
/** Copies from all peers that are looked at: as many as a relay would pass on of one. */
const COPIES_PER_SECOND = 40;
const COPIES_BURST = 400;

type ChatType = 'chat.message' | 'chat.typing';

/** A message as one of ours tells it another directly. */
interface Copy {
  readonly t: string;
  readonly [field: string]: unknown;
}

export interface ChatEnvironment {
  readonly platform: Platform;
  /** The room's bare name. */
  readonly room: string;
  readonly options: () => { readonly passphrase: string };
  readonly state: () => CallState;
  readonly dispatch: (action: Action) => void;
  readonly onError: (error: PmError) => void;
  /** Says something in the room that was joined. */
  readonly say: (message: Extract<ClientMessage, { type: ChatType }>) => void;
  /** Tells one of ours directly, now and whenever there is a new connection to them, until something else is told. */
  readonly announce: (copy: Copy, to: string) => void;
  /** The room's name on the wire, and what marks an encrypted text. */
  readonly wire: () => { readonly room: string; readonly prefix: string };
  /** Whether somebody with an original client is there. */
  readonly plain: () => boolean;
}

interface Outgoing extends Deferred {
  readonly text: string;
  /** Written under a passphrase. */
  secret: boolean;
  wire: string;
  cancel(): void;
}

export class Chat {
  readonly #env: ChatEnvironment;
  readonly #queue: SerialQueue;
  readonly #messages = new Map<string, ChatMessage>();
  /** One's own, until the relay has echoed or refused them. */
  readonly #unconfirmed = new Map<string, Outgoing>();
  /** What could not be read, for another passphrase. */
  readonly #sealed = new Map<string, [json: string, bound: string]>();
  /** Ends the expiry of each typist. */
  readonly #typists = new Map<string, () => void>();
  readonly #typingBucket: Bucket;
  readonly #copies: Bucket;
  /** What was said lately while each of the others was there. */
  readonly #said = new Map<string, readonly { id: string; message: string; at: number }[]>();
  readonly #forgotten = new Set<string>();
  /** When one's own typing was last said; minus infinity while it is not. */
  #typedAt = -Infinity;
  #stopTyping: (() => void) | null = null;
  #envelope: Promise<Envelope> | null = null;
  #passphrase = '';
  #complained = false;
  #over = false;

  constructor(env: ChatEnvironment) {
    this.#env = env;

    const { platform } = env;
    this.#queue = new SerialQueue((error) => this.#complain(error));
    this.#typingBucket = new Bucket(1, 4, () => platform.now());
    this.#copies = new Bucket(COPIES_PER_SECOND, COPIES_BURST, () => platform.now());
    this.configure();
  }

  /** @throws {PmError} `usage` for a text that cannot be said, otherwise why it was not; it is kept then */
  send(text: string): Promise<void> {
    const { platform, state } = this.#env;
    const { id: from, name } = state().participants[0]!;
    if (!/^(joined|reconnecting)$/.test(state().phase) || !text.trim() || !this.#fits(text))
      return Promise.reject(new PmError('usage', 'Nothing to say, too much, or not in a room.'));
    const id = platform.randomId();
    const security = this.#secret ? 'encrypted' : 'plain';
    this.#put({ id, from, name, text, at: platform.date(), state: 'sending', security, image: null });
    this.setTyping(false);
    return this.#deliver(id, text, this.#secret);
  }

  /** Says again what failed. */
  retry(id: string): Promise<void> {
    const message = this.#messages.get(id);
    return message?.state === 'failed'
      ? this.#deliver(id, message.text, message.security === 'encrypted')
      : Promise.reject(new PmError('usage', 'No failed message.'));
  }

  /** The room is joined, or joined again: whatever is not confirmed goes out. */
  flush(): void {
    for (const id of this.#unconfirmed.keys()) this.#post(id);
  }

  /** The passphrase may have changed. */
  configure(): void {
    const { passphrase } = this.#env.options();
    if (passphrase === this.#passphrase) return;
    this.#passphrase = passphrase;
    this.#complained = false;
    // Loaded ahead: the page's server may be as far away as the relay when it is needed.
    if (this.#secret) this.#queue.push(async () => void (await this.#load()));
    for (const [id, [json, bound]] of this.#sealed)
      this.#queue.push(async () => {
        const message = this.#messages.get(id);
        const read = await this.#open(id, json, bound);
        if (message && read.security !== 'undecryptable') this.#put({ ...message, ...read }, true);
      });
  }

  /** The relay refused what was said. */
  refused(id: string, error: PmError): void {
    const out = this.#unconfirmed.get(id);
    if (!out) return;
    this.#unconfirmed.delete(id);
    this.#fail(id, out, error);
  }

  receive({ from = '', room = '', ...message }: Extract<RelayMessage, { type: ChatType }>): void {
    const { participants } = this.#env.state();
    const own = from === participants[0]!.id;
    if (message.type === 'chat.typing') {
      if (!own && participants.some(({ id }) => id === from)) this.#typing(from, message.data.typing);
      return;
    }
    const { message: text, id } = message.data;
    // An original server may have dropped the id from the echo of one's own message.
    const unnamed = own && !id && [...this.#unconfirmed].find(([, { wire }]) => wire === text)?.[0];
    const key = unnamed || (own && id) || `${from} ${id ?? this.#env.platform.randomId()}`;
    const out = own && this.#unconfirmed.get(key);
    if (out) {
      this.#unconfirmed.delete(key);
      out.cancel();
      out.resolve();
      this.#change(key, { state: 'sent' }, true);
      if (id) this.#copy(id, text);
      return;
    }
    this.#queue.push(async () => {
      // Said again since its echo was lost, or longer than anybody may say.
      if (this.#has(key) || !text.trim() || text.length > 2 * LIMITS.messageLength) return;
      const mark = `${this.#env.wire().prefix}:`;
      const read = text.startsWith(`${mark}{`)
        ? await this.#open(key, text.slice(mark.length), `${room}|${from}`)
        : { text, security: 'plain' as const };
      this.#typing(from, false);
      this.#add(key, from, { ...read, image: null });
    });
  }

  /** One of ours tells directly what the relay may have failed to. */
  copied(from: string, { said }: Copy): void {
    if (!Array.isArray(said)) return;
    const { room } = this.#env.wire();
    const copies = said.filter(messageData).filter(({ id }) => id);
    const keys = copies.map(({ id }) => `${from} ${id!}`);
    copies.forEach((data, index) => {
      if (!this.#has(keys[index]!) && this.#copies.take())
        this.receive({ type: 'chat.message', from, room, data });
    });
    this.#queue.push(() => this.#arrange(keys));
  }

  /** What came directly may have come before or after what the relay told: `keys` are in the order of saying. */
  #arrange(keys: readonly string[]): void {
    const order = [...this.#messages.keys()];
    const known = [...new Set(keys)].filter((key) => this.#messages.has(key));
    let moved = false;
    for (let index = known.length - 2; index >= 0; index -= 1) {
      const [key, next] = [known[index]!, known[index + 1]!];
      const at = order.indexOf(key);
      if (at < order.indexOf(next)) continue;
      order.splice(at, 1);
      order.splice(order.indexOf(next), 0, key);
      moved = true;
    }
    if (!moved) return;
    const arranged = order.map((key) => [key, this.#messages.get(key)!] as const);
    this.#messages.clear();
    for (const [key, message] of arranged) this.#messages.set(key, message);
    this.#publish();
  }

  /** A picture came from somebody's browser, or (`from` undefined) was sent to others'. */
  show(image: Blob, text: string, from = this.#env.state().participants[0]!.id): void {
    this.#add(this.#env.platform.randomId(), from, { text, security: 'direct', image });
  }

  /** Ends by itself a few seconds after it was last set. */
  setTyping(on: boolean): void {
    const { platform, state, say, wire } = this.#env;
    this.#stopTyping?.();
    this.#stopTyping = on ? platform.after(TYPING_IDLE, () => this.setTyping(false)) : null;
    const silence = platform.now() - this.#typedAt;
    const due = on ? silence >= TYPING_AGAIN : silence < Infinity;
    if (!due || state().phase !== 'joined' || !this.#typingBucket.take()) return;
    this.#typedAt = on ? platform.now() : -Infinity;
    say({ type: 'chat.typing', room: wire().room, data: { typing: on } });
  }

  end(): void {
    for (const id of this.#unconfirmed.keys()) this.refused(id, new PmError('usage', 'The call was left.'));
    this.#stopTyping?.();
    for (const id of this.#typists.keys()) this.#typing(id, false);
    this.#over = true;
  }

  get #secret(): boolean {
    return this.#env.options().passphrase.trim() !== '';
  }

  #fits(text: string): boolean {
    const { wire, plain } = this.#env;
    if (!this.#secret && !plain()) return codePoints(text) <= LIMITS.messageLength;
    const base64 = 4 * Math.ceil((new TextEncoder().encode(text).length + 16) / 3);
    return (
      codePoints(text) <= SEALED_LENGTH && wire().prefix.length + ENVELOPE + base64 <= LIMITS.messageLength
    );
  }

  #deliver(id: string, text: string, secret: boolean): Promise<void> {
    const out = { ...deferred(), text, secret, wire: '', cancel: () => undefined };
    this.#unconfirmed.set(id, out);
    this.#post(id);
    return out.promise;
  }

  #post(id: string): void {
    const { platform, state, say, wire } = this.#env;
    const out = this.#unconfirmed.get(id)!;
    out.secret ||= this.#secret;
    out.cancel();
    out.cancel = platform.after(CONFIRM_TIMEOUT, () =>
      this.#fail(id, out, new PmError('relay-unreachable', 'The message was not confirmed.')),
    );
    this.#change(id, { state: 'sending', security: out.secret ? 'encrypted' : 'plain' });
    this.#queue.push(async () => {
      try {
        // While the relay is away it waits for `flush`.
        if (state().phase !== 'joined') return;
        out.wire = await this.#seal(out);
        if (this.#unconfirmed.get(id) === out && state().phase === 'joined')
          say({ type: 'chat.message', room: wire().room, data: { message: out.wire, id } });
      } catch (error) {
        this.refused(id, toPmError(error, 'crypto-unsupported'));
      }
    });
  }

  async #seal({ text, secret }: Outgoing): Promise<string> {
    const { platform, wire, plain, state } = this.#env;
    const passphrase = this.#secret ? this.#env.options().passphrase : '';
    // What was written under a passphrase never goes out in the clear.
    if (secret && !passphrase) throw new PmError('usage', 'The passphrase is gone.');
    // Original clients expect an envelope. Without a passphrase it keeps no secret, and text does as well.
    if (!passphrase && !(plain() && platform.subtle)) return text;
    const { room, prefix } = wire();
    const envelope = await this.#load();
    return `${prefix}:${await envelope.seal(text, passphrase, `${room}|${state().participants[0]!.id}`)}`;
  }

  async #open(id: string, json: string, bound: string): Promise<Pick<ChatMessage, 'text' | 'security'>> {
    let error: unknown = new PmError('decrypt-failed', 'Written under another passphrase.');
    try {
      const envelope = await this.#load();
      const { passphrase } = this.#env.options();
      const opened = await envelope.open(json, new Set([this.#secret ? passphrase : '', '']), bound);
      if (opened) {
        this.#sealed.delete(id);
        return { text: opened.text, security: opened.passphrase ? 'encrypted' : 'plain' };
      }
    } catch (cause) {
      error = cause;
    }
    this.#sealed.set(id, [json, bound]);
    this.#complain(error);
    return { text: '', security: 'undecryptable' };
  }

  #load(): Promise<Envelope> {
    const { platform, room } = this.#env;
    this.#envelope ??= platform
      .work(import('../crypto/envelope.ts'))
      .then((module) => new module.Envelope(platform, room))
      .catch((error: unknown) => {
        this.#envelope = null;
        throw toPmError(error, 'crypto-unsupported');
      });
    return this.#envelope;
  }

  #has(id: string): boolean {
    return this.#messages.has(id) || this.#forgotten.has(id);
  }

  /** Tells everybody who is there now what the relay has told them, or should have. */
  #copy(id: string, message: string): void {
    const { platform, state, announce } = this.#env;
    const [, ...others] = state().participants;
    const at = platform.now();
    for (const peer of this.#said.keys()) if (!participant(state(), peer)) this.#said.delete(peer);
    for (const { id: peer } of others) {
      const said = [...(this.#said.get(peer) ?? []), { id, message, at }].filter(
        (each) => at - each.at < COPIES_KEPT,
      );
      while (said.length > 1 && JSON.stringify(said).length > COPIES_LENGTH) said.shift();
      this.#said.set(peer, said);
      announce({ t: 'chat', said }, peer);
    }
  }

  /** Once for each passphrase. */
  #complain(error: unknown): void {
    if (!this.#complained && !this.#over) this.#env.onError(toPmError(error, 'decrypt-failed'));
    this.#complained = true;
  }

  #fail(id: string, out: Outgoing, error: PmError): void {
    out.cancel();
    out.reject(error);
    this.#change(id, { state: 'failed' });
  }

  #add(id: string, from: string, fields: Pick<ChatMessage, 'text' | 'security' | 'image'>): void {
    const { platform, state } = this.#env;
    const name = state().participants.find((each) => each.id === from)?.name ?? '';
    this.#put({ id, from, name, at: platform.date(), state: 'sent', ...fields }, true);
  }

  #change(id: string, patch: Partial<ChatMessage>, said = false): void {
    const message = this.#messages.get(id);
    if (message) this.#put({ ...message, ...patch }, said);
  }

  #put(message: ChatMessage, said = false): void {
    const messages = this.#messages;
    if (this.#over) return;
    messages.set(message.id, Object.freeze(message));
    let room = PICTURES;
    let count = HISTORY;
    for (const { id, image } of [...messages.values()].reverse()) {
      if (--count >= 0 && (room -= image?.size ?? 0) >= 0) continue;
      messages.delete(id);
      this.#sealed.delete(id);
      this.#forgotten.add(id);
      if (this.#forgotten.size > FORGOTTEN) this.#forgotten.delete(this.#forgotten.values().next().value!);
    }
    this.#publish(said ? { said: message } : {});
  }

  #publish(news: { said?: ChatMessage } = {}): void {
    const patch = { messages: Object.freeze([...this.#messages.values()]) };
    this.#env.dispatch({ type: 'chat', patch, ...news });
  }

  #typing(id: string, on: boolean): void {
    const { platform, state, dispatch } = this.#env;
    this.#typists.get(id)?.();
    this.#typists.delete(id);
    if (on)
      this.#typists.set(
        id,
        platform.after(TYPING_EXPIRES, () => this.#typing(id, false)),
      );
    const { typing } = state();
    if (typing.includes(id) === on) return;
    const now = on ? [...typing, id] : typing.filter((each) => each !== id);
    dispatch({ type: 'chat', patch: { typing: Object.freeze(now) } });
  }
}
