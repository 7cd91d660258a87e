/** Rooms with plain clients, on the fake platform: what the plain client and the plain server themselves do. */
import { expect } from '@open-wc/testing';
import { createFakeRoom } from '../support/fake-room.ts';
import { fakePlainClient } from '../support/plain-client/fake.ts';
import type { PlainClient } from '../support/plain-client/client.ts';
import { installPlainServer } from '../support/plain-server/fake.ts';
import { fakeToken } from '../support/fake-room.ts';

const LOW = '00000000-0000-4000-8000-000000000001';
const HIGH = 'ffffffff-ffff-4fff-bfff-ffffffffffff';

const flowing = (client: PlainClient, id: string): boolean => {
  const pc = client.peers.get(id)?.pc;
  return pc?.connectionState === 'connected' && pc.signalingState === 'stable';
};

describe('the plain client', () => {
  for (const server of ['relay', 'plain'] as const) {
    it(`meets another one on ${server === 'relay' ? 'our relay' : 'a plain server'}, whoever comes first`, async () => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const room = createFakeRoom({ seed });
        if (server === 'plain') installPlainServer(room.world);
        const ids = seed % 2 ? [LOW, HIGH] : [HIGH, LOW];
        const [a, b] = ids.map((sub, index) =>
          fakePlainClient(room.world, {
            name: `p${index}`,
            token: fakeToken({ sub, username: `p${index}` }),
          }),
        ) as [PlainClient, PlainClient];
        await room.world.until(a.enter());
        await room.world.run(room.world.random.between(0, 600));
        await room.world.until(b.enter());
        await room.world.when(() => flowing(a, b.userId) && flowing(b, a.userId), `seed ${seed}`, 10_000);
        await room.world.when(() => a.canSendImages && b.canSendImages, `seed ${seed}: channels`, 5_000);
        expect([...a.errors, ...b.errors]).to.deep.equal([]);
        a.end();
        b.end();
      }
    });
  }
});
