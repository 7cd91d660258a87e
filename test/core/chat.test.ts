/** Chat over the real relay's core: echoes, losses, typing, passphrases, strangers. */
import { expect } from '@open-wc/testing';
import type { Call, ChatMessage } from '../../src/core/index.ts';
import { createFakeRoom, type FakeRoom } from '../support/fake-room.ts';

const texts = (call: Call) => call.snapshot.messages.map(({ text }) => text);
const last = (call: Call): ChatMessage => call.snapshot.messages.at(-1)!;
const selfId = (call: Call) => call.snapshot.participants[0]!.id;
const told = (room: FakeRoom, name: string) =>
  room
    .heard(name)
    .flatMap((each) => (each.name === 'message' ? [(each.detail as { message: ChatMessage }).message] : []));
const errors = (room: FakeRoom, name: string) =>
  room.heard(name).flatMap((each) => (each.name === 'error' ? [(each.detail as { code: string }).code] : []));

/** How a promise ends: 'done', or the code. */
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );

async function people(seed: number, names = ['maya', 'jonas'], options: object = {}) {
  const room = createFakeRoom({ seed });
  const calls = names.map((name) => room.call(name, { micOff: true, cameraOff: true, ...options }));
  await room.joined(...calls);
  const [maya, jonas, priya] = calls as [Call, Call, Call];
  await room.everyoneMeets(...calls);
  return { room, maya, jonas, priya };
}

interface Frame {
  type: string;
  room?: string;
  from?: string;
  data: Record<string, unknown>;
}

/** A socket with nothing of ours: an original client, or somebody who writes what they please. */
async function stranger(room: FakeRoom, name: string) {
  const frames: Frame[] = [];
  const token = await (
    await room.world.until(
      room.world.platform(name).fetch('https://meet.test/auth/sign-in', {
        method: 'POST',
        body: JSON.stringify({ username: name }),
      }),
    )
  ).json();
  const socket = room.world
    .platform(name)
    .createSocket(`wss://meet.test/ws?token=${(token as { accessToken: string }).accessToken}`);
  socket.onmessage = ({ data }) => frames.push(JSON.parse(data as string) as Frame);
  const say = (type: string, data: object) => socket.send(JSON.stringify({ type, room: 'standup', data }));
  await room.world.when(() => socket.readyState === 1, 'a socket');
  say('chat.join', {});
  await room.world.run(200);
  const chat = () => frames.filter(({ type }) => type === 'chat.message');
  return { socket, frames, say, chat, leave: () => say('chat.leave', {}) };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const encode64 = (data: Uint8Array) => btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(''));
const decode64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** The protocol's envelope, written a second time. */
async function originalKey(password: string): Promise<CryptoKey> {
  const salt = (await crypto.subtle.digest('SHA-256', bytes('salt:standup'))).slice(0, 16);
  const base = await crypto.subtle.importKey('raw', bytes(password), 'PBKDF2', false, ['deriveBits']);
  const bits = await crypto.subtle.deriveBits(
    { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 200_000 },
    base,
    256,
  );
  return crypto.subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt', 'decrypt']);
}
async function originalSeal(
  password: string,
  text: string,
  from: string,
  wireRoom = 'standup',
): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const content = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: bytes(`${wireRoom}|${from}`) },
    await originalKey(password),
    bytes(text),
  );
  const json = { v: 1, alg: 'AES-GCM', iv: encode64(iv), content: encode64(new Uint8Array(content)) };
  return `e:${JSON.stringify(json)}`;
}
async function originalOpen(password: string, wire: string, from: string): Promise<string> {
  const { iv, content } = JSON.parse(wire.slice(2)) as { iv: string; content: string };
  const clear = await crypto.subtle.decrypt(
    { name: 'AES-GCM', iv: decode64(iv), additionalData: bytes(`standup|${from}`) },
    await originalKey(password),
    decode64(content),
  );
  return new TextDecoder().decode(clear);
}

