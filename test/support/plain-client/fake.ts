/** The plain client as a participant of a fake world. */
import type { FakeWorld } from '../fake-platform/index.ts';
import { PlainClient, type PlainOptions } from './client.ts';

export type FakePlainOptions = Pick<PlainOptions, 'name'> & Partial<PlainOptions>;

/** A client of its own page, set up for room `standup` on the world's server. */
export function fakePlainClient(world: FakeWorld, options: FakePlainOptions): PlainClient {
  const platform = world.platform(options.name);
  return new PlainClient(
    {
      createPeerConnection: (configuration) => platform.createPeerConnection(configuration),
      createSocket: (url) => platform.createSocket(url),
      createStream: (tracks) => platform.createStream(tracks),
      capture: async (source) => platform.track(source === 'mic' ? 'audio' : 'video', source),
      fetch: (url, init) => platform.fetch(url, init),
      now: () => platform.now(),
      after: (ms, callback) => platform.after(ms, callback),
      hold: (work) => world.hold(work),
    },
    { url: 'https://meet.test', wsUrl: 'wss://meet.test/ws', room: 'standup', fileLabel: 'f', ...options },
  );
}
