import { expect } from '@open-wc/testing';
import { TIMELINE_STEPS, type Call } from '../../src/core/index.ts';
import { createFakeRoom, type FakeRoom } from '../support/fake-room.ts';

const others = (call: Call) => call.snapshot.participants.slice(1);
const names = (call: Call) => others(call).map(({ name }) => name);
const ids = (call: Call) => call.snapshot.participants.map(({ id }) => id);
const errors = (room: FakeRoom, name: string) =>
  room
    .heard(name)
    .flatMap(({ name: event, detail }) => (event === 'error' ? [(detail as { code: string }).code] : []));
const nothing = { connections: 0, tracks: 0, sockets: 0, timers: 0, listeners: 0 };

/** Every promise that a call rejects without anybody waiting for it would surface here. */
function watchRejections(): () => readonly unknown[] {
  const seen: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => seen.push(event.reason);
  window.addEventListener('unhandledrejection', note);
  return () => {
    window.removeEventListener('unhandledrejection', note);
    return seen;
  };
}

async function pair(seed: number) {
  const room = createFakeRoom({ seed });
  const maya = room.call('maya');
  const jonas = room.call('jonas');
  await room.joined(maya, jonas);
  await room.everyoneMeets(maya, jonas);
  return { room, maya, jonas };
}