describe('chat', () => {
  const rejections: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => rejections.push(event.reason);
  before(() => window.addEventListener('unhandledrejection', note));
  after(() => window.removeEventListener('unhandledrejection', note));
  afterEach(() => expect(rejections.splice(0)).to.have.length(0));

  it('shows what one says at once, confirms it by its echo, and tells everybody', async () => {
    const { room, maya, jonas } = await people(1);
    const sent = maya.sendMessage('  Hello\nthere ');
    const [own] = maya.snapshot.messages;
    expect(own).to.include({
      text: '  Hello\nthere ',
      state: 'sending',
      security: 'plain',
      from: selfId(maya),
    });
    expect(Object.isFrozen(maya.snapshot.messages) && Object.isFrozen(own)).to.equal(true);
    expect(told(room, 'maya')).to.have.length(0);
    await room.world.until(sent);
    expect(last(maya)).to.deep.equal({ ...own, state: 'sent' });
    await room.world.run(500);
    expect(last(jonas)).to.include({
      text: '  Hello\nthere ',
      state: 'sent',
      from: selfId(maya),
      name: 'maya',
      image: null,
    });
    expect(last(jonas).at).to.be.within(Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2));
    expect(told(room, 'maya')).to.deep.equal([last(maya)]);
    expect(told(room, 'jonas')).to.deep.equal([last(jonas)]);
  });

  it('keeps the order of many quick messages, on both sides', async () => {
    const { room, maya, jonas } = await people(2);
    const said = Array.from({ length: 60 }, (_, index) => `m${index}`);
    await room.world.until(Promise.all(said.map((text) => maya.sendMessage(text))));
    await room.world.run(1_000);
    expect(texts(maya)).to.deep.equal(said);
    expect(texts(jonas)).to.deep.equal(said);
    expect(errors(room, 'maya')).to.deep.equal([]);
  });

  it('refuses what cannot be said, without showing it', async () => {
    const { maya, room } = await people(3);
    for (const text of ['', ' \n\t', 'x'.repeat(5_001)])
      expect(await outcome(maya.sendMessage(text)), text.slice(0, 9)).to.equal('usage');
    expect(maya.snapshot.messages).to.have.length(0);
    expect(await outcome(room.world.until(maya.sendMessage('👋'.repeat(5_000))))).to.equal('done');
    maya.configure({ passphrase: 'p' });
    for (const text of ['x'.repeat(3_001), '界'.repeat(1_300)])
      expect(await outcome(maya.sendMessage(text)), text.slice(0, 9)).to.equal('usage');
    expect(await outcome(room.world.until(maya.sendMessage('x'.repeat(3_000))))).to.equal('done');
    expect(await outcome(room.world.until(maya.sendMessage('界'.repeat(1_200))))).to.equal('done');
    await maya.leave();
    expect(await outcome(maya.sendMessage('hello'))).to.equal('usage');
    expect(await outcome(room.call('nobody').sendMessage('hello'))).to.equal('usage');
  });

  it('fits every text it takes into what the relay takes', async () => {
    const { room, maya } = await people(4, ['maya'], { passphrase: 'p', e2eePrefix: 'a-longer-prefix' });
    for (let length = 1_190; length <= 1_240; length += 1) {
      const result = await outcome(room.world.until(maya.sendMessage('界'.repeat(length))));
      expect(['done', 'usage'], `${length}`).to.include(result);
    }
    expect(maya.snapshot.messages.length).to.be.within(1, 50);
  });

  it('keeps 500 messages', async () => {
    const { room, maya, jonas } = await people(5);
    for (let round = 0; round < 26; round += 1)
      await room.world.until(
        Promise.all(Array.from({ length: 20 }, (_, index) => maya.sendMessage(`${round * 20 + index}`))),
      );
    await room.world.run(500);
    for (const call of [maya, jonas]) {
      expect(call.snapshot.messages).to.have.length(500);
      expect(texts(call)[0]).to.equal('20');
      expect(last(call).text).to.equal('519');
    }
  });

  it('says what was written while the relay was away once it is back, once and in order', async () => {
    for (let seed = 10; seed < 30; seed += 2) {
      const { room, maya, jonas } = await people(seed);
      const before = [maya.sendMessage('one'), maya.sendMessage('two')];
      // At any moment around the death of the relay: under way, at the relay, or echoed already.
      await room.world.run((seed - 10) * 4);
      room.killRelay();
      const during = [maya.sendMessage('three')];
      await room.world.run(1_500);
      during.push(maya.sendMessage('four'), jonas.sendMessage('five'));
      expect(maya.snapshot.messages.slice(2).every(({ state }) => state === 'sending')).to.equal(true);
      room.startRelay();
      await room.world.until(Promise.all([...before, ...during]), `seed ${seed}: all to be confirmed`);
      await room.world.run(1_000);
      for (const call of [maya, jonas]) {
        expect([...texts(call)].sort(), `seed ${seed}`).to.deep.equal([
          'five',
          'four',
          'one',
          'three',
          'two',
        ]);
        expect(call.snapshot.messages.every(({ state }) => state === 'sent')).to.equal(true);
        const mine = texts(call).filter((text) => text !== 'five');
        expect(mine, `seed ${seed}`).to.deep.equal(['one', 'two', 'three', 'four']);
      }
    }
  });

  it('survives broken sockets under ten seeds: nothing lost, nothing twice', async () => {
    for (let seed = 40; seed < 50; seed += 1) {
      const { room, maya, jonas } = await people(seed, ['maya', 'jonas'], {
        passphrase: seed % 2 ? 'p' : '',
      });
      const all: Promise<void>[] = [];
      for (let round = 0; round < 6; round += 1) {
        all.push(maya.sendMessage(`m${round}`), jonas.sendMessage(`j${round}`));
        await room.world.run(room.world.random.between(0, 60));
        for (const socket of room.world.platform(round % 2 ? 'maya' : 'jonas').sockets)
          if (socket.readyState === 1) socket.server!.terminate();
        await room.world.run(room.world.random.between(0, 400));
      }
      await room.world.until(Promise.all(all), `seed ${seed}: all to be confirmed`);
      await room.world.run(3_000);
      const expected = Array.from({ length: 6 }, (_, round) => [`j${round}`, `m${round}`])
        .flat()
        .sort();
      for (const call of [maya, jonas])
        expect([...texts(call)].sort(), `seed ${seed}`).to.deep.equal(expected);
    }
  });

  it('fails after a long while without a relay, is kept, and goes out with its return', async () => {
    const { room, maya, jonas } = await people(60);
    room.killRelay();
    const sent = outcome(maya.sendMessage('hello'));
    await room.world.run(10_000);
    expect(last(maya).state).to.equal('sending');
    expect(await room.world.until(sent)).to.equal('relay-unreachable');
    expect(last(maya).state).to.equal('failed');
    room.startRelay();
    await room.world.when(() => last(maya).state === 'sent', 'the message to be said');
    await room.world.run(500);
    expect(texts(jonas)).to.deep.equal(['hello']);
    expect(await outcome(maya.retryMessage(last(maya).id))).to.equal('usage');
  });

  it('fails when the relay refuses, and may be tried again', async () => {
    const { room, maya, jonas } = await people(61);
    // Not in the room as far as the relay knows.
    const socket = room.world.platform('maya').sockets.at(-1)!;
    socket.send(JSON.stringify({ type: 'chat.leave', room: 'standup', data: {} }));
    expect(await outcome(room.world.until(maya.sendMessage('hello')))).to.equal('not-admitted');
    expect(last(maya).state).to.equal('failed');
    expect(await outcome(maya.retryMessage('unknown'))).to.equal('usage');
    expect(await outcome(room.world.until(maya.retryMessage(last(maya).id)))).to.equal('not-admitted');
    socket.send(JSON.stringify({ type: 'chat.join', room: 'standup', data: {} }));
    await room.world.run(500);
    const again = maya.retryMessage(last(maya).id);
    expect(last(maya).state).to.equal('sending');
    await room.world.until(again);
    await room.world.run(500);
    expect(texts(maya)).to.deep.equal(['hello']);
    expect(texts(jonas)).to.deep.equal(['hello']);
  });

  it('ends what is under way with the call, leaves no timer, and begins the next one empty', async () => {
    const { room, maya, jonas } = await people(62);
    await room.world.until(maya.sendMessage('before'));
    room.killRelay();
    const sent = outcome(maya.sendMessage('hello'));
    maya.setTyping(true);
    await maya.leave();
    expect(await sent).to.equal('usage');
    expect(last(maya)).to.include({ text: 'hello', state: 'failed' });
    jonas.dispose();
    await room.world.run(500);
    expect(room.world.report('maya')).to.include({ timers: 0, sockets: 0 });
    expect(room.world.report('jonas')).to.include({ timers: 0, sockets: 0 });
    room.startRelay();
    await room.joined(maya);
    expect(maya.snapshot.messages).to.have.length(0);
  });
});

