import { expect } from '@open-wc/testing';
import type { Call, CallEvents } from '../../src/core/index.ts';
import { createFakeRoom, type FakeRoom } from '../support/fake-room.ts';

type Told = CallEvents['data'];

const idOf = (call: Call) => call.snapshot.participants[0]!.id;
const seen = (call: Call, other: Call) =>
  call.snapshot.participants.find(({ id }) => id === idOf(other)) ?? expect.fail('nobody');
const data = (room: FakeRoom, name: string) =>
  room.heard(name).flatMap(({ name: event, detail }) => (event === 'data' ? [detail as Told] : []));
const emojis = (room: FakeRoom, name: string) =>
  room
    .heard(name)
    .flatMap(({ name: event, detail }) =>
      event === 'reaction' ? [(detail as CallEvents['reaction']).emoji] : [],
    );
const codes = (room: FakeRoom, name: string) =>
  room
    .heard(name)
    .flatMap(({ name: event, detail }) =>
      event === 'error' ? [(detail as CallEvents['error']).code as string] : [],
    );
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (error: unknown) => (error as { code: string }).code,
  );

async function together(seed: number, ...names: string[]) {
  const room = createFakeRoom({ seed });
  const calls = names.map((name) => room.call(name));
  await room.joined(...calls);
  await room.everyoneMeets(...calls);
  return { room, world: room.world, calls: calls as [Call, Call, Call] };
}

/** The connection of `name` to the only other person, to say what no client of ours would. */
const bare = (room: FakeRoom, name: string) =>
  room.world
    .peerConnections(name)
    .find(({ connectionState }) => connectionState === 'connected') as unknown as RTCPeerConnection;

describe('a raised hand', () => {
  it('is seen by everybody, by those who come later too, and goes down when one leaves', async () => {
    const { room, world, calls } = await together(1, 'maya', 'jonas');
    const [maya, jonas] = calls;
    expect(await maya.toggleHand()).to.equal(true);
    expect(maya.snapshot.participants[0]!.hand).to.equal(true);
    await world.run(500);
    expect(seen(jonas, maya).hand).to.equal(true);
    const priya = room.call('priya');
    await room.joined(priya);
    await room.everyoneMeets(maya, jonas, priya);
    await world.run(500);
    expect(seen(priya, maya).hand).to.equal(true);
    expect(seen(priya, jonas).hand).to.equal(false);
    expect(await maya.toggleHand(true)).to.equal(true);
    expect(await maya.toggleHand()).to.equal(false);
    await world.run(500);
    expect(seen(priya, maya).hand).to.equal(false);
    await maya.toggleHand(true);
    await maya.leave();
    expect(maya.snapshot.participants[0]!.hand).to.equal(false);
  });

  it('may be raised before one joins', async () => {
    const room = createFakeRoom({ seed: 2 });
    const [maya, jonas] = [room.call('maya'), room.call('jonas')];
    await jonas.toggleHand(true);
    await room.joined(maya, jonas);
    await room.everyoneMeets(maya, jonas);
    await room.world.run(500);
    expect(seen(maya, jonas).hand).to.equal(true);
  });
});

describe('a reaction', () => {
  it('reaches everybody, oneself included, and is one emoji', async () => {
    const { room, world, calls } = await together(3, 'maya', 'jonas');
    const [maya] = calls;
    const good = ['👍', '❤️', '👩‍👩‍👧', '🇩🇪', '👋🏽', '1️⃣', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '☹'];
    for (const emoji of good) await world.until(maya.react(emoji));
    await world.run(500);
    expect(emojis(room, 'maya')).to.deep.equal(good);
    expect(emojis(room, 'jonas')).to.deep.equal(good);
    for (const bad of ['', 'a', '👍👍', '<b>', '👍\u0301', '👩'.repeat(9), 7 as unknown as string])
      expect(await world.until(codeOf(maya.react(bad)), bad), bad).to.equal('usage');
  });

  it('of somebody who never stops is not shown for ever, and other things are no reactions', async () => {
    const { room, world, calls } = await together(4, 'maya', 'jonas');
    const [maya] = calls;
    for (let round = 0; round < 100; round += 1) void maya.react('👍');
    await world.run(500);
    expect(emojis(room, 'jonas').length).to.be.within(20, 23);
    const control = bare(room, 'jonas');
    expect(control.connectionState).to.equal('connected');
    expect(codes(room, 'jonas')).to.deep.equal([]);
  });
});

