import { expect, waitUntil } from '@open-wc/testing';
import type { Call, CallEvents, FileTransfer } from '../../src/core/index.ts';
import { fileName } from '../../src/core/files/wire.ts';
import { createFakeRoom, type FakeRoom } from '../support/fake-room.ts';

const MIB = 1_048_576;
const idOf = (call: Call) => call.snapshot.participants[0]!.id;
const codes = (room: FakeRoom, name: string) =>
  room
    .heard(name)
    .flatMap(({ name: event, detail }) =>
      event === 'error' ? [(detail as CallEvents['error']).code as string] : [],
    );
const states = (room: FakeRoom, name: string) =>
  room
    .heard(name)
    .flatMap(({ name: event, detail }) => (event === 'file' ? [(detail as FileTransfer).state] : []));
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (error: unknown) => (error as { code: string }).code,
  );

/** Bytes that differ everywhere, so that no block can stand for another. */
function content(size: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let index = 0, value = 7; index < words.length; index += 1)
    words[index] = value = Math.imul(value, 1_664_525) + 1_013_904_223;
  return new Uint8Array(words.buffer, 0, size);
}

async function same(room: FakeRoom, blob: Blob | null, bytes: Uint8Array): Promise<boolean> {
  const there = new Uint8Array(await room.world.hold(blob!.arrayBuffer()));
  return there.length === bytes.length && there.every((byte, index) => byte === bytes[index]);
}

async function together(seed: number, ...names: string[]) {
  const room = createFakeRoom({ seed });
  const calls = names.map((name) => room.call(name));
  await room.joined(...calls);
  await room.everyoneMeets(...calls);
  return { room, world: room.world, calls: calls as [Call, Call, Call] };
}

/** As with a link that is rebuilt: the files' channels go without a word, at both ends. */
function loseChannels(room: FakeRoom, name: string): void {
  for (const { dataChannels } of room.world.peerConnections(name))
    for (const channel of dataChannels) {
      if (channel.label !== 'pm:file') continue;
      channel.twin?.aborted();
      channel.aborted();
    }
}

const file = (call: Call, index = 0): FileTransfer => call.snapshot.files[index]!;

/** Waits for the newest offer to `call`. */
async function offered(room: FakeRoom, call: Call, count = 1): Promise<FileTransfer> {
  await room.world.when(() => call.snapshot.files.length >= count, 'an offer');
  return call.snapshot.files.at(-1)!;
}

async function sends(room: FakeRoom, from: Call, to: Call, blob: Blob): Promise<FileTransfer> {
  const count = to.snapshot.files.length + 1;
  await room.world.until(from.sendFile(blob, { to: idOf(to) }), 'an offer');
  return offered(room, to, count);
}

const ends = (room: FakeRoom, ...calls: Call[]) =>
  room.world.when(
    () => calls.every(({ snapshot }) => !/offered|active|paused/.test(snapshot.files.at(-1)!.state)),
    'the end of the transfer',
    120_000,
  );