describe('a call', () => {
  let rejections: () => readonly unknown[];
  beforeEach(() => (rejections = watchRejections()));
  afterEach(() => expect(rejections()).to.have.length(0));

  it('brings two people together, with their names, microphones and cameras', async () => {
    const { maya, jonas } = await pair(1);
    expect(names(maya)).to.deep.equal(['jonas']);
    expect(names(jonas)).to.deep.equal(['maya']);
    const [self, other] = maya.snapshot.participants;
    expect(self).to.include({ self: true, link: 'none' });
    expect(other).to.include({ self: false, link: 'connected' });
    for (const source of ['mic', 'camera'] as const) {
      expect(other!.sources[source].state, source).to.equal('on');
      expect(other!.sources[source].stream, source).to.not.equal(null);
    }
    expect(other!.sources.screen).to.deep.equal({ state: 'off', stream: null });
  });

  it('meets under fifty seeds, whichever browser each of three has and however the network delays', async () => {
    for (let seed = 100; seed < 150; seed += 1) {
      const room = createFakeRoom({ seed });
      const calls = ['a', 'b', 'c'].map((name) => room.call(name));
      await room.world.until(Promise.all(calls.map((call) => call.join())), `seed ${seed}: the joins`);
      await room.everyoneMeets(...calls);
      for (const call of calls) call.dispose();
      await room.world.run(1_000);
      for (const name of ['a', 'b', 'c'])
        expect(room.world.report(name), `seed ${seed}`).to.deep.equal(nothing);
    }
  });

  it('prepares in the lobby without anybody learning of it, and captures nothing', async () => {
    const room = createFakeRoom({ seed: 2 });
    const maya = room.call('maya');
    await room.joined(maya);
    const jonas = room.call('jonas');
    await room.world.until(jonas.prepare());
    await room.world.run(1_000);
    expect(jonas.snapshot).to.include({ phase: 'lobby', relay: 'open' });
    expect(others(maya)).to.have.length(0);
    expect(room.world.platform('jonas').devices.requests).to.equal(0);
    // What the lobby gathered is what the join sends: no connection is made anew.
    const prepared = room.world.peerConnections('jonas').length;
    await room.joined(jonas);
    await room.everyoneMeets(maya, jonas);
    expect(room.world.peerConnections('jonas').length).to.equal(prepared);
  });

  it('tells the lobby nothing about the person: the sign-in carries no name before the click', async () => {
    const room = createFakeRoom({ seed: 3 });
    const maya = room.call('Maya Lindqvist');
    await room.world.until(maya.prepare());
    await room.joined(maya);
    expect(maya.snapshot.participants[0]!.name).to.equal('Maya Lindqvist');
  });

  it('writes the timeline in the order of the standard, ending in close', async () => {
    for (const flavour of ['chromium', 'firefox'] as const) {
      const room = createFakeRoom({ seed: 4, flavour });
      const maya = room.call('maya');
      const jonas = room.call('jonas');
      await room.joined(maya, jonas);
      await room.everyoneMeets(maya, jonas);
      await room.world.run(2_000);
      for (const [call, other] of [
        [maya, jonas],
        [jonas, maya],
      ] as const) {
        const id = other.snapshot.participants[0]!.id;
        await call.leave();
        const steps = call.timeline(id).map(({ step }) => step);
        expect(steps, flavour).to.deep.equal(TIMELINE_STEPS.filter((step) => step !== 'restart'));
        const times = call.timeline(id).map(({ at }) => at);
        expect(times).to.deep.equal([...times].sort((a, b) => a - b));
      }
    }
  });

  it('silences in the click itself and tells the others', async () => {
    const { room, maya, jonas } = await pair(5);
    const muted = jonas.toggleMic();
    expect(jonas.snapshot.participants[0]!.sources.mic.state).to.equal('silenced');
    const dark = jonas.toggleCamera();
    expect(jonas.snapshot.participants[0]!.sources.camera).to.deep.equal({ state: 'off', stream: null });
    expect([await muted, await dark]).to.deep.equal([false, false]);
    await room.world.run(500);
    expect(others(maya)[0]!.sources.mic.state).to.equal('silenced');
    expect(others(maya)[0]!.sources.camera).to.deep.equal({ state: 'off', stream: null });
    expect(await room.world.until(jonas.toggleCamera())).to.equal(true);
    await room.world.run(500);
    expect(others(maya)[0]!.sources.camera.state).to.equal('on');
  });

  it('follows the newest of many quick wishes', async () => {
    const { room, jonas } = await pair(6);
    for (let round = 0; round < 9; round += 1) void jonas.toggleCamera();
    await room.world.run(3_000);
    expect(jonas.snapshot.wanted.camera).to.equal(false);
    expect(jonas.snapshot.participants[0]!.sources.camera.state).to.equal('off');
    expect(room.world.report('jonas').tracks).to.equal(1);
  });

  it('lets one join without camera and microphone, with a code for each failure', async () => {
    for (const [failure, code] of [
      ['NotAllowedError', 'permission-denied'],
      ['NotFoundError', 'device-not-found'],
      ['NotReadableError', 'device-in-use'],
      ['OverconstrainedError', 'overconstrained'],
      ['AbortError', 'capture-failed'],
    ] as const) {
      const room = createFakeRoom({ seed: 7 });
      const maya = room.call('maya');
      const jonas = room.call('jonas');
      Object.assign(room.world.platform('jonas').devices.failures, { audio: failure, video: failure });
      await room.joined(maya, jonas);
      await room.everyoneMeets(maya, jonas);
      await room.world.run(1_000);
      expect(jonas.snapshot.problems).to.deep.equal({ mic: code, camera: code });
      expect(errors(room, 'jonas')).to.deep.equal([code, code]);
      expect(others(jonas)[0]!.sources.camera.state, code).to.equal('on');
    }
  });

  it('keeps the microphone when only the camera is missing', async () => {
    const room = createFakeRoom({ seed: 8 });
    const jonas = room.call('jonas');
    room.world.platform('jonas').devices.failures.video = 'NotFoundError';
    await room.joined(jonas);
    await room.world.run(1_000);
    expect(jonas.snapshot.problems).to.deep.equal({ camera: 'device-not-found' });
    expect(jonas.snapshot.participants[0]!.sources.mic.state).to.equal('on');
    const again = await room.world.until(jonas.toggleCamera().catch((error: unknown) => error));
    expect(again).to.include({ code: 'device-not-found' });
  });

  it('says so on a page that is not secure, and joins all the same', async () => {
    const room = createFakeRoom({ seed: 9 });
    const jonas = room.call('jonas');
    room.world.platform('jonas').secure = false;
    await room.joined(jonas);
    expect(errors(room, 'jonas')).to.deep.equal(['insecure-context', 'insecure-context']);
    expect(jonas.snapshot.phase).to.equal('joined');
  });

  it('refuses a third person in a two-person call and tells both of their role', async () => {
    const room = createFakeRoom({ seed: 10 });
    const calls = ['a', 'b', 'c'].map((name) => room.call(name, { maxPeers: 1 }));
    const [a, b, c] = calls as [Call, Call, Call];
    await room.joined(a, b);
    await room.everyoneMeets(a, b);
    const outcome = await room.world.until(c.join().catch((error: unknown) => error));
    expect(outcome).to.include({ code: 'room-full', recoverable: true });
    expect(c.snapshot).to.include({ phase: 'failed', reason: 'room-full' });
    expect(errors(room, 'c')).to.deep.equal(['room-full']);
    const ready = (name: string) => room.heard(name).filter((each) => each.name === 'ready');
    expect(ready('a')).to.deep.equal([{ name: 'ready', detail: { role: 'callee' } }]);
    expect(ready('b')).to.deep.equal([{ name: 'ready', detail: { role: 'caller' } }]);
    await room.world.run(1_000);
    expect(room.world.report('c')).to.deep.equal({ ...nothing, listeners: 1 });
  });

  it('survives the death of the relay: same people, same ids, same connections', async () => {
    const { room, maya, jonas } = await pair(11);
    const before = [ids(maya), ids(jonas)];
    const made = room.world.peerConnections('maya').length + room.world.peerConnections('jonas').length;
    room.killRelay();
    await room.world.run(4_000);
    expect(maya.snapshot).to.include({ phase: 'reconnecting', relay: 'connecting' });
    expect(others(maya)[0]!.link).to.equal('connected');
    room.startRelay();
    await room.world.when(
      () => [maya, jonas].every(({ snapshot }) => snapshot.phase === 'joined'),
      'both to be back',
    );
    await room.world.run(40_000);
    expect([ids(maya), ids(jonas)]).to.deep.equal(before);
    const after = room.world.peerConnections('maya').length + room.world.peerConnections('jonas').length;
    expect(after).to.equal(made);
    // Signalling works again: a newcomer meets both.
    const priya = room.call('priya');
    await room.joined(priya);
    await room.everyoneMeets(maya, jonas, priya);
  });

  it('drops whoever did not come back with the relay, once the grace is over', async () => {
    const { room, maya } = await pair(12);
    room.killRelay();
    room.world.crash('jonas', 'machine');
    await room.world.run(2_000);
    room.startRelay();
    await room.world.when(() => maya.snapshot.phase === 'joined', 'maya to be back');
    await room.world.run(35_000);
    expect(others(maya)).to.have.length(0);
  });

  it('keeps a seat for somebody whose socket broke, unseen by the others', async () => {
    const { room, maya, jonas } = await pair(13);
    for (const socket of room.world.platform('jonas').sockets)
      if (socket.readyState === 1) socket.server!.terminate();
    await room.world.when(() => jonas.snapshot.phase === 'reconnecting', 'jonas to notice');
    await room.world.when(() => jonas.snapshot.phase === 'joined', 'jonas to be back');
    expect(room.heard('maya').filter(({ name }) => name === 'participant-left')).to.have.length(0);
    expect(others(maya)[0]!.link).to.equal('connected');
  });

  it('notices a half-open socket within ten seconds', async () => {
    const { room, jonas } = await pair(14);
    room.world.halfOpen('jonas');
    const took = await room.world.when(
      () => jonas.snapshot.phase === 'reconnecting',
      'jonas to notice',
      12_000,
    );
    expect(took).to.be.below(10_000);
    await room.world.when(() => jonas.snapshot.phase === 'joined', 'jonas to be back');
  });

  it('meets somebody whose socket was half open while the newcomer came', async () => {
    const { room, maya, jonas } = await pair(18);
    room.world.halfOpen('jonas');
    const priya = room.call('priya');
    await room.joined(priya);
    await room.everyoneMeets(maya, jonas, priya);
  });

  it('leaves nothing behind after leaving, and joins again', async () => {
    const { room, maya, jonas } = await pair(15);
    for (let round = 0; round < 5; round += 1) {
      await jonas.leave();
      expect(jonas.snapshot).to.include({ phase: 'left', reason: 'user' });
      await room.world.run(500);
      expect(others(maya)).to.have.length(0);
      expect(room.world.report('jonas')).to.deep.equal({ ...nothing, listeners: 1 });
      await room.joined(jonas);
      await room.everyoneMeets(maya, jonas);
    }
    jonas.dispose();
    maya.dispose();
    await room.world.run(500);
    expect(room.world.report('jonas')).to.deep.equal(nothing);
    expect(room.world.report('maya')).to.deep.equal(nothing);
  });

  it('may be left in the middle of a join, at any moment', async () => {
    for (let seed = 200; seed < 240; seed += 1) {
      const room = createFakeRoom({ seed });
      const maya = room.call('maya');
      await room.joined(maya);
      const jonas = room.call('jonas');
      const join = jonas.join().then(
        () => 'joined',
        () => 'refused',
      );
      await room.world.run((seed - 200) * 5);
      await jonas.leave();
      await room.world.run(2_000);
      await room.world.until(join);
      expect(jonas.snapshot.phase, `seed ${seed}`).to.equal('left');
      expect(others(maya), `seed ${seed}`).to.have.length(0);
      expect(room.world.report('jonas'), `seed ${seed}`).to.deep.equal({ ...nothing, listeners: 1 });
    }
  });

  it('gives one promise to two joins', async () => {
    const room = createFakeRoom({ seed: 16 });
    const maya = room.call('maya');
    const [first, second] = [maya.join(), maya.join()];
    expect(first).to.equal(second);
    await room.world.until(first);
    await room.world.until(maya.join());
    expect(room.heard('maya').filter(({ name }) => name === 'joined')).to.have.length(1);
  });

  it('ends with the page and offers to come back', async () => {
    const { room, maya, jonas } = await pair(17);
    room.world.page('jonas').emit('pagehide');
    expect(jonas.snapshot).to.include({ phase: 'left', reason: 'page-hidden' });
    await room.world.run(500);
    expect(others(maya)).to.have.length(0);
    expect(room.world.report('jonas')).to.deep.equal({ ...nothing, listeners: 1 });
  });
});

