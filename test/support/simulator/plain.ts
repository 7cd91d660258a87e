/** What may befall plain clients, and what must hold of them in the end. */
import type { SourceName } from '../../../src/core/index.ts';
import type { FakePeerConnection } from '../fake-platform/index.ts';
import type { PlainPeer } from '../plain-client/peer.ts';
import { freeze, loseSockets, slowSignals } from './anyone.ts';
import type { Actor } from './actor.ts';
import type { PlainActor } from './plain-actor.ts';
import type { Step, StepKind } from './plan.ts';
import type { Stage } from './stage.ts';

interface PlainRule {
  readonly whom: (actor: PlainActor) => boolean;
  readonly happen: (stage: Stage, step: Step, actor: PlainActor) => boolean;
}

const inside = (actor: PlainActor): boolean => actor.present && actor.awake && actor.client.connected;
const there = (actor: PlainActor): boolean => actor.present;

/** Several times, as fast as a person or a script may. */
function press(stage: Stage, step: Step, actor: PlainActor, pace: number, action: () => void): boolean {
  const { client } = actor;
  for (let count = 0; count <= step.other % 4; count += 1) {
    stage.world.scheduler.schedule('work', count * pace, actor.page, () => {
      if (actor.client === client && inside(actor)) action();
    });
  }
  return true;
}

function toggleScreen(actor: PlainActor): void {
  actor.screen = !actor.screen;
  if (actor.screen) void actor.client.use('screen');
  else actor.client.stopScreen();
}

function someoneOfOurs(stage: Stage, step: Step): Actor | undefined {
  return stage.pick(step.other, (each) => each.present && each.awake);
}

/** What the step of a plan is for a plain client; whatever is missing here befalls ours alone. */
export const PLAIN_RULES: Partial<Record<StepKind, PlainRule>> = {
  join: {
    whom: (actor) => actor.outside,
    happen: (_stage, _step, actor) => {
      if (!actor.alive) actor.openPage();
      actor.enter();
      return true;
    },
  },
  leave: {
    whom: inside,
    happen: (_stage, _step, actor) => {
      actor.leave();
      return true;
    },
  },
  'page closed': {
    whom: (actor) => actor.present && actor.awake,
    happen: (_stage, _step, actor) => {
      actor.close();
      return true;
    },
  },
  crash: {
    whom: there,
    happen: (stage, _step, actor) => {
      if (actor.frozen) stage.world.thaw(actor.page);
      actor.crash();
      return true;
    },
  },
  mic: {
    whom: inside,
    happen: (stage, step, actor) => press(stage, step, actor, step.ms / 50, () => actor.client.toggleMic()),
  },
  camera: {
    whom: inside,
    happen: (_stage, step, actor) => {
      if (step.coin) actor.client.cameraOff();
      else void actor.client.use('camera');
      return true;
    },
  },
  screen: {
    whom: inside,
    happen: (stage, step, actor) => press(stage, step, actor, step.ms / 20, () => toggleScreen(actor)),
  },
  glare: {
    whom: inside,
    happen: (stage, step, actor) => {
      const other = someoneOfOurs(stage, step);
      if (!other) return false;
      toggleScreen(actor);
      stage.world.scheduler.schedule('work', step.ms / 100, other.page, () => {
        if (!other.inside || !other.awake) return;
        if (!step.coin) return stage.command(other, other.call.toggleScreen());
        for (const pc of stage.ends(other, actor)) if (pc.owner === other.page) pc.restartIce();
      });
      return true;
    },
  },
  'path cut': {
    whom: there,
    happen: (stage, step, actor) => {
      const other = stage.pick(step.other, (each) => each.present);
      if (other) stage.cut(actor, other, step.ms);
      return other !== undefined;
    },
  },
  'socket lost': { whom: there, happen: loseSockets },
  freeze: { whom: (actor) => actor.present && actor.awake, happen: freeze },
  'slow signals': { whom: there, happen: slowSignals },
};

const flows = ({ pc }: PlainPeer, track: MediaStreamTrack | null): boolean =>
  (pc as unknown as FakePeerConnection)
    .getReceivers()
    .some((receiver) => (receiver.track as unknown) === track && receiver.meter.flowing);

/** What is not as it should be between plain clients and ours; plain clients among themselves are not our business. */
export function plainFaults(stage: Stage): string[] {
  const present = stage.plains.filter(there);
  const ours = stage.actors.filter((actor) => actor.present);
  return stage.plains.flatMap((actor) => {
    const { name, client } = actor;
    if (!actor.present) return actor.alive && client.peers.size > 0 ? [`${name} is out, yet connected`] : [];
    const found = ours.flatMap((other) => unseen(actor, other));
    const known = [...client.peers.keys()].sort().join();
    const expected = [...ours, ...present]
      .filter((each) => each !== actor)
      .map(({ id }) => id)
      .sort()
      .join();
    if (known !== expected) found.push(`${name} has [${known}], not [${expected}]`);
    return found;
  });
}

function unseen({ name, client }: PlainActor, other: Actor): string[] {
  const peer = client.peers.get(other.id);
  if (!peer) return [`${name} has no connection to ${other.name}`];
  const { connectionState, signalingState } = peer.pc;
  const found: string[] = [];
  if (connectionState !== 'connected' || signalingState !== 'stable')
    found.push(`${name} to ${other.name}: ${connectionState}, ${signalingState}`);
  // One that is off is a black picture; a microphone that is off is silence, or nothing.
  if (!flows(peer, peer.picture)) found.push(`${name} gets no picture of ${other.name}`);
  const self = other.call.snapshot.participants[0];
  if (self?.sources.mic.state === 'on' && !flows(peer, peer.sound))
    found.push(`${name} does not hear ${other.name}`);
  return found;
}

/** What ours have to see of a plain client: it says nothing of what it switches off. */
export function plainSources({ screen }: PlainActor): Partial<Record<SourceName, 'on' | 'off'>> {
  return { mic: 'on', camera: 'on', screen: screen ? 'on' : 'off' };
}
