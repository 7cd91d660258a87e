/** The chat envelope, against a second implementation written here from the protocol's text. */
import { expect } from '@open-wc/testing';
import { Envelope } from '../../src/core/crypto/envelope.ts';
import { browserPlatform } from '../../src/core/index.ts';

const ROOM = 'stand-up / été';
const SELF = '0a7e2f2c-9a1b-4a5e-8d52-6f1f5f2a9a10';
const BOUND = `prefix:${ROOM}|${SELF}`;

interface Wire {
  v: number;
  alg: string;
  iv: string;
  content: string;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const decode64 = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
function encode64(data: Uint8Array): string {
  let binary = '';
  for (const byte of data) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Derives by bits, not by key as the core does. */
async function reference(password: string, room: string): Promise<CryptoKey> {
  const salt = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes(`salt:${room}`))).slice(0, 16);
  const material = await crypto.subtle.importKey('raw', bytes(password), 'PBKDF2', false, ['deriveBits']);
  const bits = await crypto.subtle.deriveBits(
    { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 200_000 },
    material,
    256,
  );
  return crypto.subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

async function referenceSeal(key: CryptoKey, text: string, bound: string, iv: Uint8Array<ArrayBuffer>) {
  const content = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData: bytes(bound), tagLength: 128 },
    key,
    bytes(text),
  );
  return JSON.stringify({
    v: 1,
    alg: 'AES-GCM',
    iv: encode64(iv),
    content: encode64(new Uint8Array(content)),
  });
}

const IV = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);

