/** What goes wrong while people talk, and how the call mends it by itself. Every time is the virtual clock's. */
import { expect } from '@open-wc/testing';
import type { Call, CallOptions } from '../../src/core/index.ts';
import { createFakeRoom, type FakeRoom } from '../support/fake-room.ts';

const others = (call: Call) => call.snapshot.participants.slice(1);
const linkOf = (call: Call) => others(call)[0]?.link;
const codes = (room: FakeRoom, name: string) =>
  room
    .heard(name)
    .flatMap(({ name: event, detail }) => (event === 'error' ? [(detail as { code: string }).code] : []));
const live = (room: FakeRoom, name: string) =>
  room.world.peerConnections(name).filter(({ signalingState }) => signalingState !== 'closed');

/** Every frame that a participant's page sends to the relay from now on. */
function overhear(room: FakeRoom, name: string): readonly string[] {
  const platform = room.world.platform(name);
  const frames: string[] = [];
  const create = platform.createSocket.bind(platform);
  platform.createSocket = (url) => {
    const socket = create(url);
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      frames.push(data as string);
      send(data);
    };
    return socket;
  };
  return frames;
}

async function pair(seed: number, options: Partial<CallOptions> = {}, before?: (room: FakeRoom) => void) {
  const room = createFakeRoom({ seed });
  const maya = room.call('maya', options);
  const jonas = room.call('jonas', options);
  before?.(room);
  await room.joined(maya, jonas);
  return { room, maya, jonas, meet: () => room.everyoneMeets(maya, jonas) };
}

const SEEDS = Array.from({ length: 30 }, (_, index) => 700 + index);

