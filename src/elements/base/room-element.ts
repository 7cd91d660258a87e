import type { PropertyDeclaration, PropertyDeclarations, PropertyValues } from 'lit';
import {
  Call,
  PmError,
  type AcceptFileOptions,
  type AudioProcessing,
  type CallEvents,
  type CallLike,
  type CallOptions,
  type CallState,
  type DeviceKind,
  type MediaDevice,
  type Participant,
  type Phase,
  type Processor,
  type Reason,
  type ScreenHint,
  type SendDataOptions,
  type SendFileOptions,
  type RecordedFile,
  type RecordingOptions,
} from '../../core/index.ts';
import { CallProvider } from '../context.ts';
import { notices, PmErrorEvent, type RequestDetail, type RequestName } from '../events.ts';
import { handled, request } from '../request-map.ts';
import { readers, unreadable } from './attributes.ts';
import { PmElement } from './pm-element.ts';
import { RemoteAudio } from './remote-audio.ts';

/** Properties that are the call's business, handed on as they are. */
const OPTIONS = {
  room: {},
  relay: {},
  token: {},
  getToken: { attribute: false },
  displayName: { attribute: 'display-name' },
  micOff: { attribute: 'mic-off', type: Boolean },
  cameraOff: { attribute: 'camera-off', type: Boolean },
  iceServers: { attribute: 'ice-servers', converter: readers['ice-servers'] },
  icePolicy: { attribute: 'ice-policy', converter: readers['ice-policy'] },
  maxPeers: { attribute: 'max-peers', converter: readers['max-peers'] },
  roomPrefix: { attribute: 'room-prefix' },
  e2eePrefix: { attribute: 'e2ee-prefix' },
  fileChannelLabel: { attribute: 'file-channel-label' },
  passphrase: { attribute: false },
  audioProcessing: { attribute: false },
  screenHint: { attribute: 'screen-hint', converter: readers['screen-hint'] },
} satisfies Record<keyof CallOptions, PropertyDeclaration>;
const OPTION_NAMES = Object.keys(OPTIONS) as (keyof CallOptions)[];

/** An event of the call. */
export type Happening = { [K in keyof CallEvents]: [name: K, detail: CallEvents[K]] }[keyof CallEvents];

/** A call as an element, without looks: attributes in, notices out, and the call's lifetime. */
export abstract class RoomElement extends PmElement implements CallOptions {
  static override properties: PropertyDeclarations = { ...OPTIONS, autojoin: { type: Boolean } };

  /** Name of the room. */
  room = '';
  /** Address of the relay's socket, or several to be tried in turn; relative ones are resolved against the page. */
  relay = '/ws';
  /** A JWT; without one, a guest signs in at the relay's origin. */
  token: string | null = null;
  /** Asked for a token before every connect. */
  getToken: (() => Promise<string>) | null = null;
  /** The name that others see. */
  displayName = '';
  /** Skips the lobby. */
  autojoin = false;
  /** Joins with the microphone off. */
  micOff = false;
  /** Joins with the camera off. */
  cameraOff = false;
  /** Added to what the relay gives; as an attribute, JSON. */
  iceServers: readonly RTCIceServer[] = [];
  /** `relay`: never a direct path. */
  icePolicy: RTCIceTransportPolicy = 'all';
  /** Others, oneself excluded; `1` makes a two-person call. */
  maxPeers = 8;
  /** Overrides what the relay says; for an existing Private Meet server. */
  roomPrefix: string | null = null;
  /** Likewise: what marks an encrypted message. */
  e2eePrefix: string | null = null;
  /** Likewise: the data channel on which original clients send pictures. */
  fileChannelLabel: string | null = null;
  /** End-to-end key of the chat; never an attribute. */
  passphrase = '';
  /** What the browser does to one's voice: `echoCancellation`, `noiseSuppression`, `autoGainControl`. */
  audioProcessing: AudioProcessing = {};
  /** What shared screens are about: `detail` is text, `motion` is films. */
  screenHint: ScreenHint = 'detail';

  protected readonly audio = new RemoteAudio(this);
  private current: CallLike | null = null;
  private ended = false;
  private started = false;
  private readonly releases: (() => void)[] = [];
  private readonly complaints: PmError[] = [];
  private readonly provider = new CallProvider(this);

  /** The headless call. A page may bring one of its own, which the room then owns. */
  get call(): CallLike {
    if (!this.current) this.adopt(new Call());
    return this.current as CallLike;
  }
  set call(call: CallLike) {
    if (call === this.current) return;
    this.current?.dispose('replaced');
    this.adopt(call);
    if (this.started) this.start();
  }

  /** The phase, also as the attribute `state`. */
  get state(): Phase {
    return this.snapshot.phase;
  }
  get snapshot(): CallState {
    return this.call.snapshot;
  }
  /** Oneself first. */
  get participants(): readonly Participant[] {
    return this.snapshot.participants;
  }

