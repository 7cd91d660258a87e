/** What must hold once nothing has befallen anybody for a while, and once everybody has left. */
import type { CallEvents, SourceName } from '../../../src/core/index.ts';
import { SAID_TWICE } from '../plain-client/peer.ts';
import { PlainActor } from './plain-actor.ts';
import { plainFaults, plainSources } from './plain.ts';
import type { StepKind } from './plan.ts';
import type { Actor } from './actor.ts';
import type { Stage } from './stage.ts';

const SOURCES: readonly SourceName[] = ['mic', 'camera', 'screen'];
/** Whoever shares a screen shares its sound. */
const ALL: readonly SourceName[] = [...SOURCES, 'screenAudio'];

/** What is not as it should be. Empty: all is well. */
export function unsettled(stage: Stage): string[] {
  const there = stage.actors.filter(({ present }) => present);
  const found = there.flatMap((actor) => presence(stage, actor, there));
  found.push(...plainFaults(stage));
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
  const plains = stage.plains.filter(({ present }) => present);
  const others = [...there, ...plains].filter((each) => each !== actor);
  const expected = others.map(({ name, id }) => `${name} ${id}`);
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
  for (const other of others) {
    const shown = participants.find(({ id }) => id === other.id);
    if (!shown) continue;
    if (shown.link !== 'connected') found.push(`${name} to ${other.name}: ${shown.link}`);
    const theirs =
      other instanceof PlainActor ? plainSources(other) : other.call.snapshot.participants[0]?.sources;
    for (const source of ALL) {
      const [own, seen] = [stateOf(theirs?.[source]), shown.sources[source]];
      if (seen.state !== own)
        found.push(`${name} sees ${other.name}'s ${source} ${seen.state}, it is ${own}`);
      if (own === 'on' && !arrives(stage, actor, seen.stream))
        found.push(`${name} gets nothing of ${other.name}'s ${source}`);
    }
  }
  const open = stage.connections(actor);
  if (open.length !== others.length)
    found.push(`${name} has ${String(open.length)} connections, not ${String(others.length)}`);
  for (const { signalingState, connectionState } of open) {
    if (signalingState !== 'stable') found.push(`${name} is stuck in ${signalingState}`);
    if (connectionState !== 'connected') found.push(`${name} has a connection that is ${connectionState}`);
  }
  return found;
}

const stateOf = (source: string | { readonly state: string } = 'off'): string =>
  typeof source === 'string' ? source : source.state;

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
    // The old one is gone without a word.
    'new page',
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

/** Counted where a person had to leave and join to get a plain client out of what it cannot mend. */
export const BACK_BY_HAND = 'plain clients back by hand';

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
  for (const [{ options, errors, refusals }, lost] of stage.plainClients) {
    // Whoever lost its socket talks to a room that it is not in, over connections that others may have given up. And
    // whoever did not hear that one of ours was gone complains of every offer, until one of the two comes back by hand.
    if (lost || stage.counts.has(BACK_BY_HAND)) continue;
    // Two answers that wait at once: it takes the first, and complains of the second. Where signals take seconds that
    // may be an answer to the offer of another connection. And an answer that we say again, in case the first one was
    // lost, may come when it has offered anew.
    const odd = errors.filter(
      (error) =>
        !error.startsWith('Called in wrong state') &&
        !error.startsWith(SAID_TWICE) &&
        !(happened.has('slow signals') && / in the answer | answer has /.test(error)),
    );
    for (const error of odd) found.push(`${options.name} throws: ${error}`);
    for (const text of refusals) found.push(`${options.name} is refused: ${text}`);
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
  const { size, rooms } = stage.plainServer
    ? { size: stage.plainServer.core.connections.size, rooms: stage.plainServer.core.rooms }
    : stage.room.relay;
  if (size > 0 || rooms.size > 0) found.push(`the relay holds ${size} sockets and ${rooms.size} rooms`);
  return found;
}
