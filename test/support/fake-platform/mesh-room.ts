/** Participants with the mesh transport and nothing above it, over a wire that the test may disturb. */
import { MeshTransport } from '../../../src/core/transport/mesh/mesh-transport.ts';
import type { LinkState, SourceName } from '../../../src/core/state/call-state.ts';
import type { MediaStates, Signal } from '../../../src/core/transport/transport.ts';
import type { FakePeerConnection } from './peer/connection.ts';
import type { FakeTransceiver } from './peer/transceiver.ts';
import type { FakePlatform } from './platform.ts';
import type { Wire } from './wire.ts';
import { createFakeWorld, type FakeWorld, type WorldOptions } from './world.ts';

export class Member {
  /** What the transport said of each peer: the sources that arrived, the newest state, and trouble. */
  readonly sources = new Map<string, Set<SourceName>>();
  readonly links = new Map<string, LinkState>();
  readonly byes: string[] = [];
  readonly errors: unknown[] = [];
  readonly media: { readonly id: string; readonly camera: string }[] = [];
  readonly tracks: MediaStreamTrack[] = [];

  constructor(
    readonly name: string,
    readonly platform: FakePlatform,
    readonly transport: MeshTransport,
  ) {
    transport.on('track', ({ id, source, stream }) => {
      const present = this.sources.get(id) ?? new Set();
      this.sources.set(id, present);
      if (stream) present.add(source);
      else present.delete(source);
    });
    transport.on('link', ({ id, state }) => void this.links.set(id, state));
    transport.on('bye', ({ id }) => void this.byes.push(id));
    transport.on('message', ({ id, message }) => {
      const { camera } = message['media'] as MediaStates;
      this.media.push({ id, camera });
    });
    transport.on('error', ({ error }) => void this.errors.push(error));
  }

  /** Open connections. */
  get connections(): FakePeerConnection[] {
    return this.platform.connections.filter(({ signalingState }) => signalingState !== 'closed');
  }

  publish(source: SourceName, kind: 'audio' | 'video'): MediaStreamTrack {
    const track = this.platform.track(kind, source);
    this.tracks.push(track);
    this.transport.publish(source, track);
    return track;
  }

  publishAll(): void {
    this.publish('mic', 'audio');
    this.publish('camera', 'video');
  }

  leave(): void {
    this.transport.close();
    for (const track of this.tracks) track.stop();
  }
}

export class MeshRoom {
  readonly world: FakeWorld;
  readonly wire: Wire<Signal>;
  /** Candidates travel by themselves, so that they may overtake descriptions. */
  readonly candidates: Wire<Signal>;
  readonly members: Member[] = [];

  constructor(options: WorldOptions, latency: readonly [number, number] = [1, 60]) {
    this.world = createFakeWorld(options);
    this.wire = this.world.wire<Signal>({ latency });
    this.candidates = this.world.wire<Signal>({ latency });
  }

  async add(name: string, configuration: RTCConfiguration = {}): Promise<Member> {
    const platform = this.world.platform(name);
    const port = {
      open: true,
      sure: true,
      send: (to: string, signal: Signal): void => {
        const wire = signal.kind === 'candidate' ? this.candidates : this.wire;
        wire.send(name, to, signal);
      },
    };
    const transport = await this.world.until(
      MeshTransport.create(platform, port, configuration),
      'a transport',
    );
    const member = new Member(name, platform, transport);
    for (const wire of [this.wire, this.candidates]) {
      wire.listen(name, (from, signal) => transport.receive(from, signal));
    }
    this.members.push(member);
    return member;
  }

  /** The newcomer offers to everybody who is there; politeness goes by the id. */
  join(newcomer: Member): void {
    for (const other of this.members) {
      if (other === newcomer) continue;
      this.introduce(other, newcomer, false);
      this.introduce(newcomer, other, true);
    }
    newcomer.publishAll();
  }

  introduce(member: Member, other: Member, initiator: boolean): void {
    const polite = member.name > other.name;
    member.transport.connect({ id: other.name, ext: true, initiator, polite });
  }

