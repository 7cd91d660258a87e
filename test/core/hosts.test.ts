/** What hosts decide, as those meet it whom it concerns: through the relay's own core. */
import { expect } from '@open-wc/testing';
import type { Call } from '../../src/core/index.ts';
import { createFakeRoom, fakeToken, type FakeRoom } from '../support/fake-room.ts';

const SUB = '00000000-0000-4000-8000-00000000000';
/** A member of the room at the relay, who may be told to do what a host does. */
const personOf = ({ relay }: FakeRoom, call: Call) =>
  relay.rooms.get('standup')!.seats.get(call.snapshot.participants[0]!.id)!.person;

async function meet(flavour: 'chromium' | 'firefox', ...names: string[]) {
  const room = createFakeRoom({ seed: 1, flavour });
  const host = room.call('tea', { token: fakeToken({ sub: `${SUB}1`, username: 'tea', role: 'host' }) });
  const calls = names.map((name) => room.call(name));
  await room.joined(host, ...calls);
  await room.everyoneMeets(host, ...calls);
  const say = (act: 'lock' | 'lobby' | 'admit' | 'refuse' | 'remove' | 'mute' | 'end', data: object) =>
    room.relay.router.take(
      personOf(room, host),
      { act: 'decide', room: 'standup', message: { type: `room.${act}`, room: 'standup', data } as never },
      { entered: () => undefined, refuse: (error) => expect.fail(error), unavailable: () => undefined },
    );
  return { room, host, calls, say };
}

const id = (call: Call) => call.snapshot.participants[0]!.id;
const whoWaits = ({ relay }: FakeRoom) =>
  [...relay.rooms.get('standup')!.rules.waiting.values()][0]!.person.userID;
const others = ({ snapshot }: Call) => snapshot.participants.slice(1).map(({ name }) => name);
const leftWith = (room: FakeRoom, name: string) =>
  room.heard(name).find(({ name: event }) => event === 'left')?.detail as { reason: string } | undefined;

for (const flavour of ['chromium', 'firefox'] as const) {
  describe(`hosts (${flavour})`, () => {
    it('remove somebody, who is out with the reason, and does not come back', async () => {
      const { room, host, calls, say } = await meet(flavour, 'maya', 'jonas');
      const [maya, jonas] = calls as [Call, Call];
      say('remove', { userID: id(jonas) });
      await room.world.when(() => jonas.snapshot.phase === 'left', 'jonas to be out');
      expect(leftWith(room, 'jonas')).to.deep.equal({ reason: 'removed' });
      await room.world.when(
        () => others(maya).length === 1 && others(host).length === 1,
        'the others to see it',
      );
      const error = await room.world.until(jonas.join().then(null, (reason: { code: string }) => reason));
      expect(error).to.have.property('code', 'not-admitted');
      for (const call of [host, ...calls]) call.dispose();
    });

    it('end the room for all, themselves included', async () => {
      const { room, host, calls, say } = await meet(flavour, 'maya', 'jonas');
      say('end', {});
      for (const [name, call] of [
        ['tea', host],
        ['maya', calls[0]!],
        ['jonas', calls[1]!],
      ] as const) {
        await room.world.when(() => call.snapshot.phase === 'left', `${name} to be out`);
        expect(leftWith(room, name)).to.deep.equal({ reason: 'host-ended' });
        call.dispose();
      }
      expect(room.relay.rooms.size).to.equal(0);
    });

    it('ask for silence: the microphone is off, and its owner may switch it on again', async () => {
      const { room, host, calls, say } = await meet(flavour, 'maya');
      const [maya] = calls as [Call];
      expect(maya.snapshot.wanted.mic).to.equal(true);
      say('mute', {});
      await room.world.when(() => !maya.snapshot.wanted.mic, 'maya to be silent');
      expect(host.snapshot.wanted.mic).to.equal(true);
      await room.world.until(maya.toggleMic(true));
      await room.world.run(2_000);
      expect(maya.snapshot.wanted.mic).to.equal(true);
      for (const call of [host, maya]) call.dispose();
    });

    it('let somebody in who waits, however long, and across a lost socket', async () => {
      const { room, host, calls, say } = await meet(flavour, 'maya');
      say('lobby', { on: true });
      const jonas = room.call('jonas');
      const joining = jonas.join();
      await room.world.when(() => jonas.snapshot.phase === 'waiting', 'jonas to wait');
      await room.world.run(60_000);
      expect(jonas.snapshot.phase).to.equal('waiting');
      room.world.halfOpen('jonas');
      await room.world.run(20_000);
      expect(jonas.snapshot.phase).to.equal('waiting');
      say('admit', { userID: whoWaits(room) });
      await room.world.until(joining);
      await room.everyoneMeets(host, ...calls, jonas);
      for (const call of [host, ...calls, jonas]) call.dispose();
    });

    it('send somebody away who waits', async () => {
      const { room, host, calls, say } = await meet(flavour, 'maya');
      say('lobby', { on: true });
      const jonas = room.call('jonas');
      const joining = jonas.join().then(
        () => 'joined',
        () => 'refused',
      );
      await room.world.when(() => jonas.snapshot.phase === 'waiting', 'jonas to wait');
      say('refuse', { userID: whoWaits(room) });
      expect(await room.world.until(joining)).to.equal('refused');
      expect(jonas.snapshot.phase).to.equal('left');
      expect(leftWith(room, 'jonas')).to.deep.equal({ reason: 'refused' });
      for (const call of [host, ...calls]) call.dispose();
    });
  });
}
