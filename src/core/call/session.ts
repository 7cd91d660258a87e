/**
 * One presence in one room, from the lobby to the end: the socket, the connections and the roster, and nothing that
 * outlives them. A call makes a new one for every lobby or join.
 */
import type { Chat } from '../chat/chat.ts';
import { PmError, toPmError, type PmErrorCode } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { LIMITS, type Joined, type RelayData, type RelayMessage, type Welcome } from '../protocol/index.ts';
import type { Signaling, SignalingHandler } from '../signaling/signaling.ts';
import { asRole, NONE, type CallState, type Reason } from '../state/call-state.ts';
import type { Action } from '../state/reducer.ts';
import type {
  LinkConfiguration,
  MediaTransport,
  PeerInfo,
  PreparedOffer,
  SignalPort,
} from '../transport/transport.ts';
import { deferred, type Deferred } from '../util/async.ts';
import { Lazy } from '../util/lazy.ts';
import { Scope } from '../util/scope.ts';
import { Roster } from './roster.ts';
import type { CallOptions } from './types.ts';
import { asReason, fromSignal, joinData, toSignal } from './wire.ts';

/** Failed attempts before a first connect is given up; a call that is under way never gives up. */
const FIRST_ATTEMPTS = 4;
/** How long the relay may take to answer a join, in milliseconds. */
const JOIN_TIMEOUT = 10_000;
/** Peers who say that the relay is there are listened to so often, in milliseconds. */
const HEAR_EVERY = 500;
/** How long (ms) after somebody was lost to sight the relay is looked for without long waits. */
const URGENT = 20_000;
/** The relay's codes that a page may see; whatever else it says is a protocol matter. */
const REFUSALS: readonly PmErrorCode[] = [
  'room-full',
  'room-locked',
  'not-admitted',
  'rate-limited',
  'token-invalid',
];

export interface SessionEnvironment {
  readonly platform: Platform;
  readonly room: string;
  readonly roomPrefix: string | null;
  readonly options: () => CallOptions;
  readonly state: () => CallState;
  readonly dispatch: (action: Action) => void;
  readonly createSignaling: (handler: SignalingHandler) => Signaling;
  readonly createTransport: (port: SignalPort, config: LinkConfiguration) => Promise<MediaTransport>;
  /** The transport is there: publish what is captured. */
  readonly onTransport: (transport: MediaTransport) => void;
  readonly onJoined: () => void;
  readonly onPeer: (peer: PeerInfo) => void;
  /** A host asks for silence. */
  readonly onMute: () => void;
  readonly onError: (error: PmError) => void;
  /** The session cannot go on. */
  readonly onEnd: (reason: Reason | null, error: PmError | null) => void;
}

export class Session implements SignalingHandler {
  readonly #env: SessionEnvironment;

  readonly #scope = new Scope();
  readonly #signaling: Signaling;
  readonly chat: Lazy<Chat>;
  readonly #transportReady: Promise<void>;
  /** Settles when the relay can be talked to; a new one after every loss. */
  #ready = deferred();
  /** The join that the relay has not answered yet. */
  #joining: Deferred | null = null;
  #stopPatience: (() => void) | null = null;
  #joined = false;
  #heardAt = -Infinity;
  /** When somebody was last lost to sight. */
  #interruptedAt = -Infinity;
  #stopSweep: (() => void) | null = null;
  #transport: MediaTransport | null = null;
  #roster: Roster | null = null;
  #welcome: Welcome | null = null;
  #offers: readonly PreparedOffer[] = [];

