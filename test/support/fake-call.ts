/**
 * A call without a network: the real store and reducer, and a script of one's own in place of relay and devices.
 * Commands are recorded, succeed at once unless `fail` says otherwise, and stay pending while `hold` is set.
 */
import {
  initialState,
  isActive,
  newParticipant,
  NO_SOURCES,
  PmError,
  reduce,
  Store,
  type Action,
  type CallEvents,
  type CallLike,
  type CallOptions,
  type CallState,
  type ChatMessage,
  type DeviceKind,
  type MediaDevice,
  type Participant,
  type PmErrorCode,
  type Processor,
  type Reason,
  type SendDataOptions,
  type SendFileOptions,
  type RecordedFile,
  type RecordingOptions,
  type SourceName,
  type TimelineEntry,
} from '../../src/core/index.ts';

type Device = 'mic' | 'camera';
type Command =
  | 'prepare'
  | 'preview'
  | 'join'
  | 'leave'
  | 'toggleMic'
  | 'toggleCamera'
  | 'toggleScreen'
  | 'setDevice'
  | 'setProcessor'
  | 'playSound'
  | 'toggleHand'
  | 'react'
  | 'sendData'
  | 'sendMessage'
  | 'retryMessage'
  | 'setTyping'
  | 'sendFile'
  | 'acceptFile'
  | 'declineFile'
  | 'cancelFile'
  | 'startRecording'
  | 'stopRecording'
  | 'dispose';
type Handler = (detail: unknown) => void;

export class FakeCall implements CallLike {
  readonly store = new Store(initialState(), (error) => {
    throw error;
  });
  /** Every command, in order, with its arguments. */
  readonly commands: [Command, ...unknown[]][] = [];
  readonly options: Partial<CallOptions> = {};
  readonly blocked: unknown[] = [];
  readonly shown: unknown[][] = [];
  /** Capture fails for these devices. */
  readonly fail: Partial<Record<Device, PmErrorCode>> = {};
  /** The join fails. */
  failJoin: PmErrorCode | null = null;
  /** Commands wait for this. */
  hold: Promise<void> | null = null;
  private resumeSound: (() => void) | undefined;
  private readonly handlers = new Map<string, Set<Handler>>();