describe('typing', () => {
  it('is seen by the others, ends by itself, by a message and with its person', async () => {
    const { room, maya, jonas, priya } = await people(70, ['maya', 'jonas', 'priya']);
    maya.setTyping(true);
    await room.world.run(300);
    expect(jonas.snapshot.typing).to.deep.equal([selfId(maya)]);
    expect(maya.snapshot.typing).to.deep.equal([]);
    priya.setTyping(true);
    await room.world.run(300);
    expect(jonas.snapshot.typing).to.deep.equal([selfId(maya), selfId(priya)]);
    await room.world.until(maya.sendMessage('hello'));
    await room.world.run(300);
    expect(jonas.snapshot.typing).to.deep.equal([selfId(priya)]);
    await room.world.run(4_500);
    expect(jonas.snapshot.typing, 'ends by itself').to.deep.equal([]);
    priya.setTyping(true);
    await room.world.run(300);
    await priya.leave();
    await room.world.run(300);
    expect(jonas.snapshot.typing, 'ends with its person').to.deep.equal([]);
  });

  it('goes on while one types, and expires where nobody says that it ended', async () => {
    const { room, maya, jonas } = await people(71);
    for (let second = 0; second < 12; second += 1) {
      maya.setTyping(true);
      await room.world.run(1_000);
      expect(jonas.snapshot.typing, `second ${second}`).to.have.length(1);
    }
    const visitor = await stranger(room, 'original');
    visitor.say('chat.typing', { typing: true });
    maya.setTyping(false);
    await room.world.run(1_000);
    expect(jonas.snapshot.typing).to.have.length(1);
    await room.world.run(9_000);
    expect(jonas.snapshot.typing).to.have.length(0);
  });

  it('costs the relay little, however wildly a page calls it', async () => {
    const { room, maya } = await people(72);
    const visitor = await stranger(room, 'original');
    for (let round = 0; round < 300; round += 1) {
      maya.setTyping(round % 2 === 0);
      await room.world.run(10);
    }
    await room.world.run(1_000);
    expect(visitor.frames.filter(({ type }) => type === 'chat.typing').length).to.be.within(1, 9);
    expect(errors(room, 'maya')).to.deep.equal([]);
  });

  it('is not said outside of the room', async () => {
    const room = createFakeRoom({ seed: 73 });
    const maya = room.call('maya');
    maya.setTyping(true);
    await room.joined(maya);
    room.killRelay();
    await room.world.run(500);
    maya.setTyping(true);
    room.startRelay();
    await room.world.when(() => maya.snapshot.phase === 'joined', 'maya to be back');
    await room.world.run(500);
    expect(errors(room, 'maya')).to.deep.equal([]);
  });
});