  constructor(env: SessionEnvironment) {
    this.#env = env;

    const { dispatch, platform } = env;
    this.#signaling = env.createSignaling(this);
    dispatch({ type: 'chat', patch: { messages: NONE, typing: NONE } });
    this.chat = new Lazy(async () => {
      const { Chat } = await platform.work(import('../chat/chat.ts')).catch((error: unknown) => {
        throw toPmError(error, 'unsupported');
      });
      if (this.#scope.ended) throw ended();
      return new Chat({
        ...env,
        say: (message) => this.#signaling.send(message),
        announce: (message, to) => this.#transport?.announce(message, to),
        wire: () => ({
          room: this.#wireName(),
          prefix: this.#prefix('e2ee'),
        }),
        plain: () => this.#roster?.plain ?? false,
      });
    });
    this.#scope.add(
      platform.onPage((event) => {
        if (event === 'pagehide') return;
        this.#signaling.nudge();
        if (event === 'online') this.#transport?.nudge();
      }),
    );
    dispatch({ type: 'relay', relay: 'connecting' });
    // Made while the socket connects.
    this.#transportReady = this.#makeTransport();
    this.#transportReady.catch((error: unknown) => env.onEnd(null, toPmError(error, 'unsupported')));
    this.#signaling.start();
  }

  timeline(id: string): ReturnType<MediaTransport['timeline']> {
    return this.#transport?.timeline(id) ?? [];
  }