describe('a file', () => {
  for (const size of [0, 1, 16_384, MIB, 3 * MIB + 5]) {
    it(`of ${size} bytes is offered, accepted, and arrives as it was`, async () => {
      const { room, world, calls } = await together(1, 'maya', 'jonas');
      const [maya, jonas] = calls;
      const bytes = content(size);
      const offer = await sends(
        room,
        maya,
        jonas,
        new File([bytes], 'plan.pdf', { type: 'application/pdf' }),
      );
      expect(offer).to.include({ name: 'plan.pdf', size, type: 'application/pdf', state: 'offered' });
      expect(offer).to.include({ peer: idOf(maya), outgoing: false, bytes: 0, blob: null });
      expect(file(maya)).to.include({ peer: idOf(jonas), outgoing: true, state: 'offered' });
      await world.until(jonas.acceptFile(offer.id));
      await ends(room, maya, jonas);
      expect(file(jonas)).to.include({ state: 'done', bytes: size });
      expect(file(maya)).to.include({ state: 'done', blob: null });
      expect(file(jonas).blob).to.include({ name: 'plan.pdf', type: 'application/octet-stream' });
      expect(await same(room, file(jonas).blob, bytes)).to.equal(true);
      expect(states(room, 'jonas')).to.deep.equal(['offered', 'active', 'done']);
      expect(states(room, 'maya')).to.deep.equal(['offered', 'active', 'done']);
      maya.dispose();
      jonas.dispose();
      await world.run(2_000);
      expect(world.report().timers).to.equal(0);
    });
  }

  it('goes to everybody at once, several at a time, in both directions', async () => {
    const { room, world, calls } = await together(2, 'maya', 'jonas', 'priya');
    const [maya, jonas, priya] = calls;
    const big = content(2 * MIB + 9);
    const small = content(70_000);
    const ids = await world.until(maya.sendFile(new File([big], 'big')));
    expect(ids).to.have.length(2);
    await world.until(jonas.sendFile(new Blob([small])));
    await world.when(
      () => calls.every((call) => call.snapshot.files.length === 3 - Number(call === priya)),
      'all',
    );
    for (const call of calls)
      for (const { id, outgoing } of call.snapshot.files)
        if (!outgoing) await world.until(call.acceptFile(id));
    const all = () => calls.flatMap(({ snapshot }) => snapshot.files);
    await world.when(() => all().every(({ state }) => state === 'done'), 'all files');
    for (const { outgoing, blob, size } of all())
      if (!outgoing) expect(await same(room, blob, size > MIB ? big : small)).to.equal(true);
    expect(all().filter(({ outgoing }) => !outgoing)).to.have.length(4);
  });

  it('tells of its progress some times a second', async () => {
    const { room, world, calls } = await together(3, 'maya', 'jonas');
    const [maya, jonas] = calls;
    const { id } = await sends(room, maya, jonas, new Blob([content(12 * MIB)]));
    for (const call of [maya, jonas]) {
      const seen: number[] = [];
      call.subscribe(
        (state) => state.files[0]!.bytes,
        (bytes) => seen.push(bytes),
      );
      if (call === maya) await world.until(jonas.acceptFile(id));
      await world.run(call === maya ? 700 : 0);
      if (call === maya) {
        expect(seen.length).to.be.within(2, 6);
        expect(seen).to.deep.equal([...seen].sort((a, b) => a - b));
      }
    }
    await ends(room, maya, jonas);
  });

  it('may be declined; only an offer can be accepted or declined', async () => {
    const { room, world, calls } = await together(4, 'maya', 'jonas');
    const [maya, jonas] = calls;
    const { id } = await sends(room, maya, jonas, new Blob(['x']));
    await world.until(jonas.declineFile(id));
    await ends(room, maya, jonas);
    expect(file(jonas)).to.include({ state: 'declined' });
    expect(file(maya)).to.include({ state: 'declined', code: 'file-refused' });
    for (const wrong of [
      () => jonas.acceptFile(id),
      () => jonas.declineFile(id),
      () => jonas.acceptFile('nothing'),
      () => maya.acceptFile(file(maya).id),
      () => maya.sendFile('text' as unknown as Blob),
    ])
      expect(await world.until(codeOf(wrong()))).to.equal('usage');
    expect(await world.until(codeOf(maya.sendFile(new Blob(['x']), { to: 'nobody' })))).to.equal(
      'data-closed',
    );
    world.platform('maya').secure = false;
    expect(await world.until(codeOf(maya.sendFile(new Blob(['x']))))).to.equal('crypto-unsupported');
  });

  for (const who of ['maya', 'jonas'] as const) {
    it(`may be cancelled under way by ${who}, and then forgotten`, async () => {
      const { room, world, calls } = await together(5, 'maya', 'jonas');
      const [maya, jonas] = calls;
      const { id } = await sends(room, maya, jonas, new Blob([content(20 * MIB)]));
      await world.until(jonas.acceptFile(id));
      await world.when(() => file(jonas).bytes > MIB, 'some of it');
      const call = who === 'maya' ? maya : jonas;
      await world.until(call.cancelFile(file(call).id));
      expect(file(call).state).to.equal('cancelled');
      await ends(room, maya, jonas);
      expect(file(maya).state).to.equal('cancelled');
      expect(file(jonas).state).to.equal('cancelled');
      await world.until(call.cancelFile(file(call).id));
      expect(call.snapshot.files).to.deep.equal([]);
      expect(codes(room, 'jonas')).to.deep.equal([]);
      expect(codes(room, 'maya')).to.deep.equal([]);
    });
  }

  it('goes on where verified data ended after its channel was lost, over and over', async function () {
    this.timeout(60_000);
    for (let seed = 20; seed < 24; seed += 1) {
      const { room, world, calls } = await together(seed, 'maya', 'jonas');
      const [maya, jonas] = calls;
      const bytes = content(3 * MIB + 77);
      const { id } = await sends(room, maya, jonas, new Blob([bytes]));
      await world.until(jonas.acceptFile(id));
      for (const part of [0.2, 0.5, 0.8]) {
        await world.when(() => file(jonas).bytes > part * bytes.length, 'a part of it');
        loseChannels(room, seed % 2 ? 'maya' : 'jonas');
      }
      await ends(room, maya, jonas);
      expect(file(jonas).state, `seed ${seed}`).to.equal('done');
      expect(file(maya).state, `seed ${seed}`).to.equal('done');
      expect(await same(room, file(jonas).blob, bytes), `seed ${seed}`).to.equal(true);
      expect(states(room, 'maya'), `seed ${seed}`).to.include('paused');
    }
  });

  it('fails with whoever leaves, and with the call', async () => {
    const { room, world, calls } = await together(6, 'maya', 'jonas', 'priya');
    const [maya, jonas, priya] = calls;
    const { id } = await sends(room, maya, jonas, new Blob([content(20 * MIB)]));
    await world.until(jonas.acceptFile(id));
    await sends(room, maya, priya, new Blob(['x']));
    await jonas.leave();
    await world.run(2_000);
    expect(file(jonas)).to.include({ state: 'failed', code: 'data-closed' });
    expect(file(maya)).to.include({ state: 'failed', code: 'data-closed' });
    expect(file(maya, 1).state).to.equal('offered');
    expect(room.world.report('jonas').timers).to.equal(0);
  });

  it('is told to be cancelled when the way comes back', async () => {
    const { room, world, calls } = await together(7, 'maya', 'jonas');
    const [maya, jonas] = calls;
    const { id } = await sends(room, maya, jonas, new Blob([content(9 * MIB)]));
    await world.until(jonas.acceptFile(id));
    await world.when(() => file(jonas).bytes > MIB, 'some of it');
    loseChannels(room, 'maya');
    await world.when(() => file(maya).state === 'paused', 'the loss');
    await world.until(maya.cancelFile(file(maya).id));
    await ends(room, maya, jonas);
    expect(file(jonas).state).to.equal('cancelled');
  });

  it('is stored where the browser has a place for it, and nothing is left of what was not wanted', async function () {
    if (!('createWritable' in FileSystemFileHandle.prototype)) this.skip();
    const { room, world, calls } = await together(8, 'maya', 'jonas');
    const [maya, jonas] = calls;
    Object.assign(world.platform('jonas'), { storage: navigator.storage, locks: navigator.locks });
    const bytes = content(2 * MIB + 3);
    const { id } = await sends(room, maya, jonas, new File([bytes], 'page.html', { type: 'text/html' }));
    await world.until(jonas.acceptFile(id), 'a place', 120_000);
    await ends(room, maya, jonas);
    expect(file(jonas).blob).to.include({ name: 'page.html', type: 'application/octet-stream' });
    expect(await same(room, file(jonas).blob, bytes)).to.equal(true);
    const count = async () => {
      let found = 0;
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('pm-files');
      for await (const folder of root.values())
        for await (const _ of (folder as FileSystemDirectoryHandle).values()) found += 1;
      return found;
    };
    const kept = await world.hold(count());
    await world.until(jonas.cancelFile(id));
    expect(await world.hold(count())).to.equal(kept - 1);
    const next = await sends(room, maya, jonas, new Blob([bytes]));
    await world.until(jonas.acceptFile(next.id), 'a place', 120_000);
    await world.until(jonas.cancelFile(next.id));
    await world.run(1_000);
    // Chromium writes beside a file, and takes that away in its own time.
    await world.hold(
      waitUntil(async () => (await count()) === kept - 1, 'nothing is left', { timeout: 5_000 }),
    );
    expect(file(jonas)).to.include({ state: 'cancelled' });
  });

  it('too large for memory is not accepted where there is nothing else', async () => {
    const { room, world, calls } = await together(9, 'maya', 'jonas');
    const [maya, jonas] = calls;
    const large = new Blob([content(MIB)]);
    Object.defineProperty(large, 'size', { value: 2 ** 40 });
    const { id } = await sends(room, maya, jonas, large);
    expect(await world.until(codeOf(jonas.acceptFile(id)))).to.equal('unsupported');
  });

  it('of more offers than eight waits for answers first', async () => {
    const { world, calls } = await together(10, 'maya', 'jonas');
    const [maya, jonas] = calls;
    for (let count = 0; count < 8; count += 1) await world.until(maya.sendFile(new Blob(['x'])));
    expect(await world.until(codeOf(maya.sendFile(new Blob(['x']))))).to.equal('rate-limited');
    await world.run(500);
    expect(jonas.snapshot.files).to.have.length(8);
    await world.until(jonas.declineFile(file(jonas).id));
    await world.run(500);
    expect(await world.until(codeOf(maya.sendFile(new Blob(['x']))))).to.equal('fine');
  });

  it('has a name that is text', () => {
    for (const [given, made] of [
      ['plan.pdf', 'plan.pdf'],
      ['../../etc/passwd', 'passwd'],
      ['C:\\Windows\\system.ini', 'system.ini'],
      ['a\u202Efdp.exe', 'afdp.exe'],
      ['new\r\nline\0.txt', 'newline.txt'],
      ['..', 'file'],
      ['   ', 'file'],
      ['', 'file'],
      ['.htaccess', 'htaccess'],
      ['<img src=x>.png', 'img src=x.png'],
      [`${'ü'.repeat(500)}.txt`, `${'ü'.repeat(116)}.txt`],
    ])
      expect(fileName(given!), given).to.equal(made);
  });
});