describe("a page's own data", () => {
  it('goes to everybody or to one, JSON and bytes, in order', async () => {
    const { room, world, calls } = await together(5, 'maya', 'jonas', 'priya');
    const [maya, jonas] = calls;
    const from = idOf(maya);
    const values = [null, 0, 'text', [1, [2]], { a: { b: true } }];
    for (const value of values) await world.until(maya.sendData('board', value));
    const bytes = Uint8Array.from([1, 2, 3, 255]);
    await world.until(maya.sendData('bytes', bytes.subarray(1)));
    await world.until(maya.sendData('bytes', bytes.buffer));
    await world.until(maya.sendData('alone', 'for jonas', { to: idOf(jonas) }));
    await world.run(500);
    const common = [
      ...values.map((value) => ({ topic: 'board', data: value, from })),
      { topic: 'bytes', data: bytes.slice(1), from },
      { topic: 'bytes', data: bytes, from },
    ];
    expect(data(room, 'priya')).to.deep.equal(common);
    expect(data(room, 'jonas')).to.deep.equal([...common, { topic: 'alone', data: 'for jonas', from }]);
    expect(data(room, 'maya')).to.deep.equal([]);
    await world.until(jonas.sendData('board', 'answer'));
    await world.run(500);
    expect(data(room, 'maya')).to.deep.equal([{ topic: 'board', data: 'answer', from: idOf(jonas) }]);
  });

  it('is refused with a code for bad input and for whoever is not there', async () => {
    const { room, world, calls } = await together(6, 'maya', 'jonas');
    const [maya] = calls;
    const code = (...args: Parameters<Call['sendData']>) => world.until(codeOf(maya.sendData(...args)));
    const loop: { self?: unknown } = {};
    loop.self = loop;
    expect(await code('', 1)).to.equal('usage');
    expect(await code('pm:control', 1)).to.equal('usage');
    expect(await code('ü'.repeat(33), 1)).to.equal('usage');
    expect(await code('t', undefined)).to.equal('usage');
    expect(await code('t', loop)).to.equal('usage');
    expect(await code('t', 'ü'.repeat(33_000))).to.equal('usage');
    expect(await code('t', new Uint8Array(65_536))).to.equal('usage');
    expect(await code('t', new Uint8Array(1_200), { unreliable: true })).to.equal('usage');
    expect(await code('t', 1, { to: 'nobody' })).to.equal('data-closed');
    expect(await code('t', new Uint8Array(65_536 - 2))).to.equal('fine');
    expect(await code('t', 'ü'.repeat(32_000))).to.equal('fine');
    const alone = room.call('alone', { room: 'elsewhere' });
    expect(await world.until(codeOf(alone.sendData('t', 1)))).to.equal('data-closed');
    await room.joined(alone);
    expect(await world.until(codeOf(alone.sendData('t', 1)))).to.equal('fine');
  });

  it('waits for room in the channel, and buffers little there', async () => {
    const { room, world, calls } = await together(7, 'maya', 'jonas');
    const [maya, jonas] = calls;
    await world.until(maya.sendData('load', 0));
    const load = new Uint8Array(60_000);
    let sent = 0;
    const all = Array.from({ length: 40 }, async () => {
      await maya.sendData('load', load, { to: idOf(jonas) });
      sent += 1;
    });
    await world.run(1);
    expect(sent).to.be.within(1, 3);
    await world.until(Promise.all(all));
    await world.run(3_000);
    expect(data(room, 'jonas')).to.have.length(41);
  });

  it('rejects what waits when the other one leaves, and says so when too much waits', async () => {
    const { world, calls } = await together(8, 'maya', 'jonas');
    const [maya, jonas] = calls;
    const load = new Uint8Array(60_000);
    const all = Array.from({ length: 1_100 }, () => codeOf(maya.sendData('load', load, { to: idOf(jonas) })));
    await world.run(1);
    await jonas.leave();
    const outcomes = await world.until(Promise.all(all));
    expect(outcomes.filter((each) => each === 'rate-limited').length).to.be.within(90, 100);
    expect(outcomes.filter((each) => each === 'data-closed').length).to.be.above(900);
    expect(new Set(outcomes)).to.have.all.keys('fine', 'rate-limited', 'data-closed');
  });

  it('of a page that says very much is slowed down, not cut off', async function () {
    this.timeout(60_000);
    const { room, world, calls } = await together(12, 'maya', 'jonas');
    const [maya, jonas] = calls;
    const talk = async () => {
      for (let count = 0; count < 6_000; count += 1) await maya.sendData('t', count, { to: idOf(jonas) });
    };
    await world.until(talk());
    await world.run(500);
    expect(data(room, 'jonas').map((each) => each.data)).to.deep.equal([...Array(6_000).keys()]);
    expect(codes(room, 'jonas')).to.deep.equal([]);
    maya.dispose();
    jonas.dispose();
    await world.run(500);
    expect(world.report('maya').timers).to.equal(0);
  });

  it('is unordered and never sent again when unreliable: the newest of a topic wins', async () => {
    const { room, world, calls } = await together(9, 'maya', 'jonas');
    const [maya] = calls;
    const padding = 'x'.repeat(900);
    await world.until(maya.sendData('cursor', [0, padding], { unreliable: true }));
    await world.run(500);
    const all = Array.from({ length: 100 }, (_, index) =>
      maya.sendData('cursor', [index + 1, padding], { unreliable: true }),
    );
    await world.until(Promise.all(all));
    await world.run(500);
    const numbers = data(room, 'jonas').map((each) => (each.data as [number])[0]);
    expect(numbers).to.include(100);
    expect(numbers.length).to.be.below(20);
    expect(bare(room, 'maya').connectionState).to.equal('connected');
  });

  it('goes on over the new link after one was lost', async () => {
    const { room, world, calls } = await together(10, 'maya', 'jonas');
    const [maya, jonas] = calls;
    await world.until(maya.sendData('t', 1));
    await world.run(500);
    await jonas.leave();
    await world.run(500);
    await room.joined(jonas);
    await room.everyoneMeets(maya, jonas);
    await world.until(maya.sendData('t', 2, { to: idOf(jonas) }));
    await world.run(500);
    expect(data(room, 'jonas').map((each) => each.data)).to.deep.equal([1, 2]);
  });

  for (const [what, label, say] of [
    ['text that is no JSON', 'pm:data', (channel: RTCDataChannel) => channel.send('{')],
    ['JSON of another shape', 'pm:data', (channel: RTCDataChannel) => channel.send('{"topic":"t"}')],
    ['null', 'pm:fast', (channel: RTCDataChannel) => channel.send('null')],
    ['a reserved topic', 'pm:data', (channel: RTCDataChannel) => channel.send('["pm:x",1]')],
    ['no bytes at all', 'pm:data', (channel: RTCDataChannel) => channel.send(new Uint8Array(0))],
    ['too many bytes', 'pm:fast', (channel: RTCDataChannel) => channel.send(new Uint8Array(70_000).fill(1))],
    [
      'messages without an end',
      'pm:data',
      (channel: RTCDataChannel) => {
        for (let count = 0; count < 12_000; count += 1) channel.send('["t",1]');
      },
    ],
  ] as const) {
    it(`${what} on ${label} costs the link, and nothing else`, async function () {
      this.timeout(60_000);
      const { room, world, calls } = await together(11, 'maya', 'jonas', 'priya');
      const [maya, jonas, priya] = calls;
      await world.until(jonas.sendData('t', 'loaded'));
      await world.run(500);
      for (const pc of world.peerConnections('jonas')) {
        if (pc.connectionState !== 'connected') continue;
        const channel = (pc as unknown as RTCPeerConnection).createDataChannel(label);
        channel.onopen = () => say(channel);
      }
      await world.run(3_000);
      expect(codes(room, 'maya')).to.deep.equal(['peer-misbehaved']);
      expect(seen(maya, priya).link).to.equal('connected');
      await world.until(priya.sendData('t', 'still here', { to: idOf(maya) }));
      await world.run(500);
      expect(data(room, 'maya').at(-1)).to.include({ data: 'still here' });
    });
  }
});
