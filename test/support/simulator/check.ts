/** What must hold once nothing has befallen anybody for a while, and once everybody has left. */
import type { CallEvents, SourceName } from '../../../src/core/index.ts';
import type { StepKind } from './plan.ts';
import type { Actor, Stage } from './stage.ts';

const SOURCES: readonly SourceName[] = ['mic', 'camera', 'screen'];
/** Whoever shares a screen shares its sound. */
const ALL: readonly SourceName[] = [...SOURCES, 'screenAudio'];

/** What is not as it should be. Empty: all is well. */
export function unsettled(stage: Stage): string[] {
  const there = stage.actors.filter(({ present }) => present);
  const found = there.flatMap((actor) => presence(stage, actor, there));
  found.push(...stage.talk.faults(there));
  for (const actor of stage.actors) {
    const { phase, participants } = actor.call.snapshot;
    if (actor.present || !actor.alive) continue;
    if (!['idle', 'lobby', 'left', 'failed'].includes(phase))
      found.push(`${actor.name} is out, yet ${phase}`);
    if (participants.length > 1) found.push(`${actor.name} is out, yet sees somebody`);
  }
  return found;
}

function presence(stage: Stage, actor: Actor, there: readonly Actor[]): string[] {
  const { name, call } = actor;
  const { phase, relay, participants, wanted } = call.snapshot;
  if (phase !== 'joined' || relay !== 'open') return [`${name} is ${phase}, the relay ${relay}`];
  const found: string[] = [];
  const idOf = (each: Actor): string => each.call.snapshot.participants[0]?.id ?? '';
  const expected = there.filter((each) => each !== actor).map((each) => `${each.name} ${idOf(each)}`);
  const seen = participants.slice(1).map((each) => `${each.name} ${each.id}`);
  if (expected.sort().join() !== seen.sort().join())
    found.push(`${name} sees [${seen.join()}], not [${expected.join()}]`);

  const self = participants[0];
  for (const source of SOURCES) {
    const state = self?.sources[source].state;
    const [on, off] = [
      wanted[source as 'mic'],
      source === 'mic' ? ['off', 'silenced', 'lost'] : source === 'camera' ? ['off', 'lost'] : ['off'],
    ];
    if (on ? state !== 'on' : !off.includes(state ?? ''))
      found.push(`${name}: ${source} is ${String(state)}, wanted ${on ? 'on' : 'off'}`);
  }
  for (const other of there) {
    if (other === actor) continue;
    const theirs = other.call.snapshot.participants[0];
    const shown = participants.find(({ id }) => id === theirs?.id);
    if (!theirs || !shown) continue;
    if (shown.link !== 'connected') found.push(`${name} to ${other.name}: ${shown.link}`);
    for (const source of ALL) {
      const [own, seen] = [theirs.sources[source].state, shown.sources[source]];
      if (seen.state !== own)
        found.push(`${name} sees ${other.name}'s ${source} ${seen.state}, it is ${own}`);
      if (own === 'on' && !arrives(stage, actor, seen.stream))
        found.push(`${name} gets nothing of ${other.name}'s ${source}`);
    }
  }
  const open = stage.connections(actor);
  if (open.length !== there.length - 1)
    found.push(`${name} has ${String(open.length)} connections, not ${String(there.length - 1)}`);
  for (const { signalingState, connectionState } of open) {
    if (signalingState !== 'stable') found.push(`${name} is stuck in ${signalingState}`);
    if (connectionState !== 'connected') found.push(`${name} has a connection that is ${connectionState}`);
  }
  return found;
}

/** Packets of the track that is shown come in. */
function arrives(stage: Stage, actor: Actor, stream: MediaStream | null): boolean {
  const [track] = stream?.getTracks() ?? [];
  return stage
    .connections(actor)
    .flatMap((pc) => pc.getReceivers())
    .some((receiver) => (receiver.track as unknown) === track && receiver.meter.flowing);
}

/** What a call may complain of, and after which steps alone. */
const COMPLAINTS: Readonly<Record<string, readonly StepKind[]>> = {
  'relay-unreachable': [
    'relay down',
    'relay restart',
    'socket lost',
    'half-open socket',
    'network lost',
    'slow signals',
    'freeze',
  ],
  'turn-needed': [
    'path cut',
    'network lost',
    'freeze',
    'slow signals',
    'lost signals',
    'half-open socket',
    'crash',
    // Candidates that were on their way to the relay.
    'relay down',
    'relay restart',
    'socket lost',
  ],
  'screen-refused': ['screen refused'],
  'device-not-found': ['device lost'],
  'device-in-use': ['device refused'],
  'permission-denied': ['device refused'],
};

/** What was logged or reported that no step explains: refused calls of the platform, above all. */
export function complaints(stage: Stage, happened: ReadonlySet<StepKind>): string[] {
  const found: string[] = [];
  const explained = (code: string): boolean => COMPLAINTS[code]?.some((kind) => happened.has(kind)) ?? false;
  for (const page of stage.pages) {
    for (const { level, message, details } of stage.world.platform(page).logged) {
      const code = /^([a-z-]+): /.exec(message)?.[1] ?? '';
      if (level !== 'debug' && !(level === 'warn' && explained(code)))
        found.push(`${page} logs ${level}: ${message} ${details.map(String).join(' ')}`);
    }
    for (const { name, detail } of stage.room.heard(page)) {
      const { code } = detail as CallEvents['error'];
      if (name === 'error' && !explained(code)) found.push(`${page} reports ${code}`);
    }
  }
  return found;
}

/** What is left of people who have gone, and of the relay that they have left. */
export function leftovers(stage: Stage): string[] {
  const found: string[] = [];
  for (const page of stage.pages) {
    const left = Object.entries(stage.world.report(page)).filter(([, count]) => count > 0);
    if (left.length > 0) found.push(`${page} left ${left.map(([what, count]) => `${count} ${what}`).join()}`);
  }
  const { size, rooms } = stage.room.relay;
  if (size > 0 || rooms.size > 0) found.push(`the relay holds ${size} sockets and ${rooms.size} rooms`);
  return found;
}
