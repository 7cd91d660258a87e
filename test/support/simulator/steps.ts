/** What can happen. Each answers whether it did: a step that fits nobody at the moment is passed over. */
import { freeze, loseSockets, slowSignals } from './anyone.ts';
import { fakeDevices } from './devices.ts';
import type { Step, StepKind } from './plan.ts';
import { screens, toggleBoth } from './screens.ts';
import type { Actor } from './actor.ts';
import type { Stage } from './stage.ts';
import { talking } from './talk.ts';

type Happen = (stage: Stage, step: Step, actor: Actor) => boolean;

interface Rule {
  /** Whom it may befall. */
  readonly whom: (actor: Actor) => boolean;
  readonly happen: Happen;
}

const anybody = (): boolean => true;
const outside = (actor: Actor): boolean => !actor.present && !actor.frozen;
const there = (actor: Actor): boolean => actor.present;
const inside = (actor: Actor): boolean => actor.present && actor.awake;

/** Somebody else, whom this one is or may be connected to. */
function another(stage: Stage, actor: Actor, step: Step): Actor | undefined {
  return stage.pick(step.other, (each) => each !== actor && each.present);
}

/** Presses a button one to four times, as fast as a person or a script may. */
function press(stage: Stage, actor: Actor, step: Step, source: 'mic' | 'camera'): boolean {
  const { call, wishes } = actor;
  for (let count = 0; count <= step.other % 4; count += 1) {
    stage.world.scheduler.schedule('work', (count * step.ms) / 100, actor.page, () => {
      if (actor.call !== call || !actor.awake) return;
      const toggled = source === 'mic' ? call.toggleMic() : call.toggleCamera();
      wishes[source] = call.snapshot.wanted[source];
      stage.command(actor, toggled);
    });
  }
  return true;
}

export const RULES: Readonly<Record<StepKind, Rule>> = {
  join: {
    whom: outside,
    happen: (stage, _step, actor) => {
      if (!actor.alive) stage.openPage(actor);
      stage.join(actor);
      return true;
    },
  },
  lobby: {
    whom: outside,
    happen: (stage, step, actor) => {
      if (!actor.alive) stage.openPage(actor);
      stage.command(actor, actor.call.prepare());
      if (step.coin) stage.command(actor, actor.call.preview());
      const { call } = actor;
      stage.world.scheduler.schedule('work', step.ms / 4, actor.page, () => {
        if (actor.call === call && actor.awake) stage.join(actor);
      });
      return true;
    },
  },
  leave: {
    whom: inside,
    happen: (stage, _step, actor) => {
      actor.present = false;
      stage.command(actor, actor.call.leave());
      return true;
    },
  },
  'page closed': {
    whom: inside,
    happen: (stage, _step, actor) => {
      actor.platform.emit('pagehide');
      stage.closePage(actor, 'tab');
      return true;
    },
  },
  crash: {
    whom: there,
    happen: (stage, step, actor) => {
      if (actor.frozen) stage.world.thaw(actor.page);
      stage.closePage(actor, step.coin ? 'tab' : 'machine');
      return true;
    },
  },
  'new page': {
    whom: (actor) => actor.awake,
    happen: (stage, step, actor) => {
      const { present } = actor;
      actor.call.dispose();
      stage.newCall(actor);
      if (present || step.coin) stage.join(actor);
      return true;
    },
  },
  mic: { whom: inside, happen: (stage, step, actor) => press(stage, actor, step, 'mic') },
  camera: { whom: inside, happen: (stage, step, actor) => press(stage, actor, step, 'camera') },
  ...screens,
  ...talking,
  glare: {
    whom: inside,
    happen: (stage, step, actor) => {
      const other = another(stage, actor, step);
      if (!other?.awake) return false;
      if (!step.coin) return toggleBoth(stage, step, actor, other);
      const ends = stage.ends(actor, other);
      ends.forEach((pc, index) => {
        const late = index === 0 ? 0 : step.ms / 100;
        stage.world.scheduler.schedule('work', late, pc.owner, () => {
          if (pc.signalingState !== 'closed') pc.restartIce();
        });
      });
      return ends.length === 2;
    },
  },
  'ICE restart': {
    whom: inside,
    happen: (stage, step, actor) => {
      const list = stage.connections(actor);
      list[step.other % list.length]?.restartIce();
      return list.length > 0;
    },
  },
  'path cut': {
    whom: there,
    happen: (stage, step, actor) => {
      const other = another(stage, actor, step);
      if (other) stage.cut(actor, other, step.ms);
      return other !== undefined;
    },
  },
  'data lost': {
    whom: there,
    happen: (stage, step, actor) => {
      const other = another(stage, actor, step);
      return other !== undefined && stage.world.network.loseData(actor.page, other.page);
    },
  },
  'data never opens': {
    whom: anybody,
    happen: (stage, step, actor) => {
      const other = stage.pick(step.other, (each) => each !== actor);
      if (!other) return false;
      const [left, right] = [actor.page, other.page];
      stage.world.network.deafen(left, right);
      // What is up loses its data, so that the next connection meets it.
      if (step.coin) stage.world.network.loseData(left, right);
      stage.until(step.ms + 5_000, () => stage.world.network.hear(left, right));
      return true;
    },
  },
  'network lost': {
    whom: there,
    happen: (stage, step, actor) => {
      const { platform } = actor;
      for (const other of [...stage.actors, ...stage.plains])
        if (other !== actor) stage.cut(actor, other, step.ms);
      stage.world.halfOpen(actor.page);
      platform.online = false;
      stage.until(step.ms, () => {
        platform.online = true;
        if (actor.platform === platform && actor.awake && step.coin) platform.emit('online');
      });
      return true;
    },
  },
  'socket lost': { whom: there, happen: loseSockets },
  'half-open socket': {
    whom: there,
    happen: (stage, _step, actor) => {
      // One that is being opened dies of it as well.
      const some = actor.platform.sockets.some(({ readyState }) => readyState < 2);
      stage.world.halfOpen(actor.page);
      return some;
    },
  },
  'relay down': {
    whom: anybody,
    happen: (stage, step) => {
      if (!stage.relayUp) return false;
      stage.killRelay();
      stage.until(step.ms, () => stage.startRelay());
      return true;
    },
  },
  'relay restart': {
    whom: anybody,
    happen: (stage) => {
      if (!stage.relayUp) return false;
      stage.killRelay();
      stage.startRelay();
      return true;
    },
  },
  freeze: {
    whom: (actor) => actor.present && actor.awake,
    happen: (stage, step, actor) =>
      freeze(stage, step, actor, () => step.coin && actor.platform.emit('visible')),
  },
  'slow signals': { whom: there, happen: slowSignals },
  'lost signals': {
    whom: anybody,
    happen: (stage, step) => {
      stage.loss = (step.who + 1) / 60;
      stage.until(step.ms, () => (stage.loss = 0));
      return stage.relayUp;
    },
  },
  ...fakeDevices,
  'page event': {
    whom: inside,
    happen: (_stage, step, actor) => {
      actor.platform.emit(step.coin ? 'visible' : 'online');
      return true;
    },
  },
};
