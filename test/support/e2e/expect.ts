/** What a call must show, as checks that wait for it. */
import type { RemoteMedia } from './page/index.ts';
import { settled } from './until.ts';
import type { Visitor } from './visitor.ts';

/** How long the first look at the media lasts at most, in ms: fake microphones beep once a second. */
const LOOK = 1_300;
/** Later looks are longer: a busy machine may take seconds to begin to play. */
const LONGEST_LOOK = 6_000;
/** With less, somebody does not see or hear. The fake microphones' beeps have a root mean square of 0.05 and more. */
export const ENOUGH = { frames: 5, changes: 2, rms: 0.005 };

export interface Place {
  readonly visitor: Visitor;
  readonly selector?: string;
}

function whatIsMissing({ id, pictures, sound, shown, playedAloud }: RemoteMedia): string | null {
  const missing = [
    pictures.frames < ENOUGH.frames && `${String(pictures.frames)} frames`,
    pictures.changes < ENOUGH.changes && 'a still picture',
    pictures.width < 16 && `a picture ${String(pictures.width)} wide`,
    sound.rms < ENOUGH.rms && `silence (${sound.rms.toFixed(4)} by ${sound.via})`,
    !shown && 'no visible tile plays the picture',
    !playedAloud && 'no element plays the sound aloud',
  ].filter((each): each is string => Boolean(each));
  return missing.length ? `${id.slice(0, 8)}: ${missing.join(', ')}` : null;
}

/** Decodes the moving pictures of so many others and hears their sound, whatever is sent back. */
export async function expectSeesAndHears(
  visitor: Visitor,
  others = 1,
  { selector = 'pm-room', timeout = 45_000 }: { selector?: string; timeout?: number } = {},
): Promise<void> {
  let look = LOOK;
  await settled(
    `${visitor.who} sees and hears ${String(others)} others`,
    async () => {
      const media = await visitor.run(
        (given, ms, enough) => e2e.remoteMedia(given, ms, enough),
        selector,
        look,
        ENOUGH,
      );
      look = Math.min(2 * look, LONGEST_LOOK);
      const missing = media.map(whatIsMissing).filter((each) => each !== null);
      if (media.length !== others) missing.push(`${String(media.length)} others`);
      return missing.length ? missing.join('; ') : null;
    },
    { timeout },
  );
}

/**
 * Everybody has everybody else as a connected participant, decodes their moving picture and hears their sound; the
 * elements show the one and play the other. Answers the number of directed streams that were measured.
 */
export async function expectEveryoneSeesEveryone(
  places: readonly (Visitor | Place)[],
  {
    timeout = 45_000,
    strangers = 0,
  }: { timeout?: number; /** Others in the room, who are not asked. */ strangers?: number } = {},
): Promise<number> {
  const all = places.map((each): Place => ('visitor' in each ? each : { visitor: each }));
  const others = all.length - 1 + strangers;
  await Promise.all(
    all.map(async ({ visitor, selector = 'pm-room' }) => {
      await settled(
        `${visitor.who} is connected with ${String(others)} others`,
        async () => {
          const { state, participants } = await visitor.summary(selector);
          const remote = participants.filter((each) => !each.self);
          const ready = remote.filter(
            ({ link, sources }) => link === 'connected' && sources.camera.video && sources.mic.audio,
          );
          if (state === 'joined' && remote.length === others && ready.length === others) return null;
          return JSON.stringify({ state, remote });
        },
        { timeout },
      );
      await expectSeesAndHears(visitor, others, { selector, timeout });
    }),
  );
  return all.length * others;
}

/** Each of them is in the room with so many others, and connected with all of these; whatever they send. */
export async function expectConnected(
  people: readonly Visitor[],
  { others = people.length - 1, timeout = 90_000 }: { others?: number; timeout?: number } = {},
): Promise<void> {
  await Promise.all(
    people.map((visitor) =>
      settled(
        `${visitor.who} is connected with ${String(others)} others`,
        async () => {
          const { state, participants } = await visitor.summary();
          const links = participants.filter(({ self }) => !self).map(({ link }) => link);
          const all = links.length === others && links.every((link) => link === 'connected');
          return state === 'joined' && all ? null : `${state}, ${links.join()}`;
        },
        // Many who are asked at once would be kept from it.
        { timeout, every: 200 },
      ),
    ),
  );
}

/** Waits until somebody has this many other people in the room. */
export async function expectOthers(
  visitor: Visitor,
  count: number,
  selector = 'pm-room',
  timeout = 30_000,
): Promise<void> {
  await settled(
    `${visitor.who} has ${String(count)} others`,
    async () => {
      const { participants } = await visitor.summary(selector);
      return participants.length - 1 === count ? null : JSON.stringify(participants);
    },
    { timeout },
  );
}
