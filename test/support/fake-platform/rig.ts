/** One set of behaviours, run against the browser at hand and against the fake: what both have to offer for that. */
import { createFakeWorld } from './world.ts';
import type { Flavour } from './scope.ts';

export interface Rig {
  readonly name: string;
  readonly flavour: Flavour;
  readonly fake: boolean;
  connection(configuration?: RTCConfiguration): RTCPeerConnection;
  track(kind: 'audio' | 'video'): Promise<MediaStreamTrack>;
  stream(...tracks: MediaStreamTrack[]): MediaStream;
  /** Settles as the promise does, while time passes. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** `'never'` when the promise is still pending after a good while. */
  outcome(promise: Promise<unknown>): Promise<string>;
  pass(ms: number): Promise<void>;
  until(done: () => boolean, what: string): Promise<void>;
  end(): void;
}

const LIMIT = 10_000;
/** A second in a browser is long enough for anything that is going to happen at all. */
const NEVER = 1_000;

export const BROWSER: Flavour = navigator.userAgent.includes('Firefox') ? 'firefox' : 'chromium';

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : String(error);
}

export function fakeRig(flavour: Flavour, seed: number): Rig {
  const world = createFakeWorld({ seed, flavour });
  const connections: RTCPeerConnection[] = [];
  return {
    name: `fake ${flavour}`,
    flavour,
    fake: true,
    connection: (configuration = { bundlePolicy: 'max-bundle' }) => {
      const made = world.platform(`p${connections.length}`).createPeerConnection(configuration);
      connections.push(made);
      return made;
    },
    track: async (kind) => world.platform('media').track(kind),
    stream: (...tracks) => world.platform('media').createStream(tracks),
    wait: (promise) => world.until(promise, 'an operation', LIMIT),
    outcome: async (promise) => {
      let result = 'never';
      promise.then(
        () => (result = 'ok'),
        (error: unknown) => (result = nameOf(error)),
      );
      await world.run(NEVER);
      return result;
    },
    pass: (ms) => world.run(ms),
    until: async (done, what) => void (await world.when(done, what, LIMIT)),
    end: () => {
      for (const connection of connections) connection.close();
    },
  };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function browserRig(): Rig {
  const connections: RTCPeerConnection[] = [];
  const tracks: MediaStreamTrack[] = [];
  return {
    name: BROWSER,
    flavour: BROWSER,
    fake: false,
    connection: (configuration = { bundlePolicy: 'max-bundle' }) => {
      const made = new RTCPeerConnection(configuration);
      connections.push(made);
      return made;
    },
    track: async (kind) => {
      const stream = await navigator.mediaDevices.getUserMedia({ [kind]: true });
      const [track] = stream.getTracks();
      if (!track) throw new Error('no track');
      tracks.push(track);
      return track;
    },
    stream: (...list) => new MediaStream(list),
    wait: (promise) =>
      Promise.race([promise, sleep(LIMIT).then(() => Promise.reject(new Error('an operation never ended')))]),
    outcome: (promise) => Promise.race([promise.then(() => 'ok', nameOf), sleep(NEVER).then(() => 'never')]),
    pass: sleep,
    until: async (done, what) => {
      const start = performance.now();
      while (!done()) {
        if (performance.now() - start > LIMIT) throw new Error(`${what} not within ${LIMIT} ms`);
        await sleep(5);
      }
    },
    end: () => {
      for (const connection of connections) connection.close();
      for (const track of tracks) track.stop();
    },
  };
}

/** What a synchronous call throws, by name. */
export function thrown(call: () => unknown): string {
  try {
    call();
    return 'nothing';
  } catch (error) {
    return nameOf(error);
  }
}