describe('encrypted chat', () => {
  it('is read by those with the passphrase, and nothing of it is on the wire', async () => {
    const { room, maya, jonas } = await people(80, ['maya', 'jonas'], { passphrase: ' Schlüssel ' });
    const visitor = await stranger(room, 'original');
    const sent = maya.sendMessage('the secret');
    expect(last(maya)).to.include({ text: 'the secret', security: 'encrypted', state: 'sending' });
    await room.world.until(sent);
    await room.world.run(500);
    expect(last(jonas)).to.include({ text: 'the secret', security: 'encrypted' });
    const [frame] = visitor.chat();
    const wire = frame!.data['message'] as string;
    expect(wire).to.not.contain('secret');
    expect(wire.length).to.be.at.most(5_000);
    expect(await originalOpen(' Schlüssel ', wire, selfId(maya))).to.equal('the secret');
  });

  it('keeps what another passphrase sealed, and reads it with the right one', async () => {
    const { room, maya, jonas } = await people(81, ['maya', 'jonas'], { passphrase: 'right' });
    jonas.configure({ passphrase: 'wrong' });
    await room.world.until(Promise.all([maya.sendMessage('one'), maya.sendMessage('two')]));
    await room.world.run(500);
    expect(jonas.snapshot.messages.map(({ text, security }) => [text, security])).to.deep.equal([
      ['', 'undecryptable'],
      ['', 'undecryptable'],
    ]);
    expect(errors(room, 'jonas')).to.deep.equal(['decrypt-failed']);
    const ids = jonas.snapshot.messages.map(({ id }) => id);
    jonas.configure({ passphrase: 'wrong again' });
    await room.world.run(500);
    expect(errors(room, 'jonas')).to.deep.equal(['decrypt-failed', 'decrypt-failed']);
    jonas.configure({ passphrase: 'right' });
    await room.world.run(500);
    expect(jonas.snapshot.messages.map(({ text, security }) => [text, security])).to.deep.equal([
      ['one', 'encrypted'],
      ['two', 'encrypted'],
    ]);
    expect(jonas.snapshot.messages.map(({ id }) => id)).to.deep.equal(ids);
    expect(told(room, 'jonas').map(({ text }) => text)).to.deep.equal(['', '', 'one', 'two']);
    // What was readable stays so.
    jonas.configure({ passphrase: '' });
    await room.world.run(500);
    expect(texts(jonas)).to.deep.equal(['one', 'two']);
  });

  it('never says in the clear what was written under a passphrase', async () => {
    const { room, maya } = await people(82, ['maya', 'jonas'], { passphrase: 'p' });
    const visitor = await stranger(room, 'original');
    room.killRelay();
    const sent = outcome(maya.sendMessage('the secret'));
    maya.configure({ passphrase: '' });
    room.startRelay();
    expect(await room.world.until(sent)).to.equal('usage');
    expect(last(maya)).to.include({ state: 'failed', security: 'encrypted' });
    expect(await outcome(room.world.until(maya.retryMessage(last(maya).id)))).to.equal('usage');
    maya.configure({ passphrase: 'another' });
    await room.world.until(maya.retryMessage(last(maya).id));
    expect(JSON.stringify(visitor.frames)).to.not.contain('secret');
  });

  it('is sealed anew when it is said again', async () => {
    const { room, maya } = await people(83, ['maya'], { passphrase: 'p' });
    const seen: string[] = [];
    const visitor = await stranger(room, 'original');
    await room.world.until(maya.sendMessage('one'));
    await room.world.run(200);
    const before = room.world.platform('maya').sockets.at(-1)!;
    // The echo is lost, and with it the socket.
    const sent = maya.sendMessage('two');
    await room.world.when(() => visitor.chat().length === 2, 'the message to reach the relay');
    if (last(maya).state === 'sending') before.server!.terminate();
    await room.world.until(sent);
    await room.world.run(500);
    for (const { data } of visitor.chat()) seen.push(data['message'] as string);
    expect(new Set(seen).size).to.equal(seen.length);
    expect(new Set(visitor.chat().map(({ data }) => data['id'])).size).to.equal(2);
  });

  it('refuses on a page that is not secure, and says so', async () => {
    const room = createFakeRoom({ seed: 84 });
    room.world.platform('maya').secure = false;
    const maya = room.call('maya', { passphrase: 'p', micOff: true, cameraOff: true });
    const jonas = room.call('jonas', { passphrase: 'p', micOff: true, cameraOff: true });
    await room.joined(maya, jonas);
    await room.world.run(500);
    expect(errors(room, 'maya')).to.deep.equal(['crypto-unsupported']);
    expect(await outcome(room.world.until(maya.sendMessage('hello')))).to.equal('crypto-unsupported');
    expect(last(maya)).to.include({ text: 'hello', state: 'failed' });
    await room.world.until(jonas.sendMessage('hi'));
    await room.world.run(500);
    expect(last(maya)).to.include({ text: '', security: 'undecryptable' });
    expect(jonas.snapshot.messages).to.have.length(1);
  });
});

