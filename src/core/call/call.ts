/** The composition root of a call, and the only one that changes its state. */
import { PmError, toPmError } from '../errors.ts';
import type { Device } from '../media/constraints.ts';
import type { Processor } from '../media/processing.ts';
import { LocalMedia } from '../media/local-media.ts';
import { browserPlatform, type Platform } from '../platform.ts';
import { LIMITS } from '../protocol/index.ts';
import { relayUrls } from '../signaling/relay-url.ts';
import { TokenSource } from '../signaling/token-source.ts';
import { WebSocketSignaling } from '../signaling/websocket.ts';
import {
  initialState,
  SOURCE_NAMES,
  type CallState,
  type Reason,
  type RecordedFile,
  type RecordingOptions,
  type Source,
  type DeviceKind,
  type MediaDevice,
  type SourceName,
} from '../state/call-state.ts';
import { reduce, type Action } from '../state/reducer.ts';
import { Store } from '../state/store.ts';
import { MeshTransport } from '../transport/mesh/mesh-transport.ts';
import type { MediaStates, MediaTransport, TimelineEntry } from '../transport/transport.ts';
import { Emitter } from '../util/emitter.ts';
import { Awareness } from './awareness.ts';
import { notify } from './notices.ts';
import { isActive, mayFollow } from './phase.ts';
import { Recording } from './recording.ts';
import { checkRoom } from './room-name.ts';
import { Session } from './session.ts';
import { Talk } from './talk.ts';
import type {
  AcceptFileOptions,
  CallEvents,
  CallLike,
  CallOptions,
  SendDataOptions,
  SendFileOptions,
  Size,
} from './types.ts';

export const DEFAULT_OPTIONS: CallOptions = Object.freeze({
  room: '',
  relay: '/ws',
  displayName: '',
  token: null,
  getToken: null,
  micOff: false,
  cameraOff: false,
  iceServers: [],
  icePolicy: 'all',
  maxPeers: 8,
  roomPrefix: null,
  e2eePrefix: null,
  fileChannelLabel: null,
  passphrase: '',
  audioProcessing: Object.freeze({}),
  screenHint: 'detail',
});

export class Call implements CallLike {
  readonly #platform: Platform;

  readonly #store: Store;
  readonly #events: Emitter<CallEvents>;
  readonly #media: LocalMedia;
  readonly #talk: Talk;
  readonly #awareness: Awareness;
  readonly #tokens: TokenSource;
  readonly #recording: Recording;
  readonly #tracks = new Map<SourceName, MediaStreamTrack | null>();
  #options: CallOptions = DEFAULT_OPTIONS;
  #session: Session | null = null;
  #lastSession: Session | null = null;
  #joining: Promise<void> | null = null;
  #transport: MediaTransport | null = null;
  #resumeSound: (() => void) | undefined;
  #disposed = false;
  readonly #stopListening: () => void;