describe('the chat envelope', () => {
  const make = (room = ROOM) => new Envelope(browserPlatform(), room);

  it('opens a vector made once with OpenSSL', async () => {
    // PBKDF2-HMAC-SHA256 and AES-256-GCM of node:crypto: password "correct horse", room "standup", iv 00 01 … 0b,
    // bound "pm:standup|alice", text "Grüße ✓".
    const wire = {
      v: 1,
      alg: 'AES-GCM',
      iv: 'AAECAwQFBgcICQoL',
      content: 'C/9mUEbtrF7l9wIVKKZp/HGE+AJ6TbkuqSF3',
    };
    const opened = await make('standup').open(JSON.stringify(wire), ['correct horse'], 'pm:standup|alice');
    expect(opened).to.deep.equal({ text: 'Grüße ✓', passphrase: 'correct horse' });
  });

  it('is read by the other implementation, and reads it', async () => {
    const text = 'Bis gleich 👋\nzweite Zeile';
    const passphrase = ' with blanks around ';
    const key = await reference(passphrase, ROOM);
    const wire = JSON.parse(await make().seal(text, passphrase, BOUND)) as Wire;
    expect(Object.keys(wire)).to.deep.equal(['v', 'alg', 'iv', 'content']);
    expect([wire.v, wire.alg, decode64(wire.iv).length]).to.deep.equal([1, 'AES-GCM', 12]);
    const clear = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: decode64(wire.iv), additionalData: bytes(BOUND) },
      key,
      decode64(wire.content),
    );
    expect(new TextDecoder().decode(clear)).to.equal(text);
    const foreign = await referenceSeal(key, text, BOUND, IV);
    expect(await make().open(foreign, [passphrase], BOUND)).to.deep.equal({ text, passphrase });
  });

  it('derives the key from the room where there is no passphrase, and says which one opened it', async () => {
    const foreign = await referenceSeal(await reference(ROOM, ROOM), 'hello', BOUND, IV);
    expect(await make().open(foreign, ['secret', ''], BOUND)).to.deep.equal({
      text: 'hello',
      passphrase: '',
    });
    expect(await make().open(foreign, ['secret'], BOUND)).to.equal(null);
  });

  it('takes another initialisation vector every time', async () => {
    const envelope = make();
    const seen = new Set<string>();
    for (let round = 0; round < 20; round += 1)
      seen.add((JSON.parse(await envelope.seal('same', 'p', BOUND)) as Wire).iv);
    expect(seen.size).to.equal(20);
  });

  it('does not open what was changed, or is for another room or from another sender', async () => {
    const envelope = make();
    const json = await envelope.seal('hello', 'p', BOUND);
    const wire = JSON.parse(json) as Wire;
    const flip = (text: string) => {
      const data = decode64(text);
      data[0]! ^= 1;
      return encode64(data);
    };
    const cut = encode64(decode64(wire.content).slice(0, -1));
    const variants: [string, string, string, string][] = [
      ['another passphrase', json, 'q', BOUND],
      ['another sender', json, 'p', `prefix:${ROOM}|somebody`],
      ['another wire room', json, 'p', `other:${ROOM}|${SELF}`],
      ['another initialisation vector', JSON.stringify({ ...wire, iv: flip(wire.iv) }), 'p', BOUND],
      ['another content', JSON.stringify({ ...wire, content: flip(wire.content) }), 'p', BOUND],
      ['a shorter tag', JSON.stringify({ ...wire, content: cut }), 'p', BOUND],
    ];
    for (const [what, sealed, passphrase, bound] of variants)
      expect(await envelope.open(sealed, [passphrase], bound), what).to.equal(null);
    expect(await make('other').open(json, ['p'], BOUND), 'another room').to.equal(null);
    expect(await envelope.open(json, ['p'], BOUND)).to.deep.equal({ text: 'hello', passphrase: 'p' });
  });

  it('takes anything else for no envelope', async () => {
    const envelope = make();
    const wire = JSON.parse(await envelope.seal('hello', 'p', BOUND)) as Wire;
    for (const hostile of [
      '',
      'null',
      '[]',
      '{',
      '{}',
      '"text"',
      '{"v":1}',
      JSON.stringify({ ...wire, v: 2 }),
      JSON.stringify({ ...wire, v: '1' }),
      JSON.stringify({ ...wire, alg: 'none' }),
      JSON.stringify({ ...wire, iv: '!!!!' }),
      JSON.stringify({ ...wire, iv: '' }),
      JSON.stringify({ ...wire, iv: `${wire.iv}AAAA` }),
      JSON.stringify({ ...wire, content: '%%%' }),
      JSON.stringify({ ...wire, content: '' }),
      JSON.stringify({ ...wire, content: null }),
      JSON.stringify({ ...wire, content: { length: 1e9 } }),
    ])
      expect(await envelope.open(hostile, ['p', ''], BOUND), hostile).to.equal(null);
  });

  it('refuses a text that is not UTF-8', async () => {
    const key = await reference('p', ROOM);
    const content = await crypto.subtle.encrypt(
      { name: 'AES-GCM', iv: IV, additionalData: bytes(BOUND) },
      key,
      Uint8Array.of(0xff, 0xfe),
    );
    const json = JSON.stringify({
      v: 1,
      alg: 'AES-GCM',
      iv: encode64(IV),
      content: encode64(new Uint8Array(content)),
    });
    expect(await make().open(json, ['p'], BOUND)).to.equal(null);
  });

  it('derives a key once, and keeps few', async () => {
    const real = browserPlatform();
    let derived = 0;
    const subtle = new Proxy(real.subtle!, {
      get: (target, name: keyof SubtleCrypto) => {
        if (name === 'deriveKey') derived += 1;
        const method = target[name] as (...args: unknown[]) => unknown;
        return method.bind(target);
      },
    });
    const envelope = new Envelope({ ...real, subtle }, ROOM);
    for (const passphrase of ['a', 'b', 'a', 'b', 'a']) await envelope.seal('x', passphrase, BOUND);
    expect(derived).to.equal(2);
    for (const passphrase of ['c', 'd', 'e', 'a']) await envelope.seal('x', passphrase, BOUND);
    expect(derived).to.equal(6);
  });

  it('says so on a page that is not secure', () => {
    const platform = { ...browserPlatform(), subtle: null };
    expect(() => new Envelope(platform, ROOM))
      .to.throw()
      .with.property('code', 'crypto-unsupported');
  });
});