describe('a call that cannot start', () => {
  const failure = async (room: FakeRoom, call: Call) =>
    (await room.world.until(
      call.join().then(
        () => 'joined',
        (error: unknown) => error,
      ),
      'the failure',
      120_000,
    )) as {
      code: string;
    };

  it('names a relay that does not answer', async () => {
    const room = createFakeRoom({ seed: 20 });
    room.killRelay();
    room.world.onFetch(null);
    const maya = room.call('maya');
    expect(await failure(room, maya)).to.include({ code: 'relay-unreachable', recoverable: true });
    expect(maya.snapshot).to.include({ phase: 'failed', reason: 'relay-gone' });
    await room.world.run(1_000);
    expect(room.world.report('maya')).to.deep.equal({ ...nothing, listeners: 1 });
    expect(errors(room, 'maya')).to.deep.equal(['relay-unreachable']);
  });

  it('names a token that was refused', async () => {
    const room = createFakeRoom({ seed: 21 });
    room.acceptToken = 'another';
    const maya = room.call('maya', { token: 'mine' });
    expect(await failure(room, maya)).to.include({ code: 'token-invalid', recoverable: false });
    expect(maya.snapshot).to.include({ phase: 'failed', reason: 'token-expired' });
  });

  it('asks for a fresh token once before it gives up', async () => {
    const room = createFakeRoom({ seed: 22 });
    room.acceptToken = 'second';
    const given = ['first', 'second'];
    const maya = room.call('maya', { getToken: () => Promise.resolve(given.shift() ?? 'none left') });
    await room.joined(maya).catch(() => undefined);
    expect(given).to.have.length(0);
  });

  it('waits for no token without end', async () => {
    const room = createFakeRoom({ seed: 24 });
    const maya = room.call('maya', { getToken: () => new Promise(() => undefined) });
    expect(await failure(room, maya)).to.include({ code: 'token-invalid' });
    expect(maya.snapshot.phase).to.equal('failed');
    expect(room.world.report('maya')).to.deep.equal({ ...nothing, listeners: 1 });
  });

  it('is over for good once it was disposed of', async () => {
    const room = createFakeRoom({ seed: 25 });
    const maya = room.call('maya');
    await room.joined(maya);
    maya.dispose();
    expect(await failure(room, maya)).to.include({ code: 'usage' });
    await room.world.run(1_000);
    expect(room.world.report('maya')).to.deep.equal(nothing);
  });

  for (const [what, options] of [
    ['a blank room', { room: '  ' }],
    ['a room of 129 characters', { room: 'x'.repeat(129) }],
    ['a room with control characters', { room: 'a\u202eb' }],
    ['a relay that is no address', { relay: 'mailto:someone' }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const room = createFakeRoom({ seed: 23 });
      const maya = room.call('maya', options);
      expect(await failure(room, maya)).to.include({ code: 'usage' });
      expect(maya.snapshot.phase).to.equal('failed');
      expect(errors(room, 'maya')).to.deep.equal(['usage']);
      expect(room.world.report('maya')).to.deep.equal({ ...nothing, listeners: 1 });
    });
  }

  it('keeps the lobby while the relay is away, and joins once it is there', async () => {
    const room = createFakeRoom({ seed: 24 });
    room.killRelay();
    room.world.onFetch(null);
    const maya = room.call('maya');
    await room.world.until(maya.prepare());
    expect(maya.snapshot.phase).to.equal('lobby');
    expect(errors(room, 'maya')).to.deep.equal(['relay-unreachable']);
    room.startRelay();
    await room.joined(maya);
  });
});