describe('chat with original clients', () => {
  it('confirms an echo from which the server dropped the id, by its text and in order', async () => {
    for (const passphrase of ['', 'p']) {
      const { room, maya } = await people(95, ['maya'], { passphrase });
      const socket = room.world.platform('maya').sockets.at(-1)!;
      const { onmessage } = socket;
      let stripped = 0;
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(data as string) as Frame;
        if (frame.type === 'chat.message') stripped += Number(delete frame.data['id']);
        onmessage!.call(socket as never, new MessageEvent('message', { data: JSON.stringify(frame) }));
      };
      await room.world.until(Promise.all(['same', 'same', 'other'].map((text) => maya.sendMessage(text))));
      expect(stripped).to.equal(3);
      expect(maya.snapshot.messages.map(({ text, state }) => [text, state])).to.deep.equal([
        ['same', 'sent'],
        ['same', 'sent'],
        ['other', 'sent'],
      ]);
    }
  });

  it('says and reads plain text', async () => {
    const { room, maya } = await people(90, ['maya']);
    room.world.platform('maya').secure = false; // text alone
    const visitor = await stranger(room, 'original');
    await room.world.until(maya.sendMessage('hello'));
    await room.world.run(300);
    expect(visitor.chat().map(({ data }) => data['message'])).to.deep.equal(['hello']);
    visitor.say('chat.message', { message: 'hi' });
    visitor.say('chat.message', { message: 'hi' });
    await room.world.run(300);
    expect(texts(maya)).to.deep.equal(['hello', 'hi', 'hi']);
    expect(last(maya)).to.include({ name: 'original', security: 'plain' });
  });

  it('writes a key that the server can derive only while one is there, and calls nothing of it encrypted', async () => {
    const { room, maya, jonas } = await people(91);
    const visitor = await stranger(room, 'original');
    await room.world.until(maya.sendMessage('with them'));
    await room.world.run(300);
    const [frame] = visitor.chat();
    expect(await originalOpen('standup', frame!.data['message'] as string, selfId(maya))).to.equal(
      'with them',
    );
    const wire = await originalSeal('standup', 'from them', frame!.from!);
    const seal = await originalSeal('standup', 'from them', participantId(maya, 'original'));
    visitor.say('chat.message', { message: seal });
    visitor.say('chat.message', { message: wire });
    await room.world.run(500);
    for (const call of [maya, jonas]) {
      expect(call.snapshot.messages.map(({ text, security }) => [text, security])).to.deep.equal([
        ['with them', 'plain'],
        ['from them', 'plain'],
        ['', 'undecryptable'], // sealed as if by somebody else
      ]);
    }
    visitor.leave();
    await room.world.when(() => maya.snapshot.participants.length === 2, 'the original to be gone');
    const watcher = room.world.platform('maya').sockets.at(-1)!;
    const frames: string[] = [];
    const { send } = watcher;
    watcher.send = (data: string) => {
      frames.push(data);
      send.call(watcher, data);
    };
    await room.world.until(maya.sendMessage('without them'));
    expect(frames.join()).to.contain('without them');
  });

  it('reads both under a passphrase: theirs, and what they wrote without one', async () => {
    const { room, maya } = await people(92, ['maya'], { passphrase: 'shared' });
    const visitor = await stranger(room, 'original');
    const id = participantId(maya, 'original');
    visitor.say('chat.message', { message: await originalSeal('shared', 'secret', id) });
    visitor.say('chat.message', { message: await originalSeal('standup', 'derived', id) });
    visitor.say('chat.message', { message: 'clear' });
    visitor.say('chat.message', { message: await originalSeal('shared', 'replayed', id, 'another room') });
    await room.world.run(1_000);
    expect(maya.snapshot.messages.map(({ text, security }) => [text, security])).to.deep.equal([
      ['secret', 'encrypted'],
      ['derived', 'plain'],
      ['clear', 'plain'],
      ['', 'undecryptable'],
    ]);
  });

  it('takes what strangers write for what it is', async () => {
    const { room, maya } = await people(93, ['maya'], { passphrase: 'p' });
    const visitor = await stranger(room, 'original');
    const hostile = [
      'e:',
      'e:hello',
      'e:{',
      'e:{}',
      'e:{"v":1,"alg":"AES-GCM","iv":"%%","content":"%%"}',
      'e:{"v":1,"alg":"AES-GCM","iv":"AAAAAAAAAAAAAAAA","content":"AAAA"}',
      'e:{"v":9}',
      '<img src=x onerror=alert(1)>',
      '\u202eevil',
    ];
    for (const message of hostile) visitor.say('chat.message', { message });
    visitor.say('chat.message', { message: 'same id', id: 'x' });
    visitor.say('chat.message', { message: 'same id again', id: 'x' });
    await room.world.run(1_000);
    expect(maya.snapshot.messages.map(({ text, security }) => [text, security])).to.deep.equal([
      ['e:', 'plain'],
      ['e:hello', 'plain'],
      ['', 'undecryptable'],
      ['', 'undecryptable'],
      ['', 'undecryptable'],
      ['', 'undecryptable'],
      ['', 'undecryptable'],
      ['<img src=x onerror=alert(1)>', 'plain'],
      ['\u202eevil', 'plain'],
      ['same id', 'plain'],
    ]);
    // A stranger cannot confirm, or take the place of, what somebody else said.
    const socket = room.world.platform('maya').sockets.at(-1)!;
    const { send } = socket;
    socket.send = () => undefined;
    const sent = outcome(maya.sendMessage('mine'));
    const { id } = last(maya);
    visitor.say('chat.message', { message: 'yours', id });
    await room.world.run(300);
    const mine = maya.snapshot.messages.find((each) => each.id === id);
    expect(mine).to.include({ text: 'mine', state: 'sending' });
    socket.send = send;
    socket.server!.terminate();
    expect(await room.world.until(sent)).to.equal('done');
    expect(texts(maya).slice(-2).sort()).to.deep.equal(['mine', 'yours']);
  });

  it('stays bounded under endless messages', async () => {
    const { room, maya } = await people(94, ['maya'], { passphrase: 'p' });
    const visitors = await Promise.resolve([
      await stranger(room, 'one'),
      await stranger(room, 'two'),
      await stranger(room, 'three'),
    ]);
    for (let round = 0; round < 300; round += 1) {
      for (const visitor of visitors)
        visitor.say('chat.message', {
          message: `e:{"v":1,"alg":"AES-GCM","iv":"AAAAAAAAAAAAAAAA","content":"${round}"}`,
        });
      await room.world.run(30);
    }
    await room.world.run(1_000);
    expect(maya.snapshot.messages).to.have.length(500);
    expect(errors(room, 'maya')).to.deep.equal(['decrypt-failed']);
    await room.world.until(maya.sendMessage('still here'));
  });
});

function participantId(call: Call, name: string): string {
  const found = call.snapshot.participants.find((each) => each.name === name);
  if (!found) throw new Error(`nobody named ${name}`);
  return found.id;
}
