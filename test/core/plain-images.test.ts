/** Pictures to and from original clients: whole, one at a time, bounded, and nothing but pictures. */
import { expect } from '@open-wc/testing';
import { PlainImages } from '../../src/core/files/plain-images.ts';
import { createFakeWorld } from '../support/fake-platform/index.ts';
import { CHUNK, ImageReader, sendImage, type Image } from '../support/plain-client/images.ts';

const MIB = 1_048_576;

function picture(size: number, mime = 'image/png', name = 'one.png') {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bytes[index] = (index * 31) & 255;
  return { name, mime, bytes };
}

/** The part of a channel that is used, with a buffer that the test drains. */
class Channel {
  readyState: RTCDataChannelState = 'open';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  onbufferedamountlow: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  most = 0;
  readonly sent: (string | ArrayBuffer)[] = [];

  constructor(private readonly drains: boolean) {}

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.sent.push(typeof data === 'string' ? data : data.slice().buffer);
    this.bufferedAmount += typeof data === 'string' ? data.length : data.byteLength;
    this.most = Math.max(this.most, this.bufferedAmount);
    if (this.drains) setTimeout(() => this.drain());
  }

  drain(): void {
    this.bufferedAmount = 0;
    this.onbufferedamountlow?.();
  }

  close(): void {
    this.readyState = 'closed';
    this.onclose?.();
  }

  get real(): RTCDataChannel {
    return this as unknown as RTCDataChannel;
  }
}

interface Shown {
  image: Blob;
  name: string;
  from: string | undefined;
}

function setUp() {
  const world = createFakeWorld({ seed: 1 });
  const shown: Shown[] = [];
  const cut: [string, string][] = [];
  const images = new PlainImages({
    platform: world.platform('maya'),
    show: (image, name, from) => shown.push({ image, name, from }),
    cutOff: (peer, why) => cut.push([peer, why]),
  });
  return { world, images, shown, cut };
}

/** What the plain client puts on its channel. */
function wireOf(id: string, given: ReturnType<typeof picture>, mobile = false): (string | ArrayBuffer)[] {
  const channel = new Channel(false);
  sendImage([channel.real], id, given, mobile);
  return channel.sent;
}

const feed = (channel: RTCDataChannel, data: unknown) => channel.onmessage!({ data } as MessageEvent);
const start = (fields: object) =>
  JSON.stringify({
    t: 'img-start',
    id: 'i',
    name: 'n',
    mime: 'image/png',
    size: 10,
    chunkSize: CHUNK,
    totalChunks: 1,
    ...fields,
  });
const bytesOf = async ({ image }: Shown) => [...new Uint8Array(await image.arrayBuffer())];
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  );

describe('pictures of original clients', () => {
  for (const mobile of [false, true]) {
    it(`are put together from ${mobile ? 'the texts of a phone' : 'chunks'}`, async () => {
      const { images, shown } = setUp();
      const channel = new Channel(true).real;
      images.take('p', channel);
      for (const size of [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7]) {
        const given = picture(size, 'image/webp', `${size}.webp`);
        for (const data of wireOf(`i${size}`, given, mobile)) feed(channel, data);
        const last = shown.at(-1)!;
        expect([last.from, last.name, last.image.type]).to.deep.equal(['p', `${size}.webp`, 'image/webp']);
        expect(await bytesOf(last)).to.deep.equal([...given.bytes]);
      }
      expect(shown).to.have.length(5);
    });
  }

  it('come from several people at once', async () => {
    const { images, shown } = setUp();
    const [a, b] = [new Channel(true).real, new Channel(true).real];
    images.take('a', a);
    images.take('b', b);
    const [one, two] = [wireOf('x', picture(50_000)), wireOf('x', picture(60_000))];
    for (let index = 0; index < one.length; index += 1) {
      feed(a, one[index]);
      feed(b, two[index]);
    }
    expect(shown.map(({ from, image }) => [from, image.size])).to.deep.equal([
      ['a', 50_000],
      ['b', 60_000],
    ]);
  });

  it('are dropped without harm where they are none', () => {
    const { images, shown, cut } = setUp();
    const channel = new Channel(true).real;
    images.take('p', channel);
    const chunk = new ArrayBuffer(10);
    for (const hostile of [
      start({ mime: 'image/svg+xml' }),
      start({ mime: 'text/html' }),
      start({ mime: 7 }),
      start({ size: 0 }),
      start({ size: 10 * MIB + 1 }),
      start({ size: 1e99 }),
      start({ size: -1 }),
      start({ size: 'much' }),
      start({ size: null }),
      '{',
      'null',
      '[]',
      '7',
      JSON.stringify({ t: 'img-chunk', id: 'i', d: 'AAAA' }),
      JSON.stringify({ t: 'img-end', id: 'i' }),
      JSON.stringify({ t: 'something new' }),
    ]) {
      feed(channel, hostile);
      feed(channel, chunk);
    }
    // Bad base64, and an end that comes early, end the picture that was on its way.
    for (const breaking of [
      JSON.stringify({ t: 'img-chunk', id: 'i', d: '%%%' }),
      JSON.stringify({ t: 'img-chunk', id: 'i', d: 9 }),
      JSON.stringify({ t: 'img-chunk', id: 'i' }),
      JSON.stringify({ t: 'img-end', id: 'i' }),
    ]) {
      feed(channel, start({}));
      feed(channel, breaking);
      feed(channel, chunk);
    }
    expect(shown).to.have.length(0);
    expect(cut).to.have.length(0);
    for (const data of wireOf('good', picture(10))) feed(channel, data);
    expect(shown).to.have.length(1);
  });

  it('cost those their connection who lie about their size, or send no end of them', () => {
    for (const lie of [
      [start({}), new ArrayBuffer(11)],
      [start({ size: 5 }), JSON.stringify({ t: 'img-chunk', id: 'i', d: 'AAAAAAAA' })],
      ['x'.repeat(65_537)],
      Array.from({ length: 30 }, () => start({ size: 10 * MIB })),
    ]) {
      const { images, shown, cut } = setUp();
      const channel = new Channel(true).real;
      images.take('p', channel);
      for (const data of lie) feed(channel, data);
      expect(cut.map(([peer]) => peer)[0]).to.equal('p');
      expect(shown).to.have.length(0);
    }
  });

  it('cut names short', () => {
    const { images, shown } = setUp();
    const channel = new Channel(true).real;
    images.take('p', channel);
    for (const data of wireOf('x', picture(10, 'image/gif', 'n'.repeat(10_000)))) feed(channel, data);
    expect(shown).to.have.length(1);
    expect(shown[0]!.name).to.have.length(200);
  });
});