  /** Twice returns one promise. */
  join(): Promise<void> {
    return handled(this.call.join());
  }
  leave(reason?: Reason): Promise<void> {
    return handled(this.call.leave(reason));
  }
  toggleMic(force?: boolean): Promise<boolean> {
    return handled(this.call.toggleMic(force));
  }
  toggleCamera(force?: boolean): Promise<boolean> {
    return handled(this.call.toggleCamera(force));
  }
  /** Shares the screen; to be called from within a click. */
  toggleScreen(force?: boolean): Promise<boolean> {
    return handled(this.call.toggleScreen(force));
  }
  devices(): Promise<readonly MediaDevice[]> {
    return handled(this.call.devices());
  }
  /** `kind` is `mic`, `camera` or `speaker`; a camera may be `user` or `environment`, a phone's front and back. */
  setDevice(kind: DeviceKind, id: string): Promise<void> {
    return handled(this.call.setDevice(kind, id));
  }
  /** Puts a treatment of the page's own (blur, a noise model) between a device and what is sent. */
  setProcessor(device: 'mic' | 'camera', processor: Processor | null): Promise<void> {
    return handled(this.call.setProcessor(device, processor));
  }
  /** Starts the sound that the browser held back; to be called from within a click. */
  playSound(): void {
    this.call.playSound();
  }
  /** The newest reading of every connection. */
  getStats(): ReturnType<CallLike['getStats']> {
    return handled(this.call.getStats());
  }
  /** Raises or lowers one's hand. */
  toggleHand(force?: boolean): Promise<boolean> {
    return handled(this.call.toggleHand(force));
  }
  /** Shows everybody one emoji. */
  react(emoji: string): Promise<void> {
    return handled(this.call.react(emoji));
  }
  /** Sends the page's own data, JSON or bytes, to the others of this room. */
  sendData(topic: string, data: unknown, options?: SendDataOptions): Promise<void> {
    return handled(this.call.sendData(topic, data, options));
  }
  /** Says something to everybody in the room; resolves once the relay has echoed it. */
  sendMessage(text: string): Promise<void> {
    return handled(this.call.sendMessage(text));
  }
  /** Says a message again that failed. */
  retryMessage(id: string): Promise<void> {
    return handled(this.call.retryMessage(id));
  }
  /** Tells the others that one is typing. */
  setTyping(on: boolean): void {
    this.call.setTyping(on);
  }
  /** Offers a file to one or to everybody; `snapshot.files` tells how it goes. */
  sendFile(file: Blob, options?: SendFileOptions): Promise<readonly string[]> {
    return handled(this.call.sendFile(file, options));
  }
  acceptFile(id: string, options?: AcceptFileOptions): Promise<void> {
    return handled(this.call.acceptFile(id, options));
  }
  declineFile(id: string): Promise<void> {
    return handled(this.call.declineFile(id));
  }
  cancelFile(id: string): Promise<void> {
    return handled(this.call.cancelFile(id));
  }
  startRecording(options?: RecordingOptions): Promise<void> {
    return handled(this.call.startRecording(options));
  }
  stopRecording(): Promise<RecordedFile> {
    return handled(this.call.stopRecording());
  }
  /** Fires `pm-<name>-request` on the room and, unless it is prevented, carries it out. */
  request<K extends RequestName>(name: K, detail: RequestDetail<K> = {}): Promise<unknown> {
    return request(this, null, this.call, name, detail);
  }

  override connectedCallback(): void {
    if (this.ended && this.shouldUpdate()) this.adopt(new Call());
    super.connectedCallback();
    this.bindCall(this.call);
    this.setAttribute('state', this.state);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // Frameworks move elements by removing and inserting them: only what stays away for a task is gone.
    setTimeout(() => this.isConnected || this.end());
  }

  /** Its presence keeps the element connected where a page moves it by `moveBefore`. */
  connectedMoveCallback(): void {
    this.requestUpdate();
  }

  adoptedCallback(): void {
    this.end();
  }

  override attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    if (!unreadable(name, value)) return super.attributeChangedCallback(name, old, value);
    // The property keeps what it was; the page is told once it had time to listen.
    this.complaints.push(new PmError('usage', `<pm-room ${name}>: cannot read "${value}".`));
    this.requestUpdate();
  }

  /** Style sheets do not follow into another document, and the call has ended there. */
  protected override shouldUpdate(): boolean {
    return this.ownerDocument === document;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const options = Object.fromEntries(
      OPTION_NAMES.filter((name) => changed.has(name)).map((name) => [name, this[name]]),
    );
    if (Object.keys(options).length) this.call.configure(options);
    // Devices and relay answer while this is drawn. Not before there is a room: a page may name it after inserting.
    if (!this.started && this.room && this.isConnected) this.start();
    super.willUpdate(changed);
  }

  protected override updated(changed: PropertyValues<this>): void {
    super.updated(changed);
    for (const error of this.complaints.splice(0)) {
      this.dispatchEvent(new PmErrorEvent({ code: error.code, recoverable: false, error }));
    }
  }

  /** Told of every event of the call, before the page is. */
  protected abstract noticed(...event: Happening): void;

  private adopt(call: CallLike): void {
    this.unlisten();
    this.ended = false;
    this.current = call;
    call.configure(Object.fromEntries(OPTION_NAMES.map((name) => [name, this[name]])));
    for (const name of Object.keys(notices) as (keyof CallEvents)[]) this.forward(call, name);
    this.audio.bind(call);
    if (this.isConnected) this.bindCall(call);
    this.provider.provide(call);
  }

  private forward(call: CallLike, name: keyof CallEvents): void {
    const Notice = notices[name] as new (detail: unknown) => CustomEvent;
    this.releases.push(
      call.on(name, (detail: unknown) => {
        if (name === 'state-change') this.setAttribute('state', call.snapshot.phase);
        this.noticed(...([name, detail] as Happening));
        this.dispatchEvent(new Notice(detail));
      }),
    );
  }

  private start(): void {
    this.started = true;
    void handled(this.autojoin ? this.call.join() : this.call.prepare());
  }

  /** The element is gone: so is its call. Inserted again, it begins a new one. */
  private end(): void {
    if (this.ended || !this.current) return;
    this.ended = true;
    this.started = false;
    this.current.dispose('element-removed');
    this.unlisten();
    this.audio.bind(null);
  }

  private unlisten(): void {
    for (const release of this.releases.splice(0)) release();
  }
}
