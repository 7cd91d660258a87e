/** Plain clients in real browsers: a page of their own on the test's site. */
import { buildSync } from 'esbuild';
import { ENOUGH, expectEveryoneSeesEveryone } from '../e2e/expect.ts';
import type { Stage, PlaceOptions } from '../e2e/scenario.ts';
import type { Enough } from '../e2e/page/media.ts';
import { settled } from '../e2e/until.ts';
import type { Kind, Visitor } from '../e2e/visitor.ts';
import { document } from '../e2e/site.ts';
import type { PlainOptions } from './client.ts';

type PageOptions = Partial<PlainOptions> & { readonly sources?: readonly ('mic' | 'camera')[] };

let compiled: string | undefined;

/** The address of a page with a plain client that enters the stage's room at once. */
export function plainPage(stage: Stage, options: PageOptions = {}): string {
  compiled ??= buildSync({
    entryPoints: [new URL('page.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  }).outputFiles[0]?.text;
  const { url, wsUrl } = stage.relay;
  const all: PageOptions = { url, wsUrl, room: stage.room, name: 'plain', fileLabel: 'files', ...options };
  const script = `var plainOptions = ${JSON.stringify(all)};\n${compiled ?? ''}`;
  return stage.site.add(document(`<script>${script.replaceAll('</script', '<\\/script')}</script>`));
}

export async function visitPlain(
  stage: Stage,
  kind: Kind,
  options: PageOptions = {},
  place: PlaceOptions = {},
): Promise<Visitor> {
  return stage.visit(kind, plainPage(stage, options), { who: `plain-${kind}`, ...place });
}

/** What a plain client has of everybody whom it is connected with, watched for a while. */
export interface PlainView {
  readonly id: string;
  readonly state: string;
  readonly frames: number;
  readonly changes: number;
  /** Mean brightness of the last picture, from 0 to 255. */
  readonly brightness: number;
  readonly rms: number;
}

/** Runs in the page, for `ms` or until there was enough. */
export async function look(visitor: Visitor, ms: number, enough?: Enough): Promise<PlainView[]> {
  return visitor.run(
    async (time, most) => {
      const brightness = (id: string): number => {
        const video = window.document.querySelector<HTMLVideoElement>(`video[data-id="${id}"]`);
        if (!video?.videoWidth) return -1;
        const context = new OffscreenCanvas(16, 12).getContext('2d');
        if (!context) return -1;
        context.drawImage(video, 0, 0, 16, 12);
        const pixels = context.getImageData(0, 0, 16, 12).data.filter((_, index) => index % 4 !== 3);
        return pixels.reduce((sum, each) => sum + each, 0) / pixels.length;
      };
      return Promise.all(
        [...plain.peers.values()].map(async ({ id, pc, picture, sound }) => {
          const nothing = new MediaStream();
          const [seen, heard] = await Promise.all([
            e2e.pictures(picture ? new MediaStream([picture]) : nothing, time, most),
            e2e.sound(sound ? new MediaStream([sound]) : nothing, time, most),
          ]);
          const { frames, changes } = seen;
          return {
            id,
            state: pc.connectionState,
            frames,
            changes,
            brightness: brightness(id),
            rms: heard.rms,
          };
        }),
      );
    },
    ms,
    enough,
  );
}

/** The plain client decodes a moving picture and hears sound of so many others. */
export async function expectPlainSees(visitor: Visitor, others: number, timeout = 45_000): Promise<void> {
  await settled(
    `${visitor.who} sees and hears ${String(others)} others`,
    async () => {
      const views = await look(visitor, 1_300, ENOUGH);
      const missing = views.filter(
        ({ state, frames, changes, rms }) =>
          state !== 'connected' || frames < ENOUGH.frames || changes < ENOUGH.changes || rms < ENOUGH.rms,
      );
      return views.length === others && missing.length === 0 ? null : JSON.stringify(views);
    },
    { timeout },
  );
}

/** Ids of plain clients, before and after any of ours in the order of ids. */
export const LOW = '00000000-0000-4000-8000-000000000001';
export const HIGH = 'ffffffff-ffff-4fff-bfff-ffffffffffff';

/** Runs in our page. */
export const room = <T>(
  visitor: Visitor,
  action: (room: ReturnType<typeof e2e.room>) => T,
): Promise<Awaited<T>> =>
  visitor.page.evaluate(`(${action.toString()})(e2e.room('pm-room'))`) as Promise<Awaited<T>>;

/** Pictures and sound both ways between one of ours and one plain client. */
export async function bothWays(ours: Visitor, plain: Visitor): Promise<void> {
  await Promise.all([expectEveryoneSeesEveryone([ours], { strangers: 1 }), expectPlainSees(plain, 1)]);
}
