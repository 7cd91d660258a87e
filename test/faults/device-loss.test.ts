/** A device is unplugged in the middle of a call: the call says so, what is left goes on, and the person gets it back. */
import assert from 'node:assert/strict';
import { expectEveryoneSeesEveryone } from '../support/e2e/expect.ts';
import { scenarios } from '../support/e2e/scenario.ts';
import { settled, until } from '../support/e2e/until.ts';
import type { Visitor } from '../support/e2e/visitor.ts';
import { figure, ids, rounds } from '../support/faults/fault.ts';

const test = scenarios();

/** What a browser does when a device goes: its tracks end by themselves, and their owner is told. */
const unplug = (kind: 'audio' | 'video'): number => {
  const [self] = e2e.room('pm-room').participants;
  const source = kind === 'audio' ? self?.sources.mic : self?.sources.camera;
  const tracks = source?.stream?.getTracks().filter((each) => each.kind === kind) ?? [];
  for (const track of tracks) {
    track.stop();
    track.dispatchEvent(new Event('ended'));
  }
  return tracks.length;
};

const stateOf = async (visitor: Visitor, source: 'mic' | 'camera'): Promise<string> =>
  (await visitor.summary()).participants.find(({ self }) => self)?.sources[source].state ?? '';

for (const kind of ['chromium', 'firefox'] as const) {
  for (const device of ['camera', 'mic'] as const) {
    test(`${kind}: the ${device} is lost`, async (stage) => {
      const people = [
        await stage.visit(kind, stage.roomPage(), { process: 0, who: 'loser' }),
        await stage.visit('chromium', stage.roomPage(), { process: 1, who: 'witness' }),
      ];
      const [loser, witness] = people as [Visitor, Visitor];
      for (let round = 0; round < rounds(5); round++) {
        await expectEveryoneSeesEveryone(people);
        const before = await Promise.all(people.map(ids));
        const since = Date.now();
        assert.ok((await loser.run(unplug, device === 'mic' ? 'audio' : 'video')) > 0, 'nothing to unplug');
        // Another device may have taken over by the time this is asked.
        const lost = await until(`${loser.who} knows`, async () => {
          const state = await stateOf(loser, device);
          const live = await loser.run((name) => {
            const [self] = e2e.room('pm-room').participants;
            return (
              self?.sources[name].stream?.getTracks().some((each) => each.readyState === 'live') ?? false
            );
          }, device);
          return state === 'lost' || (state === 'on' && live) ? state : null;
        });
        stage.report(`${device}: ${lost} after ${String(Date.now() - since)} ms`);
        assert.equal((await loser.summary()).state, 'joined');
        await settled(`${witness.who} has the other half`, async () => {
          const [media] = await witness.run(() => e2e.remoteMedia('pm-room', 1_300));
          const works =
            device === 'camera' ? (media?.sound.rms ?? 0) > 0.005 : (media?.pictures.changes ?? 0) > 1;
          return works ? null : JSON.stringify(media);
        });
        if (lost === 'lost')
          await loser.run(async (mic) => {
            const room = e2e.room('pm-room');
            // Refused while no device is left: what counts is whether they are seen and heard below.
            await (mic ? room.toggleMic(true) : room.toggleCamera(true)).catch(() => false);
          }, device === 'mic');
        const again = Date.now();
        await expectEveryoneSeesEveryone(people);
        figure(
          stage,
          { goal: 'seen and heard again', fault: `${device} lost`, where: kind, limit: null },
          Date.now() - again,
        );
        assert.deepEqual(await Promise.all(people.map(ids)), before, 'the same people under the same ids');
      }
    });
  }
}