  /** Gathers offers ahead of the join, which the relay deals. */
  async prepare(count: number = LIMITS.joinOffers): Promise<void> {
    await this.#ready.promise;
    if (!this.#plain) this.#offers = (await this.#transport?.prepare(count)) ?? [];
  }

  /** Enters the room. @throws {PmError} when the relay refuses or does not answer */
  async join(): Promise<void> {
    await this.#ready.promise;
    if (this.#signaling.renew()) this.#unready();
    // Without a lobby before, the join waits for one offer alone.
    await this.prepare(1);
    if (this.#scope.ended) throw ended();
    const joining = (this.#joining = deferred());
    this.#stopPatience = this.#scope.after(this.#env.platform, JOIN_TIMEOUT, () =>
      joining.reject(new PmError('relay-unreachable', 'The relay did not answer the join.')),
    );
    this.#sendJoin();
    try {
      await joining.promise;
    } finally {
      this.#stopPatience();
      this.#joining = null;
    }
  }

  configure(): void {
    this.chat.now?.configure();
    this.#transport?.configure(this.#rtcConfig());
  }

  /** @param reason told to the others where the relay can */
  end(reason: Reason): void {
    if (this.#scope.ended) return;
    this.#scope.end();
    this.chat.now?.end();
    this.#roster?.end();
    this.#signaling.close(
      this.#joined ? { type: 'chat.leave', room: this.#wireName(), data: { reason } } : undefined,
    );
    this.#transport?.close();
    this.#ready.reject(ended());
    this.#joining?.reject(ended());
    this.#env.dispatch({ type: 'relay', relay: 'closed' });
  }

  async #makeTransport(): Promise<void> {
    const env = this.#env;
    const signaling = this.#signaling;
    const port: SignalPort = {
      get open() {
        return signaling.open;
      },
      get sure() {
        return signaling.sure;
      },
      send: (to, signal) => signaling.send(fromSignal(this.#wireName(), to, signal, this.#plain)),
    };
    const transport = await env.createTransport(port, this.#rtcConfig());
    if (this.#scope.ended) return transport.close();
    this.#transport = transport;
    this.#roster = new Roster({
      platform: env.platform,
      transport,
      dispatch: env.dispatch,
      state: env.state,
      maxPeers: () => env.options().maxPeers,
      relayOpen: () => this.#joined && this.#signaling.open,
      onPeer: env.onPeer,
    });
    this.#scope.add(
      transport.on('message', ({ id, message }) => {
        if (message.t === 'chat') this.withChat((chat) => chat.copied(id, message));
        if (message.t === 'relay') this.#hear();
      }),
    );
    this.#scope.add(transport.on('error', ({ error }) => env.onError(error)));
    // What cut the path to a peer may have cut the relay's as well, and nothing is repaired without signals.
    this.#scope.add(
      transport.on('link', ({ state }) => {
        if (state !== 'interrupted') return;
        this.#interruptedAt = env.platform.now();
        this.#signaling.nudge();
      }),
    );
    env.onTransport(transport);
  }

  #rtcConfig(): LinkConfiguration {
    const { iceServers, icePolicy } = this.#env.options();
    return {
      fileLabel: this.#prefix('file'),
      iceServers: [...(this.#welcome?.iceServers ?? []), ...iceServers] as RTCIceServer[],
      iceTransportPolicy: icePolicy,
    };
  }

  opened(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#env.dispatch({ type: 'relay', relay: 'open' });
    // Whoever finds the way back first spares the others their waits.
    if (this.#joined)
      for (const { id } of this.#env.state().participants) this.#transport?.tell(id, { t: 'relay' });
    const ready = () => {
      if (this.#scope.ended) return;
      this.configure();
      this.#ready.resolve();
      if (this.#joined || this.#waiting) this.#sendJoin();
    };
    // Its failure has ended the session already.
    this.#transportReady.then(ready, () => undefined);
  }

  /** A peer has found the relay. Its word alone must not make us knock without end. */
  #hear(): void {
    const now = this.#env.platform.now();
    if (now - this.#heardAt < HEAR_EVERY) return;
    this.#heardAt = now;
    this.#signaling.nudge();
  }

  get urgent(): boolean {
    const lately = this.#env.platform.now() < this.#interruptedAt + URGENT;
    return lately && this.#env.state().participants.some(({ link }) => link === 'interrupted');
  }

  answered(): void {
    if (this.#joined) this.#transport?.reachable();
  }

  /** Whoever waits already waits for the next time. */
  #unready(): void {
    const before = this.#ready;
    this.#ready = deferred();
    this.#ready.promise.then(
      () => before.resolve(),
      (error: unknown) => before.reject(error),
    );
  }

  lost(): void {
    this.#unready();
    this.#env.dispatch({ type: 'relay', relay: 'connecting' });
    if (this.#joined) this.#env.dispatch({ type: 'phase', phase: 'reconnecting' });
    // Whoever waits for a host waits again when it is back.
    if (!this.#waiting) this.#joining?.reject(new PmError('relay-unreachable', 'The relay went away.'));
  }

  failed(error: PmError, attempt: number): void {
    // Losing the relay never ends a call; what is worth saying is said once.
    if (this.#joined || this.#waiting) {
      if (attempt === 0 && error.code !== 'relay-unreachable') this.#env.onError(error);
    } else if (!error.recoverable || attempt + 1 >= FIRST_ATTEMPTS) {
      this.#ready.reject(error);
      this.#env.onEnd(null, error);
    }
  }

  replaced(): void {
    this.#env.onEnd('replaced', null);
  }

  message(message: RelayMessage): void {
    if (message.room !== undefined && message.room !== this.#wireName()) return;
    switch (message.type) {
      case 'relay.ice':
        if (this.#welcome) this.#welcome = { ...this.#welcome, iceServers: message.data.iceServers };
        return this.configure();
      case 'general.error':
        return this.#onRefusal(message.data);
      case 'room.joined':
        return this.#onJoined(message.data);
      case 'room.users': {
        const { users } = message.data;
        // A plain server has no other answer to a join.
        if (this.#plain && this.#env.state().phase !== 'joined')
          this.#onJoined({ users, seq: -1, dealt: [] });
        else if (this.#joined) this.#roster?.list(users);
        return;
      }
      case 'room.left': {
        const { userID, reason } = message.data;
        // Removed, or the room was ended: so says a host, and nobody else.
        if (userID === this.#welcome?.self.userID) return this.#env.onEnd(asReason(reason), null);
        return this.#roster?.left(userID, asReason(reason));
      }
      case 'room.waiting':
        if (!message.data.users && this.#joining) {
          this.#stopPatience?.();
          this.#env.dispatch({ type: 'phase', phase: 'waiting' });
        }
        return;
      case 'room.admitted':
        if (this.#waiting) this.#sendJoin();
        return;
      case 'room.mute':
        return this.#env.onMute();
      case 'chat.message':
      case 'chat.typing':
        return this.withChat((chat) => chat.receive(message));
      case 'webrtc.offer':
      case 'webrtc.answer':
      case 'webrtc.iceCandidate':
        // A plain server tells everybody.
        if (message.from && message.data.to === this.#welcome?.self.userID)
          this.#transport?.receive(message.from, toSignal(message));
        return;
      default:
        return;
    }
  }

  /** Runs with the chat, once it is loaded. */
  withChat(run: (chat: Chat) => void): void {
    this.chat
      .use(run)
      .catch((error: unknown) => this.#env.platform.log('warn', 'The chat could not be loaded.', error));
  }

  #onRefusal({ code = '', error: text, type, id }: RelayData<'general.error'>): void {
    const known = REFUSALS.find((each) => each === code) ?? 'protocol';
    const error = new PmError(known, `The relay refused: ${text}`);
    if (type === 'chat.message' && id) return this.chat.now?.refused(id, error);
    if (type !== 'chat.join') return this.#env.onError(error);
    if (this.#joining) this.#joining.reject(error);
    // Back from a lost socket, our place may be gone.
    else this.#env.onEnd(null, error);
  }

  #onJoined({ users, seq, dealt }: Joined): void {
    const self = this.#welcome?.self;
    const own = users.find(({ userID }) => userID === self?.userID);
    if (!self || !own || !this.#roster) return;
    if (!this.#joined && users.length - 1 > this.#env.options().maxPeers) {
      return this.#joining?.reject(new PmError('room-full', 'The room is full.'));
    }
    this.#roster.identify(self.userID, seq);
    const patch = { id: self.userID, name: own.username, role: asRole(self.role) };
    this.#env.dispatch({ type: 'update', id: 'self', patch });
    this.#entered();
    this.#roster.list(
      users,
      new Map(dealt.flatMap((id, index) => (id ? [[id, this.#offers[index]?.conn ?? ''] as const] : []))),
    );
    this.#transport?.discardPrepared();
    this.#offers = [];
    this.#settled();
    // Whoever has not come back to a restarted relay within the grace is gone.
    const grace = (this.#welcome?.graceSeconds ?? 0) * 1_000;
    this.#stopSweep?.();
    this.#stopSweep = this.#scope.after(this.#env.platform, grace, () => this.#roster?.sweep(true));
  }

  #entered(): void {
    this.#env.dispatch({ type: 'phase', phase: 'joined' });
    if (this.#joined) return;
    this.#joined = true;
    this.#env.onJoined();
  }

  /** The room is ours again: held signals go out, and those that a dying socket may have swallowed go again. */
  #settled(): void {
    this.#signaling.release();
    if (!this.#joining) {
      this.#transport?.resend();
      this.#transport?.reachable();
    }
    this.#joining?.resolve();
    this.withChat((chat) => chat.flush());
  }

  #sendJoin(): void {
    const offers = this.#joined ? [] : this.#offers;
    const data = this.#plain ? {} : joinData(this.#env.options(), offers);
    this.#signaling.send({ type: 'chat.join', room: this.#wireName(), data });
  }

  /** As the page has it, or else the relay. */
  #prefix(of: 'e2ee' | 'file'): string {
    const { e2eePrefix, fileChannelLabel } = this.#env.options();
    return (of === 'file' ? fileChannelLabel : e2eePrefix) ?? this.#welcome?.prefixes[of] ?? '';
  }

  /** For a host's word. */
  get #waiting(): boolean {
    return this.#env.state().phase === 'waiting';
  }

  /** On a server that knows nothing of our extension. */
  get #plain(): boolean {
    return this.#welcome?.protocol === 0;
  }

  #wireName(): string {
    const prefix = this.#env.roomPrefix ?? this.#welcome?.prefixes.room;
    return prefix ? `${prefix}:${this.#env.room}` : this.#env.room;
  }
}

const ended = () => new PmError('usage', 'The call was left.');