describe('a hostile sender or receiver of files', () => {
  type Say = (channel: RTCDataChannel, text: string) => void;
  const offer = (more: object = {}) =>
    JSON.stringify({ id: 'x', name: 'n', type: '', size: 3 * MIB, ...more });

  /** Jonas says what no client of ours says, on a channel of his own making. */
  async function attack(
    seed: number,
    script: (channel: RTCDataChannel) => void,
    onText: Say = () => undefined,
  ) {
    const { room, world, calls } = await together(seed, 'maya', 'jonas', 'priya');
    const [maya, , priya] = calls;
    const pc = world
      .peerConnections('jonas')
      .filter(({ connectionState }) => connectionState === 'connected') as unknown as RTCPeerConnection[];
    const open = () => {
      for (const each of pc) {
        const channel = each.createDataChannel('pm:file');
        channel.onopen = () => script(channel);
        channel.onmessage = ({ data }) => onText(channel, String(data));
      }
    };
    open();
    return { room, world, maya, priya, open };
  }
  const link = (call: Call, other: string) =>
    call.snapshot.participants.find(({ name }) => name === other)!.link;

  for (const [what, script] of [
    ['no JSON', (channel) => channel.send('offer')],
    ['an endless text', (channel) => channel.send(offer({ name: 'x'.repeat(5_000) }))],
    ['deep JSON', (channel) => channel.send('['.repeat(60_000))],
    ['null', (channel) => channel.send('null')],
    ['a negative size', (channel) => channel.send(offer({ size: -1 }))],
    ['a size that is no number', (channel) => channel.send(offer({ size: 1e300 }))],
    ['no name', (channel) => channel.send(offer({ name: undefined }))],
    ['bytes before the offer', (channel) => channel.send(new Uint8Array(10))],
    [
      'bytes before it is accepted',
      (channel) => {
        channel.send(offer());
        channel.send(new Uint8Array(10));
      },
    ],
  ] as readonly (readonly [string, (channel: RTCDataChannel) => void])[]) {
    it(`${what} costs the link, and nothing else`, async () => {
      const { room, world, maya, priya } = await attack(30, script);
      await world.run(2_000);
      expect(codes(room, 'maya')).to.include('peer-misbehaved');
      expect(link(maya, 'priya')).to.equal('connected');
      expect(maya.snapshot.files.every(({ state }) => state === 'failed')).to.equal(true);
      const { id } = await sends(room, priya, maya, new Blob(['still here']));
      await world.until(maya.acceptFile(id));
      await ends(room, priya, maya);
      expect(maya.snapshot.files.at(-1)!.state).to.equal('done');
    });
  }

  it('offers without an end: eight are shown, the rest is refused, and then the link goes', async () => {
    let refused = 0;
    const { room, world, maya, open } = await attack(
      31,
      (channel) => channel.send(offer({ id: String(Math.random()) })),
      (_, text) => (refused += Number(text.includes('file-refused'))),
    );
    for (let count = 0; count < 30; count += 1) open();
    await world.run(2_000);
    expect(maya.snapshot.files).to.have.length(8);
    expect(refused).to.be.above(20);
    expect(codes(room, 'maya')).to.deep.equal([]);
    for (let count = 0; count < 60; count += 1) open();
    await world.run(2_000);
    expect(codes(room, 'maya')).to.deep.equal(['peer-misbehaved']);
    expect(maya.snapshot.files.every(({ state, code }) => state === 'failed' && code === 'peer-misbehaved'));
  });

  const after =
    (say: (channel: RTCDataChannel) => void): Say =>
    (channel, text) =>
      text === '{"got":0}' && say(channel);
  const lies: readonly (readonly [string, object, Say, string, boolean])[] = [
    [
      'more bytes than offered',
      { size: 10 },
      after((channel) => channel.send(new Uint8Array(11))),
      'file-corrupt',
      false,
    ],
    ['fewer bytes than offered', {}, after((channel) => channel.send('{"hash":""}')), 'file-corrupt', false],
    [
      'a wrong hash of a block',
      { size: 10 },
      after((channel) => {
        channel.send(new Uint8Array(10));
        channel.send(JSON.stringify({ hash: '0'.repeat(64) }));
      }),
      'file-corrupt',
      false,
    ],
    [
      'a wrong hash of the whole',
      { size: 0 },
      after((channel) => channel.send(JSON.stringify({ hash: '0'.repeat(64) }))),
      'file-corrupt',
      false,
    ],
    [
      'an oversized chunk',
      {},
      after((channel) => channel.send(new Uint8Array(65_537))),
      'peer-misbehaved',
      true,
    ],
    ['chunks of nothing', {}, after((channel) => channel.send(new Uint8Array(0))), 'peer-misbehaved', true],
    [
      'blocks without hashes',
      { size: 20 * MIB },
      after((channel) => {
        for (let count = 0; count < 17; count += 1) channel.send(new Uint8Array(65_536));
      }),
      'file-corrupt',
      false,
    ],
    ['a hash that is none', {}, after((channel) => channel.send('{"hash":7}')), 'peer-misbehaved', true],
  ];
  for (const [what, about, onText, code, cut] of lies) {
    it(`${what} ends the transfer: ${code}`, async () => {
      const { room, world, maya } = await attack(32, (channel) => channel.send(offer(about)), onText);
      await offered(room, maya);
      await world.until(maya.acceptFile(file(maya).id));
      await world.run(1_000);
      expect(file(maya)).to.include({ state: 'failed', code, blob: null });
      expect(codes(room, 'maya')).to.deep.equal(cut ? ['peer-misbehaved'] : []);
      expect(link(maya, 'priya')).to.equal('connected');
    });
  }

  for (const answer of [
    '{"got":-1}',
    '{"got":5}',
    '{"got":1048576}',
    '{"got":"all"}',
    '{"done":true}',
    '[]',
  ]) {
    it(`a receiver that answers ${answer} is cut off`, async () => {
      const { room, world, calls } = await together(33, 'maya', 'jonas');
      const [maya, jonas] = calls;
      for (const pc of world.peerConnections('jonas')) {
        (pc as unknown as RTCPeerConnection).ondatachannel = ({ channel }) => channel.send(answer);
      }
      await world.until(maya.sendFile(new Blob([content(2 * MIB)])));
      await world.run(1_000);
      expect(codes(room, 'maya')).to.deep.equal(['peer-misbehaved']);
      expect(file(maya)).to.include({ state: 'failed', code: 'peer-misbehaved' });
      expect(jonas.snapshot.files).to.deep.equal([]);
    });
  }
});
