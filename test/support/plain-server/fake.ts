/** The plain server of a fake world. */
import { fakeToken } from '../fake-room.ts';
import { sha256Bytes, type FakeWorld } from '../fake-platform/index.ts';
import { PlainServerCore } from './core.ts';
import { signInName, type Claims } from './token.ts';

export interface FakePlainServer {
  /** The server's process; replaced by `start`. */
  readonly core: PlainServerCore;
  /** Sign-ins so far. */
  readonly signIns: number;
  /** Refuses every token that it did not give since. */
  expireTokens(): void;
  /** Breaks one user's sockets. */
  cut(userId: string): void;
  kill(): void;
  start(): void;
}

/** A real Response reads its body in real time, which the virtual clock would not wait for. */
function answer(status: number, body: string | object): Response {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    ok: status < 300,
    status,
    text: async () => text,
    json: async () => JSON.parse(text) as unknown,
  } as Response;
}

/** Takes the place of whatever server the world had. */
export function installPlainServer(world: FakeWorld): FakePlainServer {
  const platform = world.platform('the plain server');
  let good = 0;
  let signIns = 0;
  let core: PlainServerCore;

  const randomUUID = (): string => {
    const hex = Array.from(sha256Bytes(platform.randomId()).subarray(0, 16), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  };

  function claimsOf(token: string): Claims | null {
    const payload = JSON.parse(atob(token.split('.')[1] ?? '')) as Claims & { given?: number };
    if ((payload.given ?? Infinity) < good) return null;
    return { sub: payload.sub, username: payload.username };
  }

  function start(): void {
    core = new PlainServerCore({
      now: () => platform.now(),
      after: (ms, callback) => platform.after(ms, callback),
      randomUUID,
    });
    world.onFetch((url, init) => {
      const { pathname, searchParams } = new URL(url);
      if (pathname === '/health') return answer(200, 'OK');
      if (pathname === '/ws') return answer(claimsOf(searchParams.get('token') ?? '') ? 400 : 401, '');
      const asked = signInName((init?.body as string | undefined) ?? '');
      if ('refusal' in asked) return answer(400, asked.refusal);
      signIns += 1;
      const userId = randomUUID();
      const claims = { sub: userId, username: asked.name, given: signIns, iat: 1_000, exp: 4_600 };
      const accessToken = fakeToken(claims);
      return answer(200, { accessToken, tokenType: 'Bearer', userId, username: asked.name });
    });
    world.onConnect((url, socket) => {
      const claims = claimsOf(new URL(url).searchParams.get('token') ?? '');
      if (!claims) return socket.close();
      const connection = core.connect(
        {
          send: (frame) => socket.send(frame.buffer),
          close: (code, reason) => socket.close(code, reason),
          terminate: () => socket.terminate(),
          ping: () => socket.ping(() => connection.pong()),
        },
        claims,
      );
      socket.onmessage = (data) => connection.receive(data);
      socket.onclose = () => connection.closed();
    });
  }
  start();

  return {
    get core() {
      return core;
    },
    get signIns() {
      return signIns;
    },
    expireTokens: () => void (good = signIns + 1),
    cut(userId) {
      for (const each of core.connections) if (each.claims.sub === userId) each.cut(1011);
    },
    kill() {
      world.killServer();
      for (const each of core.connections) each.closed();
    },
    start,
  };
}
