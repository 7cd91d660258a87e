/**
 * A client as Private Meet's own one behaves on the wire, written from the description of its protocol alone: it knows
 * nothing of our extension, shows whatever video arrived last, and has all the habits that the protocol calls traps.
 */
import { open, roomKey, seal } from './envelope.ts';
import { ImageReader, sendImage, type Image, type Picture } from './images.ts';
import { PlainPeer, type Sent } from './peer.ts';
import type { PlainSocket, Surroundings } from './surroundings.ts';

/** Between a list of users and the connections that follow from it, in milliseconds. */
const SETTLE = 300;
const RECONNECT = 1_000;
const MOST_PEERS = 8;

export interface PlainOptions {
  /** Where the server answers REST calls, such as `http://localhost:8080`. */
  readonly url: string;
  /** The socket's address without a token. */
  readonly wsUrl: string;
  readonly room: string;
  readonly name: string;
  /** A token of one's own, whose `sub` is `userId`; else the client signs in. */
  readonly token?: string;
  readonly roomPrefix?: string;
  readonly e2eePrefix?: string;
  readonly fileLabel?: string;
  /** Blank: the room's id is the key. `undefined`: messages are not sealed. */
  readonly passphrase?: string;
}

export interface Said {
  readonly from: string;
  readonly text: string;
  /** It came in an envelope. */
  readonly sealed: boolean;
}

interface Frame {
  readonly type: string;
  readonly room?: string;
  readonly from?: string;
  readonly data?: Record<string, unknown>;
}

const utf8 = new TextEncoder();

function subjectOf(token: string): string {
  const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  return (JSON.parse(atob(payload)) as { sub: string }).sub;
}

export class PlainClient {
  /** What would have thrown in the original's page. */
  readonly errors: string[] = [];
  /** What the server refused. */
  readonly refusals: string[] = [];
  readonly peers = new Map<string, PlainPeer>();
  readonly said: Said[] = [];
  readonly images: Image[] = [];
  users: readonly { userID: string; username: string }[] = [];
  typing = new Set<string>();
  userId = '';
  joined = false;
  /** Called after everything that a page would draw anew. */
  changed: () => void = () => undefined;
  private token = '';
  private socket: PlainSocket | null = null;
  private sent: Sent[] = [];
  private main: MediaStream | null = null;
  private cancelSync: (() => void) | null = null;
  private cancelReconnect: (() => void) | null = null;
  private key: Promise<CryptoKey> | null = null;
  private over = false;

  constructor(
    private readonly surroundings: Surroundings,
    readonly options: PlainOptions,
  ) {}

  get wireRoom(): string {
    const { roomPrefix, room } = this.options;
    return roomPrefix ? `${roomPrefix}:${room.trim()}` : room.trim();
  }

  get connected(): boolean {
    return this.socket?.readyState === 1;
  }

  /** Asks the server's health, signs in and opens the socket. */
  async start(): Promise<void> {
    const { url, name, token } = this.options;
    const health = await this.surroundings.fetch(`${url}/health`);
    if (!health.ok) throw new Error('the server is not well');
    if (token === undefined) {
      const body = JSON.stringify({ username: name });
      const answer = await this.surroundings.fetch(`${url}/auth/sign-in`, { method: 'POST', body });
      this.token = ((await answer.json()) as { accessToken: string }).accessToken;
    } else {
      this.token = token;
    }
    this.userId = subjectOf(this.token);
    await this.connect();
  }

  async enter(sources: readonly ('mic' | 'camera')[] = ['mic', 'camera']): Promise<void> {
    // The microphone first.
    for (const source of sources) await this.use(source);
    await this.start();
    this.join();
  }

  join(): void {
    this.joined = true;
    this.send('chat.join', {});
  }

  /** Leaves the room: connections end. */
  leave(): void {
    if (this.joined) this.send('chat.leave', {});
    this.joined = false;
    this.cancelSync?.();
    for (const peer of this.peers.values()) peer.close();
    this.peers.clear();
    this.users = [];
    this.changed();
  }

  /** The page is gone. */
  end(): void {
    this.over = true;
    this.cancelReconnect?.();
    this.leave();
    this.socket?.close(1000);
    for (const { track } of this.sent) track.stop();
    this.sent = [];
  }

  /** Starts sending a source, or switches it on again. */
  async use(source: Sent['source']): Promise<void> {
    const known = this.sent.find((each) => each.source === source);
    if (known) {
      known.track.enabled = true;
      return;
    }
    const track = await this.surroundings.capture(source);
    let stream: MediaStream;
    if (source === 'screen') stream = this.surroundings.createStream([track]);
    else {
      stream = this.main ??= this.surroundings.createStream([]);
      stream.addTrack(track);
    }
    const sent: Sent = { source, track, stream };
    this.sent.push(sent);
    for (const peer of this.peers.values()) peer.add(sent);
  }

  cameraOff(): void {
    const camera = this.sent.find(({ source }) => source === 'camera');
    if (camera) camera.track.enabled = false;
  }

  stopScreen(): void {
    const screen = this.sent.find(({ source }) => source === 'screen');
    if (!screen) return;
    this.sent = this.sent.filter((each) => each !== screen);
    for (const peer of this.peers.values()) peer.remove('screen');
    screen.track.stop();
  }

