/** What rooms of ours and plain clients talk about, in real browsers: words, pictures, our screen; and a dead relay. */
import assert from 'node:assert/strict';
import { mintToken } from '../../demo-server/src/mint.ts';
import { DRAWN_SCREEN } from '../support/e2e/drawn-screen.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { settled, until } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';
import { NETWORK } from '../support/faults/fault.ts';
import { bothWays, expectPlainSees, HIGH, LOW, room, visitPlain } from '../support/plain-client/visit.ts';
import { TEST_SECRET } from '../support/relay.ts';

const test = scenarios();

/** What our page reads in its chat: text, security, and the size of a picture. */
const chatOf = (visitor: Visitor): Promise<string> =>
  visitor.run(() =>
    e2e
      .room('pm-room')
      .snapshot.messages.map(({ text, security, image }) =>
        `${text} ${security} ${String(image?.size ?? '')}`.trim(),
      )
      .join(', '),
  );

/** What the plain client read. */
const readBy = (visitor: Visitor): Promise<string> =>
  visitor.run(() => plain.said.map(({ text, sealed }) => `${text}${sealed ? ' sealed' : ''}`).join(', '));

for (const [oursKind, plainKind, id] of [
  ['chromium', 'chromium', HIGH],
  ['firefox', 'chromium', LOW],
] as const) {
  for (const passphrase of ['', 'shared']) {
    const which = `${id === LOW ? 'smaller' : 'larger'} id, ${passphrase ? 'with' : 'without'} a passphrase`;
    test(`ours in ${oursKind} and a plain client in ${plainKind}, ${which}: words, pictures, our screen, a restart`, async (stage) => {
      const token = await mintToken({ sub: id, username: 'plain' }, TEST_SECRET);
      // Blank: the original derives its key from the room's name.
      const sealing = { passphrase, e2eePrefix: 'E2EE' };
      const other = await visitPlain(stage, plainKind, { token, ...sealing }, { process: 3, allow: NETWORK });
      const ours = await stage.visit(
        oursKind,
        stage.roomPage({ attributes: 'autojoin e2ee-prefix="E2EE" file-channel-label="files"' }),
        {
          scripts: [DRAWN_SCREEN],
          allow: NETWORK,
        },
      );
      await ours.run((given) => void (e2e.room('pm-room').passphrase = given), passphrase);
      await bothWays(ours, other);

      await ours.run(() => e2e.room('pm-room').sendMessage('hello'));
      await other.run(() => plain.say('hi there'));
      const security = passphrase ? 'encrypted' : 'plain';
      await settled('our chat', async () => {
        const read = await chatOf(ours);
        return read === `hello ${security}, hi there ${security}` ? null : read;
      });
      await settled('its chat', async () => {
        const read = await readBy(other);
        return read.startsWith('hello sealed') ? null : read;
      });

      await until('its channel for pictures', () => other.run(() => plain.canSendImages));
      const picture = { name: 'cat.png', mime: 'image/png' };
      await other.run((given) => plain.sendImage('i', { ...given, bytes: new Uint8Array(60_000) }), picture);
      await ours.run(({ name, mime }) => {
        return void e2e
          .room('pm-room')
          .sendFile(new File([new Uint8Array(200_000)], `our-${name}`, { type: mime }));
      }, picture);
      await settled('pictures in our chat', async () => {
        const read = await chatOf(ours);
        return /cat.png direct 60000/.test(read) && /our-cat.png direct 200000/.test(read) ? null : read;
      });
      await settled('our picture in its', async () => {
        const sizes = await other.run(() =>
          plain.images.map(({ name, bytes }) => `${name} ${String(bytes.length)}`),
        );
        return sizes.join() === 'our-cat.png 200000' ? null : sizes.join();
      });

      // Our screen takes the camera's place, and gives it back.
      const screen = async (is: boolean): Promise<void> =>
        settled(`it sees our ${is ? 'screen' : 'camera'}`, async () => {
          const seen = await other.run(async () => {
            const [peer] = plain.peers.values();
            return e2e.pictures(peer?.picture ? new MediaStream([peer.picture]) : new MediaStream(), 700);
          });
          return seen.changes > 1 && seen.width / seen.height < 1.5 === is ? null : JSON.stringify(seen);
        });
      await screen(false);
      await room(ours, (element) => element.toggleScreen(true));
      await screen(true);
      await room(ours, (element) => element.toggleScreen(false));
      await screen(false);

      // The relay dies and comes back: pictures and sound stay, nobody leaves, and words pass again.
      const made = await ours.run(() => e2e.made().peerConnections);
      await stage.relay.kill('SIGKILL');
      await settled('we see and hear it', async () => {
        const [them] = await ours.run(() => e2e.remoteMedia('pm-room', 1_000));
        return them && them.pictures.changes > 1 && them.sound.rms > 0.005 ? null : JSON.stringify(them);
      });
      await expectPlainSees(other, 1);
      await stage.relay.restart();
      await ours.state('joined', 'pm-room', 60_000);
      await until('it is back', () => other.run(() => plain.connected));
      // It does not join again by itself: it does so whenever its microphone is switched.
      for (let round = 0; round < 2; round += 1) await other.run(() => plain.toggleMic());
      await other.run(() => plain.say('again'));
      await settled('our chat after the restart', async () => {
        const read = await chatOf(ours);
        return /again/.test(read) ? null : read;
      });
      await ours.run(() => e2e.room('pm-room').sendMessage('still here'));
      await settled('its chat after the restart', async () => {
        const read = await readBy(other);
        return /still here/.test(read) ? null : read;
      });
      await bothWays(ours, other);
      assert.deepEqual(await ours.events('pm-participant-left'), []);
      assert.equal(await ours.run(() => e2e.made().peerConnections), made, 'a connection was made anew');
    });
  }
}