describe('pictures to original clients', () => {
  const read = (channel: Channel): Image[] => {
    const got: Image[] = [];
    const reader = new ImageReader('us', (image) => got.push(image));
    for (const data of channel.sent) reader.take(data);
    return got;
  };

  it('go to all of them or to one, one after the other, and are shown to oneself once', async () => {
    const { images, shown } = setUp();
    const channels = { a: new Channel(true), b: new Channel(true) };
    for (const [id, channel] of Object.entries(channels)) images.take(id, channel.real);
    const [one, two] = [picture(100_000), picture(30_000, 'image/jpeg')];
    const file = (given: ReturnType<typeof picture>) =>
      new File([given.bytes], given.name, { type: given.mime });
    await Promise.all([images.send(file(one)), images.send(file(two)), images.send(file(two), 'b')]);
    const sizes = (channel: Channel) => read(channel).map(({ mime, bytes }) => [mime, bytes.length]);
    const both = [
      ['image/png', 100_000],
      ['image/jpeg', 30_000],
    ];
    expect(sizes(channels.a)).to.deep.equal(both);
    expect(sizes(channels.b)).to.deep.equal([...both, ['image/jpeg', 30_000]]);
    expect([...read(channels.a)[0]!.bytes]).to.deep.equal([...one.bytes]);
    expect(shown.map(({ from, image, name }) => [from, image.size, name])).to.deep.equal([
      [undefined, 100_000, 'one.png'],
      [undefined, 30_000, 'one.png'],
      [undefined, 30_000, 'one.png'],
    ]);
  });

  it('wait for room in the channel, and fail when it closes', async () => {
    const { images, shown } = setUp();
    const channel = new Channel(false);
    images.take('a', channel.real);
    const sent = outcome(images.send(new Blob([new Uint8Array(5 * MIB)], { type: 'image/png' })));
    for (let round = 0; round < 10; round += 1) {
      await new Promise((resolve) => setTimeout(resolve));
      channel.drain();
    }
    expect(channel.most).to.be.below(200_000);
    channel.close();
    expect(await sent).to.equal('data-closed');
    expect(shown).to.have.length(0);
    expect(await images.send(new Blob(['x'], { type: 'image/png' }))).to.equal(false);
  });

  it('are pictures, and not too large', async () => {
    const { images } = setUp();
    const channel = new Channel(true);
    images.take('a', channel.real);
    for (const blob of [
      new Blob(['<svg/>'], { type: 'image/svg+xml' }),
      new Blob(['x']),
      new Blob([], { type: 'image/png' }),
      new Blob([new Uint8Array(10 * MIB + 1)], { type: 'image/png' }),
    ])
      expect(await images.send(blob)).to.equal(false);
    expect(await images.send(new Blob(['x'], { type: 'image/png' }), 'nobody')).to.equal(false);
    expect(channel.sent).to.have.length(0);
  });
});
