/** The relay is killed and comes back: nobody leaves, no connection is made anew, and signalling works again. */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { pause, until } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';

const test = scenarios();

const ids = async (visitor: Visitor): Promise<string[]> =>
  (await visitor.summary()).participants.map((each) => each.id);

/** Frames of everybody else that were presented within `ms`. */
const framesWithin = async (visitor: Visitor, ms: number): Promise<number[]> =>
  (await visitor.run((time) => e2e.remoteMedia('pm-room', time), ms)).map((each) => each.pictures.frames);

test('a hard kill of the relay and its restart: the same people under the same ids, no connection recreated', async (stage) => {
  // Sockets that cannot be opened are told to the console by the browser itself.
  const allow = [
    /WebSocket connection to .* failed/,
    /ERR_CONNECTION_REFUSED/,
    /can.t establish a connection/i,
    /Cross-Origin Request Blocked/,
    /was interrupted while the page was loading/,
  ];
  const url = stage.roomPage();
  const people = [
    await stage.visit('chromium', url, { allow }),
    await stage.visit('firefox', url, { allow }),
  ];
  await expectEveryoneSeesEveryone(people);
  const before = await Promise.all(
    people.map(async (each) => ({
      ids: await ids(each),
      made: (await each.run(() => e2e.made())).peerConnections,
    })),
  );

  await stage.relay.kill('SIGKILL');
  await Promise.all(people.map((each) => each.state('reconnecting')));
  const meanwhile = await Promise.all(people.map((each) => framesWithin(each, 1_500)));
  stage.report(`frames in 1.5 s without a relay: ${JSON.stringify(meanwhile)}`);
  assert.ok(
    meanwhile.flat().every((frames) => frames > 5),
    'a picture stood still',
  );
  await stage.relay.restart();
  const back = Date.now();
  await Promise.all(people.map((each) => each.state('joined')));
  stage.report(`back in the room ${String(Date.now() - back)} ms after the relay listened again`);
  await expectEveryoneSeesEveryone(people);

  const newcomer = await stage.visit('chromium', url);
  await expectEveryoneSeesEveryone([...people, newcomer]);
  for (const [index, visitor] of people.entries()) {
    const expected = before[index];
    assert.ok(expected);
    assert.deepEqual((await ids(visitor)).slice(0, people.length), expected.ids, `${visitor.who}: other ids`);
    assert.deepEqual(await visitor.events('pm-participant-left'), [], `${visitor.who}: somebody left`);
    // Every connection ever made: what was there before the kill, and one with the newcomer.
    const states = await visitor.run(() => e2e.peerConnections.map((each) => each.connectionState));
    assert.equal(states.length, expected.made + 1, `${visitor.who}: a connection was made anew`);
    assert.equal(states.filter((state) => state === 'connected').length, people.length, states.join());
  }
});

test('the same when sockets open and the relay says nothing for a while', async (stage) => {
  const proxy = await stage.proxy();
  const url = stage.roomPage({ via: proxy });
  const people = [await stage.visit('chromium', url), await stage.visit('firefox', url)];
  await expectEveryoneSeesEveryone(people);
  const before = await Promise.all(people.map(ids));
  proxy.silent = true;
  const opened = proxy.opened;
  await Promise.all(people.map((each) => each.state('reconnecting')));
  // Both have reached the silent relay once more before it finds its tongue.
  await until('everybody to try again', () => proxy.opened >= opened + people.length);
  await pause(2_000);
  proxy.silent = false;
  await Promise.all(people.map((each) => each.state('joined', 'pm-room', 60_000)));
  await expectEveryoneSeesEveryone(people);
  assert.deepEqual(await Promise.all(people.map(ids)), before);
});