  /** A room in which everybody is connected to everybody. */
  static async connected(options: WorldOptions, names: readonly string[]): Promise<MeshRoom> {
    const room = new MeshRoom(options);
    for (const name of names) room.join(await room.add(name));
    await room.world.when(() => room.isWhole(), 'everybody connected', 30_000);
    return room;
  }

  isWhole(): boolean {
    return this.members.every(
      ({ connections }) =>
        connections.length === this.members.length - 1 &&
        connections.every((pc) => pc.connectionState === 'connected' && pc.signalingState === 'stable'),
    );
  }

  /** Nothing may be left of anybody, tracks and timers included. */
  async leave(): Promise<string> {
    for (const member of this.members) member.leave();
    await this.world.settle();
    return JSON.stringify(this.world.report());
  }
}

export const NOTHING_LEFT = JSON.stringify({
  connections: 0,
  tracks: 0,
  sockets: 0,
  timers: 0,
  listeners: 0,
});

const REVERSED: Record<string, string> = { sendonly: 'recvonly', recvonly: 'sendonly' };

/** A description without what differs by nature: candidates come one by one, repeated answers count up. */
function plain(description: { sdp: string } | null): string {
  const lines = description?.sdp.split('\r\n') ?? ['none'];
  return lines.filter((line) => !/^(o=|a=candidate|a=end-of-candidates|a=setup)/.test(line)).join('\n');
}

function ufragOf(description: { sdp: string } | null): string {
  return /^a=ice-ufrag:(\S+)/m.exec(description?.sdp ?? '')?.[1] ?? 'none';
}

/** What is wrong between the ends of every connection: empty when all is well. */
export function faults(room: MeshRoom): string[] {
  const found: string[] = [];
  for (const member of room.members) {
    const expected = room.members.length - 1;
    if (member.connections.length !== expected) {
      found.push(`${member.name} has ${member.connections.length} connections, not ${expected}`);
    }
    for (const error of member.errors) found.push(`${member.name} reports ${String(error)}`);
    for (const each of member.platform.logged)
      found.push(`${member.name} logs ${each.message} ${String(each.details[0])}`);
    for (const pc of member.connections) found.push(...connectionFaults(room, member, pc));
  }
  return found;
}

function connectionFaults(room: MeshRoom, member: Member, pc: FakePeerConnection): string[] {
  const { name } = member;
  const found: string[] = [];
  if (pc.signalingState !== 'stable') found.push(`${name} is stuck in ${pc.signalingState}`);
  if (pc.connectionState !== 'connected') found.push(`${name} is ${pc.connectionState}`);
  const kinds = [...plain(pc.localDescription).matchAll(/^m=(\w+)/gm)].map(([, kind]) => kind).join();
  if (kinds !== 'audio,video,video,audio,application') found.push(`${name} has sections ${kinds}`);
  const other = room.members
    .flatMap(({ connections }) => connections)
    .find((each) => each !== pc && ufragOf(each.localDescription) === ufragOf(pc.remoteDescription));
  if (!other) return [...found, `${name} has no counterpart`];
  if (plain(pc.localDescription) !== plain(other.remoteDescription))
    found.push(`${name}: descriptions differ`);
  const theirs = new Map(other.getTransceivers().map((each) => [each.mid, each]));
  if (pc.getTransceivers().length !== 4)
    found.push(`${name} has ${pc.getTransceivers().length} transceivers`);
  for (const own of pc.getTransceivers()) found.push(...directionFaults(name, own, theirs.get(own.mid)));
  return found;
}

function directionFaults(name: string, own: FakeTransceiver, their: FakeTransceiver | undefined): string[] {
  const { currentDirection, direction, mid } = own;
  if (!their || !currentDirection) return [`${name}: section ${mid} is not negotiated`];
  const seen = REVERSED[currentDirection] ?? currentDirection;
  if (their.currentDirection !== seen)
    return [`${name}: ${mid} is ${currentDirection}, not ${seen} over there`];
  const send = direction.startsWith('send') && ['sendrecv', 'recvonly'].includes(their.direction);
  const sending = currentDirection.startsWith('send');
  return send === sending ? [] : [`${name}: ${mid} wants ${direction}, has ${currentDirection}`];
}
