/** Our own clients on a server that knows nothing of our extension, on the fake platform. */
import { expect } from '@open-wc/testing';
import type { Call } from '../../src/core/index.ts';
import { createFakeRoom, fakeToken, type FakeRoom } from '../support/fake-room.ts';
import { fakePlainClient } from '../support/plain-client/fake.ts';
import { installPlainServer, type FakePlainServer } from '../support/plain-server/fake.ts';

const others = (call: Call) => call.snapshot.participants.slice(1);
const self = (call: Call) => call.snapshot.participants[0]!;
const leavers = (room: FakeRoom, name: string) =>
  room.heard(name).filter((each) => each.name === 'participant-left');

async function pair(
  seed: number,
): Promise<{ room: FakeRoom; server: FakePlainServer; maya: Call; jonas: Call }> {
  const room = createFakeRoom({ seed });
  const server = installPlainServer(room.world);
  const maya = room.call('maya');
  const jonas = room.call('jonas');
  await room.joined(maya, jonas);
  await room.everyoneMeets(maya, jonas);
  return { room, server, maya, jonas };
}

describe('ours on a plain server', () => {
  it('know each other for what they are, by their first descriptions', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { room, maya, jonas } = await pair(seed);
      // What only our clients tell each other: a microphone that is off.
      await room.world.until(jonas.toggleMic(false));
      await room.world.when(() => others(maya)[0]!.sources.mic.state === 'silenced', `seed ${seed}`, 5_000);
      await room.world.until(jonas.toggleCamera(false));
      await room.world.when(() => others(maya)[0]!.sources.camera.state === 'off', `seed ${seed}`, 5_000);
      for (const name of ['maya', 'jonas']) {
        expect(room.world.peerConnections(name), `seed ${seed}: ${name}`).to.have.length(1);
      }
      await jonas.leave();
      await room.world.when(() => others(maya).length === 0, `seed ${seed}: gone`, 5_000);
      maya.dispose();
      jonas.dispose();
      await room.world.run(1_000);
      for (const name of ['maya', 'jonas']) expect(room.world.report(name).timers).to.equal(0);
    }
  });

  it('meet a plain client as well', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const { room, maya, jonas } = await pair(seed);
      const plain = fakePlainClient(room.world, { name: 'plain' });
      await room.world.until(plain.enter());
      await room.world.when(
        () =>
          [maya, jonas].every((call) => {
            const there = others(call).find(({ id }) => id === plain.userId);
            return there?.link === 'connected' && there.sources.camera.state === 'on';
          }),
        `seed ${seed}`,
        15_000,
      );
      expect(plain.errors).to.deep.equal([]);
      expect(others(maya)).to.have.length(2);
    }
  });

  it('bring their name from the lobby, where they had none', async () => {
    const room = createFakeRoom({ seed: 3 });
    installPlainServer(room.world);
    const maya = room.call('Maya');
    await room.world.until(maya.prepare());
    expect(maya.snapshot).to.include({ phase: 'lobby', relay: 'open' });
    await room.joined(maya);
    expect(self(maya).name).to.equal('Maya');
    expect(self(maya).id).to.match(/^[\da-f-]{36}$/);
  });

  it('come back to it under the same id, and nobody leaves', async () => {
    const { room, server, maya, jonas } = await pair(4);
    const before = self(jonas).id;
    const signIns = server.signIns;
    server.kill();
    await room.world.when(() => jonas.snapshot.phase === 'reconnecting', 'jonas to notice');
    await room.world.run(4_000);
    server.start();
    await room.world.when(
      () => [maya, jonas].every(({ snapshot }) => snapshot.phase === 'joined'),
      'both back',
    );
    await room.world.run(5_000);
    expect(self(jonas).id).to.equal(before);
    expect(server.signIns).to.equal(signIns);
    expect(leavers(room, 'maya')).to.deep.equal([]);
    expect(others(maya)[0]!.link).to.equal('connected');
  });

  it('take another token when theirs is refused', async () => {
    const { room, server, jonas } = await pair(5);
    server.expireTokens();
    server.cut(self(jonas).id);
    await room.world.when(() => jonas.snapshot.phase === 'reconnecting', 'jonas to notice');
    await room.world.when(() => jonas.snapshot.phase === 'joined', 'jonas to be back', 20_000);
    expect(server.signIns).to.equal(3);
  });

  it('notice a half-open socket within ten seconds, without any ping of ours', async () => {
    const { room, jonas } = await pair(6);
    await room.world.run(30_000);
    expect(jonas.snapshot.phase).to.equal('joined');
    room.world.halfOpen('jonas');
    const took = await room.world.when(
      () => jonas.snapshot.phase === 'reconnecting',
      'jonas to notice',
      12_000,
    );
    expect(took).to.be.at.most(10_000);
    await room.world.when(() => jonas.snapshot.phase === 'joined', 'jonas to be back', 20_000);
  });

  it('leave by a dead socket, return, and are somebody new to an original client that did not see them go', async () => {
    const room = createFakeRoom({ seed: 10 });
    installPlainServer(room.world);
    const maya = room.call('maya');
    await room.joined(maya);
    const plain = fakePlainClient(room.world, { name: 'plain' });
    await room.world.until(plain.enter());
    const met = () => {
      const there = others(maya).find(({ id }) => id === plain.userId);
      return there?.link === 'connected' && there.sources.camera.state === 'on';
    };
    await room.world.when(met, 'to meet it', 15_000);
    const before = self(maya).id;
    room.world.halfOpen('maya');
    await maya.leave();
    await room.joined(maya);
    await room.world.when(met, 'to meet it again', 15_000);
    expect(self(maya).id).not.to.equal(before);
    expect(plain.errors).to.deep.equal([]);
  });

  it('refuse a third in a two-person call', async () => {
    const room = createFakeRoom({ seed: 7 });
    installPlainServer(room.world);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => room.call(name, { maxPeers: 1 })) as [Call, Call, Call];
    await room.joined(a, b);
    await room.everyoneMeets(a, b);
    const outcome = await room.world.until(c.join().catch((error: unknown) => error));
    expect(outcome).to.include({ code: 'room-full' });
    await room.world.run(1_000);
    expect(others(a)).to.have.length(1);
  });

  it('use the room that a prefix names', async () => {
    const room = createFakeRoom({ seed: 8 });
    const server = installPlainServer(room.world);
    const maya = room.call('maya', { roomPrefix: 'their' });
    await room.joined(maya);
    expect([...server.core.rooms.keys()]).to.deep.equal(['their:standup']);
  });

  it('accept a greeting that comes late', async () => {
    const room = createFakeRoom({ seed: 9, delays: { socket: [2_000, 2_500] } });
    const maya = room.call('maya', { token: fakeToken({ username: 'Maya' }) });
    await room.joined(maya);
    expect(others(maya)).to.have.length(0);
    await room.world.run(10_000);
    expect(maya.snapshot).to.include({ phase: 'joined', relay: 'open' });
  });
});
