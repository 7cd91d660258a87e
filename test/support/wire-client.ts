/** A client that speaks the wire and nothing more, original or extended: for tests of the relay from outside. */
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';

/** Milliseconds until a test gives up. Nothing is measured by it. */
const PATIENCE = 20_000;

export interface Frame {
  type: string;
  room?: string;
  from?: string;
  // Tests look into every field there is.
  data: any;
  /** Whether it came in a binary frame. */
  binary: boolean;
}

export interface WireOptions {
  /** A token of one's own; without one the client signs in as `username`. */
  token?: string;
  username?: string;
  /** Speaks the extension, with this session or a fresh one. */
  ext?: boolean;
  session?: string;
  origin?: string;
  /** Leaves the relay's pings unanswered. */
  mute?: boolean;
}

export interface SignIn {
  accessToken: string;
  tokenType: string;
  userId: string;
  username: string;
}

/** Relay URL as `startRelayProcess` gives it. */
export async function signIn(url: string, username = 'Guest'): Promise<SignIn> {
  const response = await fetch(`${url}/auth/sign-in`, { method: 'POST', body: JSON.stringify({ username }) });
  if (!response.ok) throw new Error(`sign-in: ${response.status} ${await response.text()}`);
  return (await response.json()) as SignIn;
}

function subjectOf(token: string): string {
  const claims = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(claims) as { sub: string }).sub;
}

export const newSession = (): string => randomBytes(16).toString('base64url');

export class WireClient {
  /** Everything received, oldest first, heartbeats left out. */
  readonly frames: Frame[] = [];
  /** Pings of the relay, counted apart. */
  pings = 0;
  readonly closed: Promise<{ code: number; reason: string }>;
  private readonly waiting = new Set<() => void>();
  private taken = new Set<Frame>();

  /** The id under which others know this client. */
  userID = '';

  private constructor(
    readonly socket: WebSocket,
    readonly ext: boolean,
    readonly session: string,
    mute: boolean,
  ) {
    socket.on('message', (bytes: Buffer, binary: boolean) => {
      const frame = { ...(JSON.parse(String(bytes)) as Omit<Frame, 'binary'>), binary };
      if (frame.type === 'relay.ping') {
        this.pings += 1;
        if (!mute) this.send('relay.pong', undefined, {});
        return;
      }
      this.frames.push(frame);
      for (const check of this.waiting) check();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code: number, reason: Buffer) => resolve({ code, reason: String(reason) }));
    });
  }

  /**
   * Connects, and for extended clients waits for the welcome.
   * @throws with the HTTP status in its message when the relay refuses
   */
  static async open(relay: { url: string; wsUrl: string }, options: WireOptions = {}): Promise<WireClient> {
    const { ext = false, session = newSession(), origin, mute = false } = options;
    const guest = options.token === undefined ? await signIn(relay.url, options.username) : null;
    const query = new URLSearchParams({ token: options.token ?? guest!.accessToken });
    if (ext) {
      query.set('ext', '1');
      query.set('session', session);
    }
    const socket = new WebSocket(`${relay.wsUrl}?${query}`, {
      ...(origin !== undefined && { origin }),
      rejectUnauthorized: false,
    });
    const opened = new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const client = new WireClient(socket, ext, session, mute);
    await opened;
    socket.on('error', () => undefined); // its end is seen in `closed`
    client.userID = ext
      ? (await client.next('relay.welcome')).data.self.userID
      : subjectOf(query.get('token')!);
    return client;
  }

  /** A frame of the given type, as text or as bytes. */
  send(type: string, room?: string, data?: unknown, binary = false): void {
    this.sendRaw(JSON.stringify({ type, room, data }), binary);
  }

  sendRaw(content: string | Uint8Array, binary = typeof content !== 'string'): void {
    this.socket.send(content, { binary });
  }

  /** The next frame of this type which nobody has taken yet; waits for it. */
  async next(type: string): Promise<Frame> {
    return this.take((frame) => frame.type === type, type);
  }

  async take(matches: (frame: Frame) => boolean, what = 'a matching frame'): Promise<Frame> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = this.frames.find((frame) => !this.taken.has(frame) && matches(frame));
        if (!found) return;
        this.taken.add(found);
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        const seen = this.frames.map((frame) => JSON.stringify(frame).slice(0, 200)).join('\n');
        reject(new Error(`${what} did not come; so far:\n${seen}`));
      }, PATIENCE);
      this.waiting.add(check);
      check();
    });
  }

  /** Resolves once the relay has answered everything sent before: what has not come by then does not come. */
  async settle(): Promise<void> {
    this.send('utils.generateRoomID', undefined, {});
    await this.next('utils.generateRoomID');
  }

  /** Joins and waits for the answer: `room.joined`, or `room.users` for an original client. */
  async join(room: string, data: object = {}): Promise<Frame> {
    this.send('chat.join', room, data);
    const answer = this.ext ? 'room.joined' : 'room.users';
    return this.take((frame) => frame.type === answer && frame.room === room, answer);
  }

  /** Sends a frame that the relay must refuse, and gives the error's data. */
  async refused(
    type: string,
    room?: string,
    data?: unknown,
  ): Promise<{ error: string; code?: string; [field: string]: unknown }> {
    this.send(type, room, data);
    return (await this.next('general.error')).data as { error: string };
  }

  /** Frames of a type so far, taken or not. */
  all(type: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Ids in the last list of the room that came. */
  get listed(): string[] {
    const last = this.frames.findLast(({ type }) => type === 'room.users' || type === 'room.joined');
    return ((last?.data.users ?? []) as { userID: string }[]).map(({ userID }) => userID);
  }

  /** Forgets what came so far. */
  clear(): void {
    this.frames.length = 0;
    this.taken = new Set();
  }

  async close(code = 1000): Promise<void> {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.close(code);
    await this.closed;
  }

  /** Breaks the connection without a close frame: the relay sees 1006. */
  async cut(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
  }
}
