/** Chat and pictures in rooms of ours and original clients, on the fake platform. */
import { expect } from '@open-wc/testing';
import type { Call, ChatMessage } from '../../src/core/index.ts';
import { createFakeRoom, fakeToken, type FakeRoom } from '../support/fake-room.ts';
import type { PlainClient, PlainOptions } from '../support/plain-client/client.ts';
import { fakePlainClient } from '../support/plain-client/fake.ts';

/** The one with the smaller id makes the channel for pictures. */
const IDS = {
  smaller: '00000000-0000-4000-8000-000000000001',
  larger: 'ffffffff-ffff-4fff-bfff-ffffffffffff',
};

const selfId = (call: Call) => call.snapshot.participants[0]!.id;
const chatOf = (call: Call) => call.snapshot.messages.map(({ text, security }) => [text, security]);
const last = (call: Call): ChatMessage => call.snapshot.messages.at(-1)!;

interface Mixed {
  readonly room: FakeRoom;
  readonly ours: Call;
  readonly plain: PlainClient;
}

async function mixed(
  seed: number,
  theirs: keyof typeof IDS,
  options: { passphrase?: string; plain?: Partial<PlainOptions> } = {},
): Promise<Mixed> {
  const room = createFakeRoom({ seed });
  const { passphrase = '', plain: more = {} } = options;
  const ours = room.call('ours', { micOff: true, passphrase });
  const token = fakeToken({ sub: IDS[theirs], username: 'plain' });
  const plain = fakePlainClient(room.world, { name: 'plain', token, e2eePrefix: 'e', ...more });
  plain.userId = IDS[theirs];
  await room.joined(ours);
  await room.world.until(plain.enter());
  await room.world.when(() => plain.canSendImages, 'the channel for pictures');
  return { room, ours, plain };
}

function bytes(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, index) => (index * 7) & 255);
}

for (const theirs of ['smaller', 'larger'] as const) {
  describe(`with an original client of the ${theirs} id`, () => {
    it('pictures go both ways, also from a phone', async () => {
      const { room, ours, plain } = await mixed(1, theirs);
      for (const mobile of [false, true]) {
        plain.sendImage(
          `i${String(mobile)}`,
          { name: 'cat.webp', mime: 'image/webp', bytes: bytes(60_000) },
          mobile,
        );
        await room.world.run(1_000);
        const { image, ...message } = last(ours);
        expect(message).to.include({
          from: IDS[theirs],
          name: 'plain',
          text: 'cat.webp',
          security: 'direct',
        });
        expect([image!.type, image!.size]).to.deep.equal(['image/webp', 60_000]);
        expect([...new Uint8Array(await image!.arrayBuffer())]).to.deep.equal([...bytes(60_000)]);
      }
      const file = new File([bytes(200_000)], 'dog.png', { type: 'image/png' });
      expect(await room.world.until(ours.sendFile(file))).to.deep.equal([]);
      await room.world.when(() => plain.images.length > 0, 'the picture');
      expect(plain.images[0]).to.include({ name: 'dog.png', mime: 'image/png', from: selfId(ours) });
      expect([...plain.images[0]!.bytes]).to.deep.equal([...bytes(200_000)]);
      expect(last(ours)).to.include({ from: selfId(ours), text: 'dog.png', state: 'sent', image: file });
      expect(ours.snapshot.messages).to.have.length(3);
      expect(plain.errors).to.deep.equal([]);
    });

    it('what is no picture is refused', async () => {
      const { room, ours, plain } = await mixed(2, theirs);
      const code = await room.world.until(
        ours.sendFile(new File(['x'], 'x.svg', { type: 'image/svg+xml' })).then(
          () => 'sent',
          (error: unknown) => (error as { code: string }).code,
        ),
      );
      expect(code).to.equal('data-closed');
      plain.sendImage('i', { name: 'x.svg', mime: 'image/svg+xml', bytes: bytes(100) });
      await room.world.run(500);
      expect(ours.snapshot.messages).to.have.length(0);
    });

    it('a picture that is longer than it said costs the connection, and the room goes on', async () => {
      const { room, ours, plain } = await mixed(3, theirs);
      const { channel } = plain.peers.get(selfId(ours))!;
      channel!.send(JSON.stringify({ t: 'img-start', id: 'i', name: 'n', mime: 'image/png', size: 10 }));
      channel!.send(bytes(11));
      await room.world.run(500);
      const errors = room.heard('ours').filter(({ name }) => name === 'error');
      expect(errors.map(({ detail }) => (detail as { code: string }).code)).to.deep.equal([
        'peer-misbehaved',
      ]);
      await room.world.until(ours.sendMessage('still here'));
      expect(ours.snapshot.phase).to.equal('joined');
    });
  });
}

describe('with an original client', () => {
  it('text and typing go both ways, sealed as it expects or not at all', async () => {
    for (const [passphrase, theirs, security] of [
      ['', undefined, 'plain'],
      ['', '', 'plain'],
      ['shared', 'shared', 'encrypted'],
    ] as const) {
      const sealed = theirs === undefined ? {} : { passphrase: theirs };
      const { room, ours, plain } = await mixed(4, 'smaller', { passphrase, plain: sealed });
      await room.world.until(ours.sendMessage('hello'));
      await plain.say('hi there');
      await room.world.run(500);
      expect(plain.said.filter(({ from }) => from === selfId(ours))).to.deep.equal([
        { from: selfId(ours), text: 'hello', sealed: true },
      ]);
      expect(chatOf(ours)).to.deep.equal([
        ['hello', security],
        ['hi there', security],
      ]);
      plain.type(true);
      ours.setTyping(true);
      await room.world.run(300);
      expect(ours.snapshot.typing).to.deep.equal([IDS.smaller]);
      expect([...plain.typing]).to.include(selfId(ours));
      plain.type(false);
      await room.world.run(300);
      expect(ours.snapshot.typing).to.deep.equal([]);
      expect(plain.errors).to.deep.equal([]);
      expect(plain.refusals).to.deep.equal([]);
    }
  });
});