  constructor(platform: Platform = browserPlatform()) {
    this.#platform = platform;

    const report = (error: unknown) => platform.log('error', 'A listener of the call failed.', error);
    this.#store = new Store(initialState(), report);
    this.#events = new Emitter(report);
    this.#tokens = new TokenSource(platform, () => ({
      ...this.#options,
      // Nothing about a person leaves the page before the click: in the lobby the relay meets a guest.
      displayName: isActive(this.snapshot.phase) ? this.#options.displayName : '',
    }));
    this.#media = new LocalMedia(platform, {
      settings: () => this.#options,
      wanted: (source, on) => this.#dispatch({ type: 'wanted', wanted: { [source]: on } }),
      changed: (name, source, track) => this.#onSource(name, source, track),
      set: (patch) => this.#dispatch({ type: 'set', patch }),
      failed: (error) => this.#fail(error),
      problem: (source, error) => {
        this.#dispatch({ type: 'problem', source, code: error?.code ?? null });
        if (error) this.#fail(error);
      },
    });
    this.#talk = new Talk({
      platform,
      state: () => this.snapshot,
      dispatch: (action) => this.#dispatch(action),
      events: this.#events,
      show: (...picture) => this.#session?.withChat((chat) => chat.show(...picture)),
      kept: {},
    });
    this.#awareness = new Awareness({
      platform,
      state: () => this.snapshot,
      subscribe: (selector, callback) => this.#store.subscribe(selector, callback),
      dispatch: (action) => this.#dispatch(action),
    });
    this.#media.want('mic', true);
    this.#media.want('camera', true);
    this.#recording = new Recording({
      platform,
      state: () => this.snapshot,
      watch: (callback) => this.#store.subscribe((state) => state, callback),
      announce: (on) => {
        this.#transport?.announce({ t: 'recording', on });
        this.#dispatch({ type: 'update', id: 'self', patch: { recording: on } });
      },
      ended: (result) => {
        const participant = this.snapshot.participants[0]!;
        this.#events.emit('recording-change', { participant, recording: false, result });
      },
      fail: (error) => this.#fail(error),
    });
    this.#stopListening = platform.onPage((event) => {
      if (event === 'pagehide') this.#finish('page-hidden', null);
    });
  }

  get snapshot(): CallState {
    return this.#store.get();
  }

  subscribe<T>(selector: (state: CallState) => T, callback: (value: T, before: T) => void): () => void {
    return this.#store.subscribe(selector, callback);
  }

  on<K extends keyof CallEvents>(name: K, callback: (detail: CallEvents[K]) => void): () => void {
    return this.#events.on(name, callback);
  }

  configure(options: Partial<CallOptions>): void {
    const before = this.#options;
    const merged = { ...before, ...options };
    // A name that is too long is cut: it must not keep anybody out.
    const displayName = Array.from(merged.displayName.trim()).slice(0, LIMITS.nameLength).join('');
    this.#options = { ...merged, displayName };
    const { room, micOff, cameraOff } = merged;
    if (!isActive(this.snapshot.phase)) {
      this.#dispatch({ type: 'room', room });
      this.#dispatch({ type: 'update', id: 'self', patch: { name: displayName } });
      if (micOff !== before.micOff) this.#media.want('mic', !micOff);
      if (cameraOff !== before.cameraOff) this.#media.want('camera', !cameraOff);
    }
    if (merged.audioProcessing !== before.audioProcessing) this.#media.retune();
    this.#session?.configure();
  }

  async prepare(): Promise<void> {
    const { phase } = this.snapshot;
    if (isActive(phase) || (phase === 'lobby' && this.#session)) return;
    try {
      const session = this.#begin('lobby');
      await session.prepare();
    } catch (error) {
      // The lobby stays: joining tries again. What the page must mend has ended it already.
      this.#platform.log('debug', 'The lobby could not be prepared.', error);
    }
  }

  async preview(): Promise<void> {
    await this.#media.start();
  }

  join(): Promise<void> {
    if (!this.#joining) {
      const joining = this.#enter().finally(() => {
        if (this.#joining === joining) this.#joining = null;
      });
      this.#joining = joining;
    }
    return this.#joining;
  }

  leave(reason: Reason = 'user'): Promise<void> {
    this.#finish(reason, null);
    return Promise.resolve();
  }

  toggleMic(force?: boolean): Promise<boolean> {
    return this.#toggle('mic', force);
  }

  toggleCamera(force?: boolean): Promise<boolean> {
    return this.#toggle('camera', force);
  }

  async toggleHand(force?: boolean): Promise<boolean> {
    return this.#talk.hand(force);
  }

  react(emoji: string): Promise<void> {
    return this.#talk.use((parts) => parts.react(emoji));
  }

  sendData(topic: string, data: unknown, options: SendDataOptions = {}): Promise<void> {
    return this.#talk.use((parts) => parts.data.send(topic, data, options));
  }

  sendMessage(text: string): Promise<void> {
    return this.#session?.chat.use((chat) => chat.send(text)) ?? outside();
  }

  retryMessage(id: string): Promise<void> {
    return this.#session?.chat.use((chat) => chat.retry(id)) ?? outside();
  }

  setTyping(on: boolean): void {
    this.#session?.chat.now?.setTyping(on);
  }

  sendFile(file: Blob, { to }: SendFileOptions = {}): Promise<readonly string[]> {
    return this.#talk.use((parts) => parts.sendFile(file, to));
  }

  acceptFile(id: string, { handle }: AcceptFileOptions = {}): Promise<void> {
    return this.#talk.use(async (parts) => (await parts.files()).accept(id, handle));
  }

  declineFile(id: string): Promise<void> {
    return this.#talk.use(async (parts) => (await parts.files()).decline(id));
  }

  cancelFile(id: string): Promise<void> {
    return this.#talk.use(async (parts) => (await parts.files()).cancel(id));
  }

  startRecording(options?: RecordingOptions): Promise<void> {
    return this.#recording.start(options);
  }

  stopRecording(): Promise<RecordedFile> {
    return this.#recording.stop();
  }

  async toggleScreen(force?: boolean): Promise<boolean> {
    const on = force ?? !this.snapshot.wanted.screen;
    if (on && !isActive(this.snapshot.phase)) throw new PmError('usage', 'Not in a room.');
    await this.#media.share(on);
    return this.snapshot.wanted.screen;
  }

  devices(): Promise<readonly MediaDevice[]> {
    return this.#media.use((control) => control.devices());
  }

  setDevice(kind: DeviceKind, id: string): Promise<void> {
    return this.#media.use((control) => control.choose(kind, id));
  }

  setProcessor(device: Device, processor: Processor | null): Promise<void> {
    return this.#media.use((control) => control.process(device, processor));
  }

  timeline(id: string): readonly TimelineEntry[] {
    return (this.#session ?? this.#lastSession)?.timeline(id) ?? [];
  }

  getStats(): ReturnType<CallLike['getStats']> {
    return Promise.resolve(this.#transport?.stats() ?? []);
  }

  show(id: string, source: 'camera' | 'screen', size: Size | null, viewer: object = this): void {
    this.#awareness.show(id, source, size, viewer);
  }

  levels(id: string, callback: (level: number) => void): () => void {
    return this.#awareness.levels(id, callback);
  }

  reportPlaybackBlocked(cause: unknown, resume?: () => void): void {
    this.#resumeSound = resume;
    this.#dispatch({ type: 'set', patch: { soundBlocked: cause !== null } });
    if (cause !== null)
      this.#fail(new PmError('playback-blocked', 'Sound needs a click on the page first.', cause));
  }

  playSound(): void {
    this.#resumeSound?.();
  }

  dispose(reason: Reason = 'element-removed'): void {
    this.#disposed = true;
    this.#finish(reason, null);
    this.#stopListening();
  }

  #dispatch(action: Action): void {
    const before = this.#store.get();
    const after = reduce(before, action);
    if (after === before) return;
    if (before.phase !== after.phase && !mayFollow(before.phase, after.phase)) {
      this.#platform.log('error', `A call cannot go from ${before.phase} to ${after.phase}.`);
      return;
    }
    this.#store.set(after);
    notify(before, after, action, (name, detail) => this.#events.emit(name, detail));
  }

  /** @throws {PmError} when a setting makes a start impossible; the phase then is `failed` */
  #begin(phase: 'lobby' | 'joining'): Session {
    try {
      if (this.#disposed) throw new PmError('usage', 'The call was disposed of: make another one.');
      const room = checkRoom(this.#options.room);
      const relays = relayUrls(this.#options.relay, this.#platform.baseUrl);
      this.#dispatch({ type: 'phase', phase });
      this.#session ??= this.#openSession(room, relays);
      return this.#session;
    } catch (error) {
      const failure = toPmError(error, 'usage');
      this.#finish(null, failure);
      throw failure;
    }
  }

  #openSession(room: string, relays: readonly URL[]): Session {
    const platform = this.#platform;
    const session: Session = new Session({
      platform,
      room,
      roomPrefix: this.#options.roomPrefix,
      options: () => this.#options,
      state: () => this.snapshot,
      dispatch: (action) => this.#dispatch(action),
      createSignaling: (handler) =>
        new WebSocketSignaling(
          platform,
          { relays, session: platform.randomId(128), tokens: this.#tokens },
          handler,
        ),
      createTransport: (port, config) => MeshTransport.create(platform, port, config),
      onTransport: (transport) => {
        this.#transport = transport;
        for (const [name, track] of this.#tracks) transport.publish(name, track);
        transport.announce({ t: 'media', media: this.#mediaStates() });
        this.#talk.bind(transport);
        this.#awareness.bind(transport);
      },
      onJoined: () => this.#events.emit('joined', { participant: this.snapshot.participants[0]! }),
      onPeer: ({ initiator }) => {
        if (this.#options.maxPeers === 1)
          this.#events.emit('ready', { role: initiator ? 'caller' : 'callee' });
      },
      onMute: () => void this.toggleMic(false),
      onError: (error) => this.#fail(error),
      onEnd: (reason, error) => this.#onSessionEnd(session, reason, error),
    });
    return session;
  }

  async #enter(): Promise<void> {
    if (isActive(this.snapshot.phase)) return;
    const session = this.#begin('joining');
    // In the click's own call stack, where browsers look for the gesture. The join does not wait for the answer.
    this.#media.start().catch((error: unknown) => this.#fail(toPmError(error, 'capture-failed')));
    try {
      await session.join();
    } catch (error) {
      const failure = toPmError(error, 'relay-unreachable');
      // Otherwise the session has ended the call already, or it was left.
      if (this.#session === session) this.#finish(null, failure);
      throw failure;
    }
  }

  async #toggle(device: Device, force: boolean | undefined): Promise<boolean> {
    const on = force ?? !this.#media.wants(device);
    const { phase } = this.snapshot;
    if (phase === 'lobby' || isActive(phase)) await this.#media.set(device, on);
    else this.#media.want(device, on);
    return this.#media.wants(device);
  }

  #onSource(name: SourceName, source: Source, track: MediaStreamTrack | null): void {
    this.#tracks.set(name, track);
    const sources = Object.freeze({ ...this.snapshot.participants[0]!.sources, [name]: source });
    this.#dispatch({ type: 'update', id: 'self', patch: { sources } });
    this.#transport?.publish(name, track);
    this.#transport?.announce({ t: 'media', media: this.#mediaStates() });
  }

  #mediaStates(): MediaStates {
    const { sources } = this.snapshot.participants[0]!;
    return Object.fromEntries(SOURCE_NAMES.map((name) => [name, sources[name].state])) as MediaStates;
  }

  #onSessionEnd(session: Session, reason: Reason | null, error: PmError | null): void {
    if (this.#session !== session) return;
    // A lobby without a relay is still a lobby: the person may press join, which tries again.
    if (this.snapshot.phase === 'lobby' && error?.recoverable) {
      this.#closeSession('user');
      this.#fail(error);
    } else {
      this.#finish(reason, error);
    }
  }

  #closeSession(reason: Reason): void {
    const session = this.#session;
    this.#session = null;
    this.#transport = null;
    this.#talk.bind(null);
    this.#awareness.bind(null);
    if (!session) return;
    this.#lastSession = session;
    session.end(reason);
  }

  /** Ends whatever is under way: with an error it has failed, with a reason it was left. */
  #finish(reason: Reason | null, error: PmError | null): void {
    const { phase } = this.snapshot;
    // Whoever joins from now on joins anew.
    this.#joining = null;
    this.#closeSession(reason ?? 'refused');
    this.#media.release();
    if (error) {
      const { code, recoverable, message } = error;
      this.#dispatch({
        type: 'phase',
        phase: 'failed',
        reason: reasonOf(error),
        failure: Object.freeze({ code, recoverable, message }),
      });
      this.#fail(error);
    } else if (isActive(phase) || phase === 'lobby') {
      this.#dispatch({ type: 'phase', phase: 'left', reason });
      if (phase !== 'lobby') this.#events.emit('left', { reason: reason ?? 'user' });
    }
  }

  #fail(error: PmError): void {
    this.#platform.log('warn', `${error.code}: ${error.message}`, error.cause ?? '');
    this.#events.emit('error', { code: error.code, recoverable: error.recoverable, error });
  }
}

const outside = () => Promise.reject(new PmError('usage', 'Not in a room.'));

/** The reason that people may be told for an error that ended the call. */
function reasonOf({ code }: PmError): Reason | null {
  if (code === 'room-full' || code === 'room-locked') return code;
  if (code === 'token-invalid') return 'token-expired';
  if (code === 'relay-unreachable') return 'relay-gone';
  return code === 'not-admitted' || code === 'relay-refused' ? 'refused' : null;
}
