/** The tables of the wire protocol, line by line, against the real relay from outside. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { mintToken } from '../../demo-server/src/mint.ts';
import { startRelayProcess, TEST_SECRET, type RelayProcess } from '../support/relay.ts';
import { signIn, WireClient, type WireOptions } from '../support/wire-client.ts';

const UUID4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

let relay: RelayProcess;
const clients: WireClient[] = [];

before(async () => {
  relay = await startRelayProcess();
});
after(async () => {
  await Promise.all(clients.map((client) => client.cut()));
  await relay.close();
  assert.doesNotMatch(relay.stderr, /eyJ/, 'no token in the log');
});

async function open(options: WireOptions = {}): Promise<WireClient> {
  const client = await WireClient.open(relay, options);
  clients.push(client);
  return client;
}

const room = () => `room ${randomUUID()}`;

async function post(body: string | undefined, headers: Record<string, string> = {}) {
  const response = await fetch(`${relay.url}/auth/sign-in`, {
    method: 'POST',
    ...(body !== undefined && { body }),
    headers,
  });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    text: await response.text(),
  };
}

describe('1. REST', () => {
  test('GET /health: 200, OK', async () => {
    const response = await fetch(`${relay.url}/health`);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), 'OK');
  });

  describe('POST /auth/sign-in', () => {
    const named: [string, string | undefined, string][] = [
      ['a name', '{"username":"Ann"}', 'Ann'],
      ['a name is trimmed', '{"username":"  Ann  "}', 'Ann'],
      ['a blank name', '{"username":"   "}', 'Guest'],
      ['no name', '{}', 'Guest'],
      ['an empty body', '', 'Guest'],
      ['no body', undefined, 'Guest'],
      ['null', 'null', 'Guest'],
      ['the name null', '{"username":null}', 'Guest'],
      ['32 code points', JSON.stringify({ username: '🦊'.repeat(32) }), '🦊'.repeat(32)],
    ];
    for (const [title, body, username] of named) {
      test(`${title} → 200 ${username}`, async () => {
        const { status, text, type } = await post(body);
        assert.equal(status, 200);
        assert.match(type, /^application\/json/);
        const answer = JSON.parse(text);
        assert.deepEqual(Object.keys(answer).sort(), ['accessToken', 'tokenType', 'userId', 'username']);
        assert.equal(answer.tokenType, 'Bearer');
        assert.equal(answer.username, username);
        assert.match(answer.userId, UUID4);
      });
    }

    for (const type of [
      'application/json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'no/such;type',
      '',
    ]) {
      test(`the content type ${type || '(none)'} is ignored`, async () => {
        const { status, text } = await post('{"username":"Ann"}', { 'content-type': type });
        assert.equal(status, 200);
        assert.equal(JSON.parse(text).username, 'Ann');
      });
    }

    const refused: [string, string, string][] = [
      [
        '33 code points',
        JSON.stringify({ username: 'x'.repeat(33) }),
        'Username too long (maximum is 32 characters)',
      ],
      ['bad JSON', '{"username":', 'Invalid request body'],
      ['no object', '[]', 'Invalid request body'],
      ['a name that is no string', '{"username":7}', 'Invalid request body'],
      ['a name that is an object', '{"username":{}}', 'Invalid request body'],
    ];
    for (const [title, body, error] of refused) {
      test(`${title} → 400 ${error}`, async () => {
        const { status, text, type } = await post(body);
        assert.deepEqual([status, text], [400, error]);
        assert.match(type, /^text\/plain/);
      });
    }
  });

  test('preflight: Content-Type and Authorization allowed', async () => {
    const response = await fetch(`${relay.url}/auth/sign-in`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://school.test',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, authorization',
      },
    });
    assert.ok(response.ok);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.match(response.headers.get('access-control-allow-methods') ?? '', /POST/);
    const allowed = response.headers.get('access-control-allow-headers') ?? '';
    assert.match(allowed, /content-type/i);
    assert.match(allowed, /authorization/i);
  });
});

/** A token as somebody who knows the secret may write it by hand. */
function handmade(
  claims: object,
  header: object = { alg: 'HS256', typ: 'JWT' },
  secret = TEST_SECRET,
): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(claims)}`;
  const { alg } = header as { alg: string };
  const signature =
    alg === 'none' ? '' : createHmac(alg.replace('HS', 'sha'), secret).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}

const now = Math.floor(Date.now() / 1000);
const good = { iss: 'private-meet', sub: randomUUID(), iat: now, exp: now + 3600, username: 'Ann' };
const without = (name: keyof typeof good) =>
  Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));

/** Status of the upgrade, and of the same question by plain HTTP: what a page can see. */
async function knock(token: string, origin?: string): Promise<{ upgrade: number; plain: number }> {
  const url = `${relay.url}/ws?token=${encodeURIComponent(token)}`;
  const { status } = await fetch(url, { headers: origin === undefined ? {} : { origin } });
  const upgrade = await new Promise<number>((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.from('0123456789abcdef').toString('base64'),
      ...(origin !== undefined && { origin }),
    };
    request(url, { headers })
      .on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .on('upgrade', (_response, socket) => {
        socket.destroy();
        resolve(101);
      })
      .on('error', reject)
      .end();
  });
  return { upgrade, plain: status };
}

describe('2. Token', () => {
  test('HS256 with iss, sub, exp, iat and username opens a socket', async () => {
    assert.deepEqual(await knock(handmade(good)), { upgrade: 101, plain: 426 });
    const minted = await mintToken(
      { username: 'Ann', room: ['a', 'b'], role: 'host', account: '7' },
      TEST_SECRET,
    );
    assert.deepEqual(await knock(minted), { upgrade: 101, plain: 426 });
  });

  test('the sign-in token names its bearer and lasts an hour', async () => {
    const { accessToken, userId } = await signIn(relay.url, 'Ann');
    const claims = JSON.parse(Buffer.from(accessToken.split('.')[1]!, 'base64url').toString());
    assert.deepEqual([claims.iss, claims.sub, claims.username], ['private-meet', userId, 'Ann']);
    assert.equal(claims.exp - claims.iat, 3600);
  });

  test('any aud is accepted', async () => {
    assert.equal((await knock(handmade({ ...good, aud: 'somebody else' }))).upgrade, 101);
  });

  const bad: [string, string][] = [
    ['none at all', ''],
    ['no token', 'x.y.z'],
    ['no iss', handmade(without('iss'))],
    ['no sub', handmade(without('sub'))],
    ['no exp', handmade(without('exp'))],
    ['no iat', handmade(without('iat'))],
    ['no username', handmade(without('username'))],
    ['another iss', handmade({ ...good, iss: 'somebody else' })],
    ['a sub that is no lowercase UUIDv4', handmade({ ...good, sub: good.sub.toUpperCase() })],
    ['a sub of another version', handmade({ ...good, sub: '00000000-0000-1000-8000-000000000000' })],
    ['expired', handmade({ ...good, exp: now - 1 })],
    ['exp as text', handmade({ ...good, exp: String(now + 60) })],
    ['iat in the future', handmade({ ...good, iat: now + 3600 })],
    ['a username that is no string', handmade({ ...good, username: 7 })],
    ['a username of 33 characters', handmade({ ...good, username: 'x'.repeat(33) })],
    ['an unknown role', handmade({ ...good, role: 'root' })],
    ['a room that is no name', handmade({ ...good, room: 7 })],
    ['another secret', handmade(good, undefined, 'another secret')],
    ['another algorithm of the family', handmade(good, { alg: 'HS384', typ: 'JWT' })],
    ['alg: none', handmade(good, { alg: 'none', typ: 'JWT' })],
  ];
  for (const [title, token] of bad) {
    test(`${title} → 401`, async () => assert.deepEqual(await knock(token), { upgrade: 401, plain: 401 }));
  }
});

describe('3. Socket', () => {
  test('401 before anything else, 403 for an origin that is not allowed, told with CORS', async () => {
    await using strict = await startRelayProcess({
      PM_ALLOWED_ORIGINS: 'https://school.test, https://other.test',
    });
    const open = relay;
    relay = strict;
    try {
      assert.deepEqual(await knock('', 'https://evil.test'), { upgrade: 401, plain: 401 });
      assert.deepEqual(await knock(handmade(good), 'https://evil.test'), { upgrade: 403, plain: 403 });
      assert.deepEqual(await knock(handmade(good), 'https://school.test.evil.test'), {
        upgrade: 403,
        plain: 403,
      });
      assert.deepEqual(await knock(handmade(good), 'null'), { upgrade: 403, plain: 403 });
      assert.deepEqual(await knock(handmade(good), 'https://school.test'), { upgrade: 101, plain: 426 });
      assert.deepEqual(await knock(handmade(good)), { upgrade: 101, plain: 426 });
      const headers = { origin: 'https://evil.test' };
      const told = await fetch(`${strict.url}/ws?token=${handmade(good)}`, { headers });
      assert.equal(told.headers.get('access-control-allow-origin'), '*');
      assert.equal(await told.text(), 'Origin not allowed');
      const health = (origin: string) => fetch(`${strict.url}/health`, { headers: { origin } });
      const allowed = async (origin: string) =>
        (await health(origin)).headers.get('access-control-allow-origin');
      assert.equal(await allowed('https://other.test'), 'https://other.test');
      assert.equal(await allowed('https://evil.test'), null);
      assert.doesNotMatch(strict.stderr, /eyJ/);
    } finally {
      relay = open;
    }
  });

  test('another path is 404, and the relay lives on', async () => {
    const client = WireClient.open({ url: relay.url, wsUrl: `${relay.wsUrl}/else` });
    await assert.rejects(client, /404/);
    assert.equal((await fetch(`${relay.url}/health`)).status, 200);
  });

  test('no greeting, binary frames out, text and binary in', async () => {
    const client = await open();
    client.send('utils.generateRoomID', undefined, {}, false);
    const first = await client.next('utils.generateRoomID');
    client.send('utils.generateRoomID', undefined, {}, true);
    const second = await client.next('utils.generateRoomID');
    assert.deepEqual(client.frames, [first, second]);
    assert.ok(first.binary && second.binary);
  });

  for (const binary of [false, true]) {
    describe(binary ? 'in binary frames' : 'in text frames', () => messages(binary));
  }
});

/** The table of message types, and the error texts. */
function messages(binary: boolean): void {
  const inRoom = async (count: number): Promise<[string, ...WireClient[]]> => {
    const id = room();
    const members: WireClient[] = [];
    for (let index = 0; index < count; index += 1) {
      const member = await open({ username: `Member ${index}` });
      members.push(member);
      member.send('chat.join', id, {}, binary);
      await Promise.all(
        members.map((one) => one.take(({ type, room }) => type === 'room.users' && room === id)),
      );
    }
    return [id, ...members];
  };

  test('chat.join → room.users from system to all members, the joiner included', async () => {
    const id = room();
    const ann = await open({ username: 'Ann' });
    ann.send('chat.join', id, undefined, binary); // data may be absent
    const alone = await ann.next('room.users');
    assert.deepEqual(alone, {
      type: 'room.users',
      room: id,
      from: 'system',
      data: { users: [{ userID: ann.userID, username: 'Ann' }] },
      binary: true,
    });
    const bob = await open({ username: 'Bob' });
    bob.send('chat.join', id, {}, binary);
    const users = [
      { userID: ann.userID, username: 'Ann' },
      { userID: bob.userID, username: 'Bob' },
    ];
    assert.deepEqual((await bob.next('room.users')).data, { users });
    assert.deepEqual((await ann.next('room.users')).data, { users });
  });

  test('joining twice lists once and resends the snapshot', async () => {
    const [id, ann] = (await inRoom(1)) as [string, WireClient];
    ann.send('chat.join', id, {}, binary);
    const { data } = await ann.next('room.users');
    assert.deepEqual(data.users, [{ userID: ann.userID, username: 'Member 0' }]);
  });

  test('the same token on two sockets lists the user twice', async () => {
    const id = room();
    const { accessToken: token } = await signIn(relay.url, 'Twin');
    const [one, two] = [await open({ token }), await open({ token })];
    await one.join(id);
    await two.join(id);
    assert.deepEqual(two.listed, [one.userID, one.userID]);
  });

  test('several rooms per socket', async () => {
    const ann = await open();
    const [first, second] = [room(), room()];
    await ann.join(first);
    await ann.join(second);
    for (const id of [first, second]) {
      ann.send('chat.message', id, { message: id }, binary);
      assert.equal((await ann.next('chat.message')).room, id);
    }
  });

  test('chat.leave → room.users to those who remain; the leaver gets nothing', async () => {
    const [id, ann, bob] = (await inRoom(2)) as [string, WireClient, WireClient];
    ann.clear();
    bob.send('chat.leave', id, undefined, binary);
    const { data } = await ann.next('room.users');
    assert.deepEqual(data.users, [{ userID: ann.userID, username: 'Member 0' }]);
    bob.clear();
    await bob.settle();
    assert.deepEqual(
      bob.frames.map(({ type }) => type),
      ['utils.generateRoomID'],
    );
  });

  test('a disconnect → room.users at once', async () => {
    const [, ann, bob] = (await inRoom(2)) as [string, WireClient, WireClient];
    ann.clear();
    await bob.cut();
    assert.deepEqual((await ann.next('room.users')).data.users.length, 1);
  });

  test('chat.message → the whole room, the sender included, data untouched', async () => {
    const [id, ann, bob] = (await inRoom(2)) as [string, WireClient, WireClient];
    const outsider = await open();
    const data = { message: '  <b>hi</b> \u{1F98A} ', id: 'm1', extra: { deep: [1, null, 'x'] } };
    ann.sendRaw(JSON.stringify({ type: 'chat.message', room: id, data, from: bob.userID, junk: 1 }), binary);
    for (const member of [ann, bob]) {
      const frame = await member.next('chat.message');
      assert.deepEqual(frame, { type: 'chat.message', room: id, data, from: ann.userID, binary: true });
    }
    await outsider.settle();
    assert.equal(outsider.all('chat.message').length, 0);
  });

  test('chat.typing → the whole room, the sender included', async () => {
    const [id, ann, bob] = (await inRoom(2)) as [string, WireClient, WireClient];
    ann.send('chat.typing', id, { typing: true }, binary);
    for (const member of [ann, bob]) {
      const { data, from } = await member.next('chat.typing');
      assert.deepEqual([data, from], [{ typing: true }, ann.userID]);
    }
  });

  const signals: [string, object][] = [
    ['webrtc.offer', { sdp: 'v=0\r\n', more: { kept: true } }],
    ['webrtc.answer', { sdp: 'v=0\r\n' }],
    ['webrtc.iceCandidate', { candidate: '{"candidate":"candidate:1"}' }],
  ];
  for (const [type, payload] of signals) {
    test(`${type} → its addressee alone`, async () => {
      const [id, ann, bob, cat] = (await inRoom(3)) as [string, WireClient, WireClient, WireClient];
      const data = { ...payload, to: bob.userID };
      ann.send(type, id, data, binary);
      const frame = await bob.next(type);
      assert.deepEqual(frame, { type, room: id, data, from: ann.userID, binary: true });
      for (const other of [ann, cat]) {
        await other.settle();
        assert.equal(other.all(type).length, 0);
      }
    });
  }

  test('a signal to somebody who is not there is dropped without a word', async () => {
    const [id, ann] = (await inRoom(1)) as [string, WireClient];
    ann.send('webrtc.offer', id, { sdp: 'x', to: randomUUID() }, binary);
    await ann.settle();
    assert.equal(ann.all('general.error').length, 0);
  });

  test('utils.generateRoomID → {roomID: uuid} from system, to the sender', async () => {
    const ann = await open();
    ann.send('utils.generateRoomID', undefined, {}, binary);
    const { data, from, room } = await ann.next('utils.generateRoomID');
    assert.match(data.roomID, UUID4);
    assert.deepEqual([from, room], ['system', undefined]);
  });

  // [what, frame, text]; `$room` is a room of the sender's, `$else` another one.
  const long = 'x'.repeat(129);
  const errors: [string, unknown, string][] = [
    ['no JSON', '{', 'Invalid message'],
    ['no object', [], 'Invalid message'],
    ['no type', {}, 'Invalid message type'],
    ['an unknown type', { type: 'room.destroy', room: '$room' }, 'Invalid message type'],
    ['room.users', { type: 'room.users', room: '$room', data: { users: [] } }, 'Invalid message type'],
    ['general.error', { type: 'general.error', data: { error: 'x' } }, 'Invalid message type'],
    ['relay.ping of a plain client', { type: 'relay.ping', data: {} }, 'Invalid message type'],
    ['no room', { type: 'chat.join', data: {} }, 'Room ID is required'],
    ['a blank room', { type: 'chat.join', room: '  ', data: {} }, 'Room ID is required'],
    ['a room of 129', { type: 'chat.join', room: long }, 'Room ID too long (maximum is 128 characters)'],
    [
      'a message elsewhere',
      { type: 'chat.message', room: '$else', data: { message: 'x' } },
      "You can't send a message to this room",
    ],
    [
      'typing elsewhere',
      { type: 'chat.typing', room: '$else', data: { typing: true } },
      "You can't send typing notifications to this room",
    ],
    [
      'an offer elsewhere',
      { type: 'webrtc.offer', room: '$else', data: { sdp: 'x', to: 'y' } },
      "You can't send WebRTC messages to this room",
    ],
    [
      'an answer elsewhere',
      { type: 'webrtc.answer', room: '$else', data: { sdp: 'x', to: 'y' } },
      "You can't send WebRTC messages to this room",
    ],
    [
      'a candidate elsewhere',
      { type: 'webrtc.iceCandidate', room: '$else', data: { candidate: 'x', to: 'y' } },
      "You can't send WebRTC messages to this room",
    ],
    ['a message without data', { type: 'chat.message', room: '$room' }, 'Invalid chat message payload'],
    [
      'a message that is no text',
      { type: 'chat.message', room: '$room', data: { message: 7 } },
      'Invalid chat message payload',
    ],
    [
      'a message nested too deep',
      { type: 'chat.message', room: '$room', data: { message: 'x', a: [[[[[[[[[]]]]]]]]] } },
      'Invalid chat message payload',
    ],
    [
      'prototype names',
      '{"type":"chat.message","room":"$room","data":{"message":"x","__proto__":{"a":1}}}',
      'Invalid chat message payload',
    ],
    [
      'an empty message',
      { type: 'chat.message', room: '$room', data: { message: ' \n ' } },
      'Message cannot be empty',
    ],
    [
      '5001 code points',
      { type: 'chat.message', room: '$room', data: { message: '🦊'.repeat(5001) } },
      'Message is too long',
    ],
    [
      'typing that is no boolean',
      { type: 'chat.typing', room: '$room', data: { typing: 'yes' } },
      'Invalid typing payload',
    ],
    [
      'an offer without sdp',
      { type: 'webrtc.offer', room: '$room', data: { to: 'y' } },
      'Invalid WebRTC offer payload',
    ],
    [
      'an answer without sdp',
      { type: 'webrtc.answer', room: '$room', data: { to: 'y' } },
      'Invalid WebRTC answer payload',
    ],
    [
      'a candidate that is no text',
      { type: 'webrtc.iceCandidate', room: '$room', data: { candidate: {}, to: 'y' } },
      'Invalid WebRTC ICE candidate payload',
    ],
    [
      'the candidate "null"',
      { type: 'webrtc.iceCandidate', room: '$room', data: { candidate: 'null', to: 'y' } },
      'Invalid WebRTC ICE candidate payload',
    ],
    [
      'an offer to nobody',
      { type: 'webrtc.offer', room: '$room', data: { sdp: 'x' } },
      'Missing WebRTC recipient',
    ],
    [
      'an answer to nobody',
      { type: 'webrtc.answer', room: '$room', data: { sdp: 'x' } },
      'Missing WebRTC recipient',
    ],
    [
      'a candidate to nobody',
      { type: 'webrtc.iceCandidate', room: '$room', data: { candidate: 'x' } },
      'Missing WebRTC recipient',
    ],
  ];
  test('general.error {error} from system, no room: every text', async (context) => {
    let sender = await open();
    const id = room();
    await sender.join(id);
    for (const [index, [title, frame, error]] of errors.entries()) {
      if (index % 9 === 8) await (sender = await open()).join(id); // the tenth error would end the socket
      await context.test(`${title} → ${error}`, async () => {
        const text = (typeof frame === 'string' ? frame : JSON.stringify(frame))
          .replace('$room', id)
          .replace('$else', room());
        sender.sendRaw(text, binary);
        assert.deepEqual(await sender.next('general.error'), {
          type: 'general.error',
          from: 'system',
          data: { error },
          binary: true,
        });
      });
    }
  });

  test('5000 code points and a frame of nearly 65,536 bytes pass', async () => {
    const [id, ann] = (await inRoom(1)) as [string, WireClient];
    ann.send('chat.message', id, { message: ` ${'🦊'.repeat(5000)} ` }, binary);
    assert.equal((await ann.next('chat.message')).data.message.length, 10_002);
    const frame = JSON.stringify({ type: 'chat.message', room: id, data: { message: 'x', pad: '' } });
    const full = frame.replace('"pad":""', `"pad":"${'x'.repeat(65_536 - frame.length)}"`);
    assert.equal(Buffer.byteLength(full), 65_536);
    ann.sendRaw(full, binary);
    assert.equal((await ann.next('chat.message')).data.message, 'x');
  });

  test('a frame over 65,536 bytes → close 1009', async () => {
    const ann = await open();
    ann.sendRaw(Buffer.alloc(65_537, 'x'), binary);
    assert.equal((await ann.closed).code, 1009);
  });

  test('over the burst of 60 → Rate limit exceeded; the tenth error closes', async () => {
    const ann = await open();
    for (let index = 0; index < 400; index += 1) ann.send('utils.generateRoomID', undefined, {}, binary);
    await ann.closed;
    assert.ok(ann.all('utils.generateRoomID').length >= 60);
    const texts = ann.all('general.error').map(({ data }) => data.error);
    assert.deepEqual(
      texts,
      Array.from({ length: 10 }, () => 'Rate limit exceeded'),
    );
  });

  test('the tenth protocol error closes the connection', async () => {
    const ann = await open();
    for (let index = 0; index < 12; index += 1) ann.sendRaw('nonsense', binary);
    assert.deepEqual(await ann.closed, { code: 1008, reason: 'Too many protocol errors' });
    assert.equal(ann.all('general.error').length, 10);
  });
}
