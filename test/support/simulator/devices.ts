/** What happens to cameras and microphones. */
import type { Step } from './plan.ts';
import type { Actor } from './actor.ts';
import type { Stage } from './stage.ts';

const present = (actor: Actor): boolean => actor.present && actor.alive;

export const fakeDevices = {
  'device lost': {
    whom: present,
    happen: (stage: Stage, step: Step, actor: Actor): boolean => {
      const kind = step.coin ? 'audio' : 'video';
      const { devices } = actor.platform;
      devices.unplug(kind);
      stage.until(step.ms, () => {
        if (!devices.devices.some((each) => each.kind === kind)) devices.plug(kind);
      });
      return true;
    },
  },
  'device refused': {
    whom: present,
    happen: (stage: Stage, step: Step, actor: Actor): boolean => {
      const kind = step.coin ? 'audio' : 'video';
      const { failures } = actor.platform.devices;
      failures[kind] = step.other % 2 ? 'NotReadableError' : 'NotAllowedError';
      stage.until(step.ms, () => delete failures[kind]);
      return true;
    },
  },
};
