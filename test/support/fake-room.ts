/**
 * Calls of the real core, on the fake platform, through the real relay's core: one seed, one virtual clock, no network.
 *
 *     const room = createFakeRoom({ seed: 7 });
 *     const maya = room.call('maya');
 *     await room.joined(maya);
 */
import { RelayCore } from '../../demo-server/src/core/relay-core.ts';
import type { Claims, RelayOptions } from '../../demo-server/src/core/env.ts';
import { Call, type CallEvents, type CallOptions } from '../../src/core/index.ts';
import { RELAY_DEFAULTS } from './memory-relay.ts';
import { createFakeWorld, sha256Bytes, type FakeWorld, type WorldOptions } from './fake-platform/index.ts';

export interface Heard {
  readonly name: keyof CallEvents;
  readonly detail: CallEvents[keyof CallEvents];
}

export interface FakeRoom {
  readonly world: FakeWorld;
  /** The relay's process; replaced by `restartRelay`. */
  readonly relay: RelayCore;
  /** Refuses tokens that are not this, once set. */
  acceptToken: string | null;
  /** A call of its own page, set up for room `standup`. */
  call(name: string, options?: Partial<CallOptions>): Call;
  /** What a call has told its page so far. */
  heard(name: string): readonly Heard[];
  joined(...calls: Call[]): Promise<void>;
  /** Waits until every call is connected to every other and knows its sources. */
  everyoneMeets(...calls: Call[]): Promise<void>;
  killRelay(): void;
  startRelay(): void;
}

const EVENTS: readonly (keyof CallEvents)[] = [
  'state-change',
  'joined',
  'left',
  'ready',
  'participant-joined',
  'participant-left',
  'active-speaker',
  'quality',
  'reaction',
  'data',
  'message',
  'file',
  'recording-change',
  'error',
];

const uuid = (seed: string): string => {
  const hex = Array.from(sha256Bytes(seed).subarray(0, 16), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
};

/** A token with nothing but what the relay's core wants to know; the checks of real ones are tested with the relay. */
export function fakeToken(claims: Partial<Claims>): string {
  return `fake.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.token`;
}

function claimsOf(token: string): Claims {
  const { sub, username = 'Guest', ...rest } = JSON.parse(atob(token.split('.')[1] ?? '')) as Partial<Claims>;
  return { sub: sub ?? uuid(token), username: username || 'Guest', role: 'guest', ...rest };
}

/** A real Response reads its body in real time, which the virtual clock would not wait for. */
function answer(status: number, body: unknown = null): Response {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    ok: status < 300,
    status,
    text: async () => text,
    json: async () => JSON.parse(text) as unknown,
  } as Response;
}

export interface FakeRoomOptions extends WorldOptions {
  readonly relay?: Partial<RelayOptions>;
  /** Sees every frame that reaches the relay, by the name of whose it is; false loses it there. */
  readonly fate?: (from: string, frame: string | ArrayBuffer) => boolean;
}

export function createFakeRoom(options: FakeRoomOptions): FakeRoom {
  const world = createFakeWorld(options);
  const clock = world.platform('the relay');
  const heard = new Map<string, Heard[]>();
  let relay = makeRelay();

  function makeRelay(): RelayCore {
    const quiet = () => undefined;
    return new RelayCore(
      {
        timers: {
          now: () => clock.now(),
          setTimeout: (callback, ms) => clock.after(ms, callback),
          clearTimeout: (handle) => (handle as (() => void) | undefined)?.(),
        },
        log: { debug: quiet, info: quiet, warn: quiet },
        sha256: sha256Bytes,
        randomUUID: () => uuid(clock.randomId()),
        iceServers: () => [],
      },
      {
        ...RELAY_DEFAULTS,
        ...options.relay,
      },
    );
  }

  const room: FakeRoom = {
    world,
    acceptToken: null,
    get relay() {
      return relay;
    },
    call(name, given = {}) {
      const call = new Call(world.platform(name));
      const log: Heard[] = [];
      heard.set(name, log);
      for (const event of EVENTS) call.on(event, (detail) => log.push({ name: event, detail }));
      call.configure({ room: 'standup', displayName: name, ...given });
      return call;
    },
    heard: (name) => heard.get(name) ?? [],
    async joined(...calls) {
      for (const call of calls) await world.until(call.join(), 'a join');
    },
    async everyoneMeets(...calls) {
      const meets = (call: Call) => {
        const others = call.snapshot.participants.slice(1);
        return (
          others.length === calls.length - 1 &&
          others.every(({ link, sources }) => link === 'connected' && sources.mic.state !== 'pending')
        );
      };
      await world.when(() => calls.every(meets), 'everybody to meet everybody');
    },
    killRelay() {
      world.killServer();
      // The process is gone with all its timers: nothing of it may run again.
      relay.stop();
    },
    startRelay() {
      relay = makeRelay();
      listen();
    },
  };

  function listen(): void {
    world.onFetch((url, init) => {
      const { pathname, searchParams } = new URL(url);
      if (pathname === '/auth/sign-in') {
        const { username } = JSON.parse(init?.body as string) as { username: string };
        const accessToken = fakeToken({ sub: uuid(clock.randomId()), username });
        return answer(200, { accessToken, tokenType: 'Bearer' });
      }
      if (pathname !== '/ws') return answer(200, 'OK');
      const refused = room.acceptToken !== null && searchParams.get('token') !== room.acceptToken;
      return answer(refused ? 401 : 426, '');
    });
    world.onConnect((url, socket) => {
      const { searchParams } = new URL(url);
      const token = searchParams.get('token') ?? '';
      if (room.acceptToken !== null && token !== room.acceptToken) return socket.close();
      const text = (data: string) => socket.send(data);
      const connection = relay.connect(
        {
          bufferedAmount: 0,
          send: text,
          close: (code, reason) => socket.close(code, reason),
          terminate: () => socket.terminate(),
          ping: () => socket.ping(() => connection.pong()),
        },
        claimsOf(token),
        { ext: searchParams.get('ext') === '1', session: searchParams.get('session') ?? '' },
      );
      socket.onmessage = (data) => {
        if (options.fate?.(socket.owner, data) ?? true) connection.receive(data as string);
      };
      socket.onclose = (code) => connection.closed(code);
    });
  }
  listen();
  return room;
}
