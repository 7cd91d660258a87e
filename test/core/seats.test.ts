/** A place in the room that was given up while its owner could not hear of it. Found by the simulator. */
import { assert } from '@open-wc/testing';
import type { Call } from '../../src/core/index.ts';
import { createFakeRoom, type FakeRoom } from '../support/fake-room.ts';

const GRACE = { graceSeconds: 0.1 };

async function meet(seed: number, flavour: 'chromium' | 'firefox', ...names: string[]) {
  const room = createFakeRoom({ seed, flavour, relay: GRACE });
  const calls = names.map((name) => room.call(name));
  await room.joined(...calls);
  await room.everyoneMeets(...calls);
  return { room, calls };
}

const others = ({ snapshot }: Call) => snapshot.participants.slice(1).map(({ name }) => name);

/** Cannot reach the relay, which notices it late. */
function away({ world }: FakeRoom, name: string): void {
  world.halfOpen(name);
  world.platform(name).online = false;
}

async function endsWell(room: FakeRoom, calls: readonly Call[]): Promise<void> {
  await room.everyoneMeets(...calls);
  await room.world.run(5_000);
  await room.everyoneMeets(...calls);
  for (const call of calls) call.dispose();
}

for (const flavour of ['chromium', 'firefox'] as const) {
  describe(`a seat that was given up (${flavour})`, () => {
    it('is taken anew by somebody whose connections the others have closed', async () => {
      const { room, calls } = await meet(1, flavour, 'maya', 'jonas');
      room.world.halfOpen('jonas');
      room.relay.rooms.leave('standup', calls[1]!.snapshot.participants[0]!.id, 'user');
      await room.world.when(() => others(calls[0]!).length === 0, 'maya to hear that jonas is gone');
      await room.world.when(() => calls[1]!.snapshot.phase === 'reconnecting', 'jonas to notice');
      await endsWell(room, calls);
    });

    it('is taken anew by somebody who heard of nothing, connections included', async () => {
      const { room, calls } = await meet(2, flavour, 'maya', 'jonas');
      room.world.cut('maya', 'jonas');
      away(room, 'jonas');
      await room.world.when(() => others(calls[0]!).length === 0, 'maya to hear that jonas is gone');
      room.world.mend('maya', 'jonas');
      room.world.platform('jonas').online = true;
      await endsWell(room, calls);
    });

    it('does not keep a newcomer waiting for an offer that nobody makes', async () => {
      const { room, calls } = await meet(3, flavour, 'maya', 'priya');
      const jonas = room.call('jonas');
      // Maya hears of the newcomer, and of nothing after that.
      const joining = jonas.join();
      await room.world.when(() => others(calls[0]!).includes('jonas'), 'maya to hear of jonas');
      room.world.cut('maya', 'jonas');
      away(room, 'maya');
      await room.world.until(joining);
      await room.world.when(() => !others(jonas).includes('maya'), 'jonas to hear that maya is gone');
      room.world.mend('maya', 'jonas');
      room.world.platform('maya').online = true;
      await endsWell(room, [...calls, jonas]);
    });

    it('is cleared when its owner was last seen by another process of the relay', async () => {
      const { room, calls } = await meet(4, flavour, 'maya', 'jonas', 'priya');
      room.killRelay();
      room.startRelay();
      await room.world.when(
        () => calls.slice(0, 2).every(({ snapshot }) => snapshot.phase === 'joined'),
        'two to be back',
      );
      room.world.crash('priya');
      const left = () => calls.slice(0, 2).every((call) => others(call).length === 1);
      await room.world.when(left, 'priya to be given up');
      await endsWell(room, calls.slice(0, 2));
      assert.equal(room.world.report('jonas').connections, 0);
    });
  });
}