  get snapshot(): CallState {
    return this.store.get();
  }
  subscribe<T>(selector: (state: CallState) => T, callback: (value: T, before: T) => void): () => void {
    return this.store.subscribe(selector, callback);
  }
  on<K extends keyof CallEvents>(name: K, callback: (detail: CallEvents[K]) => void): () => void {
    const set = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, set.add(callback as Handler));
    return () => set.delete(callback as Handler);
  }
  /** How many listeners an element has left behind. */
  get listeners(): number {
    return [...this.handlers.values()].reduce((sum, { size }) => sum + size, 0);
  }

  emit<K extends keyof CallEvents>(name: K, detail: CallEvents[K]): void {
    for (const handler of this.handlers.get(name) ?? []) handler(detail);
  }
  dispatch(action: Action): void {
    const before = this.snapshot;
    this.store.set(reduce(before, action));
    const { phase, reason } = this.snapshot;
    if (before.phase !== phase) this.emit('state-change', { state: phase, reason });
  }

  configure(options: Partial<CallOptions>): void {
    Object.assign(this.options, options);
    const { room = '', displayName = '', micOff, cameraOff } = this.options;
    if (isActive(this.snapshot.phase)) return;
    this.dispatch({ type: 'room', room });
    this.dispatch({ type: 'update', id: 'self', patch: { name: displayName } });
    if ('micOff' in options) this.dispatch({ type: 'wanted', wanted: { mic: !micOff } });
    if ('cameraOff' in options) this.dispatch({ type: 'wanted', wanted: { camera: !cameraOff } });
  }

  async prepare(): Promise<void> {
    this.commands.push(['prepare']);
    this.dispatch({ type: 'phase', phase: 'lobby' });
  }
  async preview(): Promise<void> {
    this.commands.push(['preview']);
    await this.capture();
  }
  async join(): Promise<void> {
    this.commands.push(['join']);
    this.dispatch({ type: 'phase', phase: 'joining' });
    await this.hold;
    if (this.failJoin) this.fails(this.failJoin);
    await this.capture();
    this.dispatch({ type: 'phase', phase: 'joined' });
    this.emit('joined', { participant: this.snapshot.participants[0]! });
  }
  async leave(reason: Reason = 'user'): Promise<void> {
    this.commands.push(['leave', reason]);
    this.end(reason);
  }
  toggleMic(force?: boolean): Promise<boolean> {
    this.commands.push(['toggleMic', force]);
    return this.toggle('mic', force);
  }
  toggleCamera(force?: boolean): Promise<boolean> {
    this.commands.push(['toggleCamera', force]);
    return this.toggle('camera', force);
  }
  async toggleScreen(force?: boolean): Promise<boolean> {
    this.commands.push(['toggleScreen', force]);
    const screen = force ?? !this.snapshot.wanted.screen;
    this.dispatch({ type: 'wanted', wanted: { screen } });
    this.source('self', 'screen', { state: screen ? 'on' : 'off' });
    return screen;
  }
  async devices(): Promise<readonly MediaDevice[]> {
    return this.snapshot.devices;
  }
  async setDevice(kind: DeviceKind, id: string): Promise<void> {
    this.commands.push(['setDevice', kind, id]);
    this.dispatch({ type: 'set', patch: { chosen: { ...this.snapshot.chosen, [kind]: id } } });
  }
  async setProcessor(device: Device, processor: Processor | null): Promise<void> {
    this.commands.push(['setProcessor', device, processor]);
  }
  async toggleHand(force?: boolean): Promise<boolean> {
    this.commands.push(['toggleHand', force]);
    const hand = force ?? !this.snapshot.participants[0]!.hand;
    this.update('self', { hand });
    return hand;
  }
  async react(emoji: string): Promise<void> {
    this.commands.push(['react', emoji]);
    this.emit('reaction', { participant: this.snapshot.participants[0]!, emoji });
  }
  async sendData(topic: string, data: unknown, options?: SendDataOptions): Promise<void> {
    this.commands.push(['sendData', topic, data, options]);
  }
  async sendMessage(text: string): Promise<void> {
    this.commands.push(['sendMessage', text]);
    const { id: from, name } = this.snapshot.participants[0]!;
    const { messages } = this.snapshot;
    this.say({ id: `own-${messages.length}`, from, name, text });
  }
  async retryMessage(id: string): Promise<void> {
    this.commands.push(['retryMessage', id]);
  }
  setTyping(on: boolean): void {
    this.commands.push(['setTyping', on]);
  }
  /** A message stands in the chat. */
  say(message: Pick<ChatMessage, 'id' | 'from' | 'name' | 'text'> & Partial<ChatMessage>): void {
    const said = Object.freeze({
      at: 0,
      state: 'sent' as const,
      security: 'plain' as const,
      image: null,
      ...message,
    });
    this.dispatch({ type: 'chat', patch: { messages: Object.freeze([...this.snapshot.messages, said]) } });
    this.emit('message', { message: said });
  }
  async sendFile(file: Blob, options?: SendFileOptions): Promise<readonly string[]> {
    this.commands.push(['sendFile', file, options]);
    return [];
  }
  async acceptFile(id: string): Promise<void> {
    this.commands.push(['acceptFile', id]);
  }
  async declineFile(id: string): Promise<void> {
    this.commands.push(['declineFile', id]);
  }
  async cancelFile(id: string): Promise<void> {
    this.commands.push(['cancelFile', id]);
  }
  async startRecording(options?: RecordingOptions): Promise<void> {
    this.commands.push(['startRecording', options]);
    this.update('self', { recording: true });
  }
  async stopRecording(): Promise<RecordedFile> {
    this.commands.push(['stopRecording']);
    this.update('self', { recording: false });
    const result = { file: new Blob(['x']), mimeType: 'video/webm', durationMs: 1_000 };
    this.emit('recording-change', { participant: this.snapshot.participants[0]!, recording: false, result });
    return result;
  }
  timeline(): readonly TimelineEntry[] {
    return [];
  }
  show(...args: unknown[]): void {
    this.shown.push(args);
  }
  levels(): () => void {
    return () => undefined;
  }
  async getStats(): Promise<[]> {
    return [];
  }
  reportPlaybackBlocked(cause: unknown, resume?: () => void): void {
    if (cause !== null) this.blocked.push(cause);
    this.resumeSound = resume;
    this.dispatch({ type: 'set', patch: { soundBlocked: cause !== null } });
  }
  playSound(): void {
    this.commands.push(['playSound']);
    this.resumeSound?.();
  }
  dispose(reason: Reason = 'element-removed'): void {
    this.commands.push(['dispose', reason]);
    this.end(reason);
  }

  /** Somebody comes in, connected and with a microphone. */
  add(id: string, name: string, patch: Partial<Participant> = {}): Participant {
    const participant = newParticipant({
      id,
      name,
      self: false,
      link: 'connected',
      sources: { ...NO_SOURCES, mic: { state: 'on', stream: null } },
      ...patch,
    });
    this.dispatch({ type: 'add', participant });
    this.emit('participant-joined', { participant });
    return participant;
  }
  remove(id: string): void {
    const participant = this.snapshot.participants.find((each) => each.id === id)!;
    this.dispatch({ type: 'remove', id, reason: 'user' });
    this.emit('participant-left', { participant, reason: 'user' });
  }
  update(id: string, patch: Partial<Participant>): void {
    this.dispatch({ type: 'update', id, patch });
  }
  source(id: string, source: SourceName, value: Partial<Participant['sources']['mic']>): void {
    this.dispatch({ type: 'source', id, source, value });
  }

  private async toggle(device: Device, force?: boolean): Promise<boolean> {
    const on = force ?? !this.snapshot.wanted[device];
    this.dispatch({ type: 'wanted', wanted: { [device]: on } });
    await this.capture();
    return on;
  }
  private async capture(): Promise<void> {
    for (const device of ['mic', 'camera'] as const) {
      const { state } = this.snapshot.participants[0]!.sources[device];
      const on = this.snapshot.wanted[device];
      const code = on ? (this.fail[device] ?? null) : null;
      if (on && state !== 'on') {
        this.source('self', device, { state: 'pending' });
        await this.hold;
      }
      this.source('self', device, { state: on && !code ? 'on' : 'off' });
      this.dispatch({ type: 'problem', source: device, code });
    }
  }
  private end(reason: Reason): void {
    if (this.snapshot.phase === 'idle') return;
    this.dispatch({ type: 'phase', phase: 'left', reason });
    this.emit('left', { reason });
  }
  private fails(code: PmErrorCode): never {
    const error = new PmError(code, code);
    const { recoverable, message } = error;
    this.dispatch({ type: 'phase', phase: 'failed', failure: { code, recoverable, message } });
    this.emit('error', { code, recoverable, error });
    throw error;
  }
}
