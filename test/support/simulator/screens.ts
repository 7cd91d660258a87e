/** What happens to shared screens. */
import type { Step } from './plan.ts';
import type { Actor } from './actor.ts';
import type { Stage } from './stage.ts';

const inRoom = (actor: Actor): boolean => actor.inside && actor.awake;
const live = (actor: Actor) =>
  actor.platform.devices.displays.filter((track) => track.readyState === 'live' && track.kind === 'video');
/** What a person needs for choosing a screen where two choose at one instant, in ms. */
const CHOICE = 20;

function toggle(stage: Stage, actor: Actor): void {
  stage.command(actor, actor.call.toggleScreen());
}

/** Both start or end a share so that their offers meet, or nearly. */
export function toggleBoth(stage: Stage, step: Step, ...actors: readonly Actor[]): boolean {
  if (!actors.every(inRoom)) return false;
  actors.forEach((actor, index) => {
    const { call, platform } = actor;
    const { devices } = platform;
    // Ending one takes no choice.
    const wait = call.snapshot.wanted.screen ? CHOICE : 0;
    stage.world.scheduler.schedule('work', wait + (index === 0 ? 0 : step.ms / 100), actor.page, () => {
      if (actor.call !== call || !inRoom(actor)) return;
      devices.promptDelay = CHOICE;
      toggle(stage, actor);
      devices.promptDelay = null;
    });
  });
  return true;
}

export const screens = {
  screen: {
    whom: inRoom,
    happen: (stage: Stage, step: Step, actor: Actor): boolean => {
      const { call } = actor;
      for (let count = 0; count <= step.other % 3; count += 1)
        stage.world.scheduler.schedule('work', (count * step.ms) / 50, actor.page, () => {
          if (actor.call === call && inRoom(actor)) toggle(stage, actor);
        });
      return true;
    },
  },
  /** From the browser's own bar. */
  'screen ended': {
    whom: (actor: Actor): boolean => inRoom(actor) && live(actor).length > 0,
    happen: (_stage: Stage, step: Step, actor: Actor): boolean => {
      const tracks = live(actor);
      tracks[step.other % tracks.length]!.end();
      return true;
    },
  },
  'screen refused': {
    whom: inRoom,
    happen: (stage: Stage, step: Step, actor: Actor): boolean => {
      const { devices } = actor.platform;
      devices.displayFailure = 'NotAllowedError';
      stage.until(step.ms, () => (devices.displayFailure = null));
      toggle(stage, actor);
      return true;
    },
  },
};