describe('a connection in trouble', () => {
  it('renegotiates over the peers’ own channel while the relay is away', async () => {
    for (const seed of SEEDS) {
      const { room, maya, jonas, meet } = await pair(seed);
      await meet();
      room.killRelay();
      await room.world.run(2_000);
      const [pc] = live(room, 'maya');
      const before = pc!.localDescription!.sdp;
      pc!.restartIce();
      await room.world.run(3_000);
      expect(pc!.signalingState, `seed ${String(seed)}`).to.equal('stable');
      expect(pc!.localDescription!.sdp).not.to.equal(before);
      expect(linkOf(maya)).to.equal('connected');
      expect(maya.snapshot.phase).to.equal('reconnecting');
      maya.dispose();
      jonas.dispose();
    }
  });

  it('is made anew when its data channel does not open although media flows', async () => {
    for (const seed of SEEDS) {
      const { room, maya, jonas } = await pair(seed, {}, ({ world }) =>
        world.network.deafen('maya', 'jonas'),
      );
      const open = () => live(room, 'maya')[0]?.dataChannels[0]?.readyState === 'open';
      await room.world.when(() => linkOf(maya) === 'connected', `seed ${String(seed)}: media`);
      await room.world.run(5_000);
      expect(open()).to.equal(false);
      const links: (string | undefined)[] = [];
      maya.subscribe(
        () => linkOf(maya),
        (link) => links.push(link),
      );
      room.world.network.hear('maya', 'jonas');
      await room.world.when(open, `seed ${String(seed)}: an open channel`, 20_000);
      await room.everyoneMeets(maya, jonas);
      const made = room.world.peerConnections('maya').length;
      await room.world.run(20_000);
      expect(links, 'the new one is not taken for up').to.deep.equal(['interrupted', 'connected']);
      // One new connection is enough.
      expect(room.world.peerConnections('maya')).to.have.length(made);
      maya.dispose();
      jonas.dispose();
    }
  });

  it('is made anew when its data channel dies although media flows', async () => {
    for (const seed of SEEDS) {
      const { room, maya, jonas, meet } = await pair(seed);
      await meet();
      expect(room.world.network.loseData('maya', 'jonas')).to.equal(true);
      await maya.toggleMic(false);
      await room.world.when(
        () => others(jonas)[0]!.sources.mic.state === 'silenced',
        `seed ${String(seed)}: jonas to hear of it`,
        40_000,
      );
      maya.dispose();
      jonas.dispose();
    }
  });

  it('comes back within two seconds of the mend, however long the path was cut', async () => {
    for (const seed of SEEDS) {
      const { room, maya, jonas, meet } = await pair(seed);
      await meet();
      room.world.cut('maya', 'jonas');
      await room.world.run(room.world.random.pick([3_000, 8_000, 20_000, 60_000]));
      room.world.mend('maya', 'jonas');
      const whole = () => [maya, jonas].every((call) => linkOf(call) === 'connected');
      await room.world.when(whole, `seed ${String(seed)}: both to be back`, 12_000);
      expect(codes(room, 'maya')).to.deep.equal([]);
      // What one says arrives at the other: the channel lives.
      await maya.toggleMic(false);
      await room.world.when(
        () => others(jonas)[0]!.sources.mic.state === 'silenced',
        `seed ${String(seed)}: jonas to hear of it`,
        12_000,
      );
      maya.dispose();
      jonas.dispose();
      await room.world.run(500);
      expect(room.world.report()).to.include({ connections: 0, timers: 0 });
    }
  });

  it('makes no pictures while the path is dead, and begins with a whole one, of a camera switched off meanwhile too', async () => {
    for (const off of [false, true]) {
      const { room, maya, jonas, meet } = await pair(746);
      await meet();
      // Until the uplink is divided.
      await room.world.run(5_000);
      const senders = live(room, 'maya')[0]!
        .getSenders()
        .filter(({ track }) => track?.kind === 'video');
      expect(senders.length).to.be.above(0);
      const active = () => senders.map((sender) => sender.getParameters().encodings[0]!.active);
      room.world.cut('maya', 'jonas');
      await room.world.run(5_000);
      expect(active(), 'while there is no path').to.not.include(true);
      if (off) await maya.toggleCamera(false);
      room.world.mend('maya', 'jonas');
      await room.world.when(() => linkOf(maya) === 'connected', 'maya to be back', 12_000);
      const on = off && maya.toggleCamera(true);
      await room.world.run(1_500);
      await on;
      expect(active(), 'once it is back').to.not.include(false);
      maya.dispose();
      jonas.dispose();
    }
  });

  it('begins its pictures anew after an interruption that was over before it was noticed, and never without one', async () => {
    const { room, maya, jonas, meet } = await pair(746);
    await meet();
    await Promise.all([jonas.toggleMic(false), jonas.toggleCamera(false)]);
    await room.world.run(15_000);
    const sender = live(room, 'maya')[0]!
      .getSenders()
      .find(({ track }) => track?.kind === 'video')!;
    const set: (boolean | undefined)[] = [];
    const change = sender.setParameters.bind(sender);
    sender.setParameters = (parameters) => {
      set.push(parameters.encodings[0]!.active);
      return change(parameters);
    };
    await room.world.run(30_000);
    expect(set, 'beside somebody who sends nothing').to.not.include(false);
    const on = jonas.toggleMic(true);
    await room.world.run(2_600);
    await on;
    set.length = 0;
    room.world.cut('maya', 'jonas');
    await room.world.run(2_600);
    room.world.mend('maya', 'jonas');
    await room.world.run(2_500);
    expect(set, 'after the interruption').to.include(false);
    expect(sender.getParameters().encodings[0]!.active).to.equal(true);
    maya.dispose();
    jonas.dispose();
  });

  it('notices a dead path by its silence, before browsers do, and none where nobody sends', async () => {
    for (const seed of SEEDS) {
      const { room, maya, jonas, meet } = await pair(seed);
      await meet();
      await Promise.all(
        [maya, jonas].map((call) => Promise.all([call.toggleMic(false), call.toggleCamera(false)])),
      );
      const [pc] = live(room, 'maya');
      const before = pc!.localDescription!.sdp;
      await room.world.run(20_000);
      expect(linkOf(maya), `seed ${String(seed)}`).to.equal('connected');
      expect(pc!.localDescription!.sdp).to.equal(before);
      room.world.cut('maya', 'jonas');
      const took = await room.world.when(() => linkOf(maya) === 'interrupted', 'maya to notice', 10_000);
      expect(took, `seed ${String(seed)}`).to.be.below(4_400);
      maya.dispose();
      jonas.dispose();
    }
  });

  it('never shows somebody whom one talked with as a newcomer', async () => {
    const { room, maya, meet } = await pair(41);
    await meet();
    const seen = new Set<string>();
    maya.subscribe(
      () => linkOf(maya),
      (link) => seen.add(String(link)),
    );
    room.world.cut('maya', 'jonas');
    await room.world.run(40_000);
    room.world.mend('maya', 'jonas');
    await room.world.when(() => linkOf(maya) === 'connected', 'back', 12_000);
    expect([...seen])
      .not.to.include('new')
      .and.not.to.include('connecting');
  });

  const pathless: [string, Partial<CallOptions>, string][] = [
    ['without a TURN server', {}, 'turn-needed'],
    [
      'with one that does not help',
      { iceServers: [{ urls: 'turn:t.test', username: 'u', credential: 'c' }] },
      'ice-failed',
    ],
    [
      'when only relayed paths are allowed and there is no TURN server',
      { icePolicy: 'relay' },
      'turn-needed',
    ],
  ];
  for (const [what, options, code] of pathless) {
    it(`says within 16 s that there is no path ${what}, once, and stays in the room`, async () => {
      const { room, maya, jonas } = await pair(42, options, ({ world }) => {
        if (code === 'ice-failed' || !options.icePolicy) world.cut('maya', 'jonas');
      });
      await room.world.run(16_000);
      for (const [name, call] of [
        ['maya', maya],
        ['jonas', jonas],
      ] as const) {
        expect(linkOf(call), name).to.equal('failed');
        expect(call.snapshot.phase).to.equal('joined');
        expect(codes(room, name)).to.deep.equal([code]);
      }
      await room.world.run(60_000);
      expect(codes(room, 'maya')).to.deep.equal([code]);
      // Somebody changed networks: now there is a path.
      if (options.icePolicy) return;
      room.world.mend('maya', 'jonas');
      room.world.platform('maya').emit('online');
      await room.world.when(() => linkOf(maya) === 'connected', 'a path', 60_000);
    });
  }

  it('cuts off a peer whose description has surprise sections', async () => {
    const { room, maya, jonas, meet } = await pair(45);
    await meet();
    const [theirs] = live(room, 'jonas');
    const control = theirs!.dataChannels.find(({ label }) => label === 'pm:control')!;
    const { sdp } = theirs!.localDescription!;
    const section = sdp.slice(sdp.indexOf('m='));
    const payload = sdp + section.repeat(9);
    control.send(JSON.stringify({ t: 'signal', kind: 'offer', payload, conn: 'x', offer: 1 }));
    await room.world.run(500);
    // Under another name it is another connection, which it cannot have either.
    expect(linkOf(maya)).not.to.equal('connected');
    expect(codes(room, 'maya')).to.include.oneOf(['peer-misbehaved', 'negotiation-failed']);
    expect(maya.snapshot.phase).to.equal('joined');
    jonas.dispose();
  });

  it('begins a connection anew that can no longer be negotiated', async () => {
    let sent: readonly string[] = [];
    const { room, maya, jonas, meet } = await pair(46, {}, (each) => (sent = overhear(each, 'jonas')));
    await meet();
    const [theirs] = live(room, 'jonas');
    const control = theirs!.dataChannels.find(({ label }) => label === 'pm:control')!;
    const conn = /"conn":"([^"]+)"/.exec(sent.filter((frame) => frame.includes('webrtc.')).at(-1) ?? '')?.[1];
    expect(conn).to.be.a('string');
    control.send(JSON.stringify({ t: 'signal', kind: 'offer', payload: 'v=0 nonsense', conn }));
    await room.world.run(200);
    expect(codes(room, 'maya')).to.include('negotiation-failed');
    await room.world.run(8_000);
    await room.everyoneMeets(maya, jonas);
    expect(live(room, 'maya')).to.have.length(1);
  });

  it('joins although the relay restarts before the certificate is made', async () => {
    for (const seed of SEEDS) {
      const room = createFakeRoom({ seed });
      const platform = room.world.platform('maya');
      const make = platform.generateCertificate.bind(platform);
      let made = () => {};
      const wait = new Promise<void>((resolve) => (made = resolve));
      platform.generateCertificate = () => wait.then(make);
      const maya = room.call('maya');
      const joining = maya.join();
      await room.world.when(() => maya.snapshot.relay === 'open', 'a socket');
      room.killRelay();
      await room.world.when(() => maya.snapshot.relay === 'connecting', 'its loss to be noticed');
      room.startRelay();
      await room.world.when(() => maya.snapshot.relay === 'open', 'another socket');
      made();
      await room.world.until(joining, `seed ${String(seed)}: the join`);
      maya.dispose();
    }
  });

  it('cuts off a peer that floods the channel, and the room goes on', async () => {
    const { room, maya, jonas } = await pair(43);
    const priya = room.call('priya');
    await room.joined(priya);
    await room.everyoneMeets(maya, jonas, priya);
    const id = others(maya).find(({ name }) => name === 'jonas')!.id;
    for (const each of live(room, 'jonas')) {
      const control = each.dataChannels.find(({ label }) => label === 'pm:control')!;
      for (let index = 0; index < 900; index += 1) control.send('{"t":"media"}');
    }
    await room.world.run(2_000);
    expect(codes(room, 'maya')).to.include('peer-misbehaved');
    expect(maya.snapshot.participants.find((each) => each.id === id)?.link).to.equal('failed');
    expect(others(maya).find(({ name }) => name === 'priya')!.link).to.equal('connected');
  });

  it('asks by requests for a relay that is away for long, since browsers delay sockets the longer the more failed', async () => {
    const { room, maya, jonas, meet } = await pair(741);
    await meet();
    const platform = room.world.platform('maya');
    const create = platform.createSocket.bind(platform);
    let tried = 0;
    platform.createSocket = (url) => {
      tried += 1;
      return create(url);
    };
    room.killRelay();
    await room.world.run(300_000);
    expect(tried).to.be.at.most(2);
    room.startRelay();
    const back = () => [maya, jonas].every(({ snapshot }) => snapshot.phase === 'joined');
    expect(await room.world.when(back, 'to be back', 20_000)).to.be.at.most(5_500);
    maya.dispose();
    jonas.dispose();
  });

  it('looks for a relay without long waits while media is down as well', async () => {
    for (const seed of SEEDS) {
      const { room, maya, jonas, meet } = await pair(seed);
      await meet();
      room.killRelay();
      room.world.cut('maya', 'jonas');
      await room.world.run(12_000);
      room.startRelay();
      const back = () => [maya, jonas].every(({ snapshot }) => snapshot.phase === 'joined');
      expect(await room.world.when(back, 'to be back', 20_000), `seed ${String(seed)}`).to.be.at.most(2_000);
      maya.dispose();
      jonas.dispose();
    }
  });

  it('hears of the relay’s return from whoever finds it first, and knocks no more often for what peers say', async () => {
    for (const seed of SEEDS) {
      const room = createFakeRoom({ seed });
      const calls = ['maya', 'jonas', 'priya'].map((name) => room.call(name));
      await room.joined(...calls);
      await room.everyoneMeets(...calls);
      room.killRelay();
      // By now everybody waits up to five seconds between two attempts.
      await room.world.run(30_000);
      const back = calls.map(({ snapshot }) => snapshot.phase === 'joined');
      expect(back, `seed ${String(seed)}`).to.deep.equal([false, false, false]);
      room.startRelay();
      await room.world.when(
        () => calls.some(({ snapshot }) => snapshot.phase === 'joined'),
        'one to be back',
      );
      await room.world.run(800);
      expect(
        calls.map(({ snapshot }) => snapshot.phase),
        `seed ${String(seed)}`,
      ).to.deep.equal(['joined', 'joined', 'joined']);
      for (const call of calls) call.dispose();
    }

    const { room, meet } = await pair(44);
    await meet();
    room.killRelay();
    await room.world.run(10_000);
    let knocks = 0;
    const platform = room.world.platform('maya');
    const create = platform.createSocket.bind(platform);
    platform.createSocket = (url) => {
      knocks += 1;
      return create(url);
    };
    const ask = platform.fetch.bind(platform);
    platform.fetch = (...given) => {
      knocks += 1;
      return ask(...given);
    };
    const control = live(room, 'jonas')[0]!.dataChannels.find(({ label }) => label === 'pm:control')!;
    for (let second = 0; second < 10; second += 1) {
      for (let index = 0; index < 50; index += 1) control.send('{"t":"relay"}');
      await room.world.run(1_000);
    }
    expect(knocks).to.be.within(1, 25);
  });
});