  /** A microphone toggle leaves and joins back to back, and keeps the connections. */
  toggleMic(): void {
    const mic = this.sent.find(({ source }) => source === 'mic');
    if (mic) mic.track.enabled = !mic.track.enabled;
    this.send('chat.leave', {});
    this.send('chat.join', {});
  }

  async say(text: string): Promise<void> {
    const { passphrase, e2eePrefix = '' } = this.options;
    let message = text;
    if (passphrase !== undefined) {
      const sealing = this.roomKey().then((key) => seal(key, e2eePrefix, this.wireRoom, this.userId, text));
      message = await this.surroundings.hold(sealing);
    }
    this.send('chat.message', { message });
  }

  type(typing: boolean): void {
    this.send('chat.typing', { typing });
  }

  /** Whether every listed peer has its file channel open, which the image button asks for. */
  get canSendImages(): boolean {
    const others = this.users.filter(({ userID }) => userID !== this.userId);
    return (
      others.length > 0 &&
      others.every(({ userID }) => this.peers.get(userID)?.channel?.readyState === 'open')
    );
  }

  sendImage(id: string, picture: Picture, mobile = false): void {
    if (!this.canSendImages) throw new Error('somebody has no file channel');
    sendImage(
      [...this.peers.values()].flatMap(({ channel }) => channel ?? []),
      id,
      picture,
      mobile,
    );
  }

  private connect(): Promise<void> {
    const socket = this.surroundings.createSocket(
      `${this.options.wsUrl}?token=${encodeURIComponent(this.token)}`,
    );
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
      this.onFrame(JSON.parse(text) as Frame);
    };
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onclose = () => {
        reject(new Error('the socket closed'));
        this.changed();
        if (this.over) return;
        // With the same token, and without joining again.
        this.cancelReconnect = this.surroundings.after(
          RECONNECT,
          () => void this.connect().catch(() => undefined),
        );
      };
    });
  }

  private send(type: string, data: object): void {
    if (!this.connected) return;
    const frame = { type, room: this.wireRoom, data };
    this.socket?.send(utf8.encode(JSON.stringify(frame)));
  }

  private onFrame({ type, room, from = '', data = {} }: Frame): void {
    if (type === 'general.error') {
      this.refusals.push(String(data['error']));
    } else if (type === 'room.users') {
      if (room !== this.wireRoom || !this.joined) return;
      this.users = data['users'] as PlainClient['users'];
      this.cancelSync?.();
      this.cancelSync = this.surroundings.after(SETTLE, () => this.sync());
    } else if (type === 'chat.message') {
      void this.onMessage(from, String(data['message'])).catch((error: unknown) => this.fail(error));
    } else if (type === 'chat.typing') {
      if (data['typing']) this.typing.add(from);
      else this.typing.delete(from);
    } else if (['webrtc.offer', 'webrtc.answer', 'webrtc.iceCandidate'].includes(type)) {
      if (this.joined && data['to'] === this.userId && from !== this.userId)
        this.peer(from).receive(type, data);
    } else if (type !== 'utils.generateRoomID') {
      this.fail(new Error(`unknown message type ${type}`));
    }
    this.changed();
  }

  private async onMessage(from: string, message: string): Promise<void> {
    const { e2eePrefix = '' } = this.options;
    const sealed = e2eePrefix !== '' && message.startsWith(`${e2eePrefix}:`);
    let text = message;
    if (sealed) {
      const opening = this.roomKey().then((key) => open(key, e2eePrefix, this.wireRoom, from, message));
      text = await this.surroundings.hold(opening).catch(() => '(cannot be read)');
    }
    this.said.push({ from, text, sealed });
    this.changed();
  }

  private roomKey(): Promise<CryptoKey> {
    return (this.key ??= roomKey(this.options.room, this.options.passphrase ?? ''));
  }

  /** Connections follow the list: whoever is not on it any more is closed, whoever has one keeps it, dead or alive. */
  private sync(): void {
    const others = this.users.map(({ userID }) => userID).filter((id) => id !== this.userId);
    for (const [id, peer] of this.peers) {
      if (others.includes(id)) continue;
      peer.close();
      this.peers.delete(id);
    }
    for (const id of others.slice(0, MOST_PEERS)) this.peer(id);
    this.changed();
  }

  private peer(id: string): PlainPeer {
    const known = this.peers.get(id);
    if (known) return known;
    const made = new PlainPeer(
      id,
      {
        surroundings: this.surroundings,
        selfId: this.userId,
        fileLabel: this.options.fileLabel ?? '',
        signal: (type, data) => this.send(type, { ...data, to: id }),
        channel: (channel) => {
          const reader = new ImageReader(id, (image) => {
            this.images.push(image);
            this.changed();
          });
          channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
            try {
              reader.take(data);
            } catch (error) {
              this.fail(error);
            }
          };
          channel.onopen = channel.onclose = () => this.changed();
        },
        media: () => this.changed(),
        error: (error) => this.fail(error),
      },
      this.sent,
    );
    this.peers.set(id, made);
    return made;
  }

  private fail(error: unknown): void {
    this.errors.push(error instanceof Error ? error.message : String(error));
    this.changed();
  }
}
