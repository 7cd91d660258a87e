/** "Set the RTCSessionDescription" (WebRTC 1.0 section 4.4.1.5): what a description does once it is accepted. */
import { exception } from '../errors.ts';
import { eventWith } from '../events.ts';
import { FakeStream, type FakeTrack } from '../media-track.ts';
import { checkAgainst } from './check.ts';
import { receives, reverse, type Sdp, type Section } from './sdp.ts';
import type { Applied, Draft, PeerState } from './state.ts';
import { FakeTransceiver } from './transceiver.ts';
import { FakeSctpTransport } from './transports.ts';

/** Events that a description causes, fired in the order of the specification once all state is in place. */
class Effects {
  readonly muted: FakeTrack[] = [];
  readonly removed: [FakeStream, FakeTrack][] = [];
  readonly added: [FakeStream, FakeTrack][] = [];
  readonly tracks: FakeTransceiver[] = [];

  fire(peer: PeerState): void {
    for (const track of this.muted) track.setMuted(true);
    for (const [stream, track] of this.removed) stream.change('removetrack', track);
    for (const [stream, track] of this.added) stream.change('addtrack', track);
    for (const transceiver of this.tracks) {
      const { receiver } = transceiver;
      peer.emit(
        eventWith('track', { track: receiver.track, receiver, transceiver, streams: [...receiver.streams] }),
      );
    }
  }
}

/** Section 5.3, "set the associated remote streams". */
function associate(
  peer: PeerState,
  transceiver: FakeTransceiver,
  ids: readonly string[],
  effects: Effects,
): boolean {
  const { receiver } = transceiver;
  const streams = [...new Set(ids)].map((id) => {
    const known = peer.remoteStreams.get(id) ?? new FakeStream(peer.scope, [], id);
    peer.remoteStreams.set(id, known);
    return known;
  });
  const fresh = streams.filter((stream) => !receiver.streams.includes(stream));
  for (const old of receiver.streams) if (!streams.includes(old)) effects.removed.push([old, receiver.track]);
  for (const stream of fresh) effects.added.push([stream, receiver.track]);
  receiver.streams = streams;
  return fresh.length > 0;
}

function takeSnapshot(peer: PeerState): void {
  if (peer.signalingState !== 'stable') return;
  peer.snapshot = {
    transceivers: new Map(
      peer.transceivers.map((each) => [
        each,
        {
          mid: each.mid,
          index: each.index,
          fired: each.fired,
          receptive: each.receptive,
          streams: [...each.receiver.streams],
        },
      ]),
    ),
  };
}

function bind(peer: PeerState, transceiver: FakeTransceiver, mid: string, index: number): void {
  transceiver.mid = mid;
  transceiver.index = index;
  transceiver.sender.transport = peer.dtls;
  transceiver.receiver.transport = peer.dtls;
}

function localSection(
  peer: PeerState,
  type: Applied['type'],
  section: Section,
  index: number,
  owner: FakeTransceiver | undefined,
  effects: Effects,
): void {
  const transceiver = owner ?? peer.transceivers.find((each) => each.mid === section.mid);
  if (!transceiver) return;
  bind(peer, transceiver, section.mid, index);
  if (transceiver.stopped) return;
  if (section.rejected) {
    if (type === 'answer') transceiver.finish();
    return;
  }
  if (type === 'offer') {
    if (receives(section.direction)) transceiver.receptive = true;
    return;
  }
  if (!receives(section.direction) && receives(transceiver.fired)) {
    associate(peer, transceiver, [], effects);
    effects.muted.push(transceiver.receiver.track);
  }
  transceiver.negotiated(section.direction);
  transceiver.fired = section.direction;
}

/** RFC 9429 section 5.10: which transceiver a remote section means; addTransceiver's own are never taken. */
function findOrCreate(
  peer: PeerState,
  type: Applied['type'],
  section: Section,
  index: number,
): FakeTransceiver | null {
  const known = peer.transceivers.find((each) => each.mid === section.mid);
  if (known) return known;
  if (type === 'answer' || section.kind === 'application' || section.rejected) return null;
  const { kind } = section;
  const usable = (each: FakeTransceiver) =>
    each.fromAddTrack && each.kind === kind && each.mid === null && !each.stopping;
  const found = receives(section.direction) ? peer.transceivers.find(usable) : undefined;
  const remoteId = peer.scope.flavour === 'chromium' && section.trackId ? section.trackId : undefined;
  const transceiver = found ?? new FakeTransceiver(peer, kind, 'recvonly', null, [], remoteId);
  if (!found) peer.transceivers.push(transceiver);
  bind(peer, transceiver, section.mid, index);
  return transceiver;
}

function remoteSection(
  peer: PeerState,
  type: Applied['type'],
  section: Section,
  index: number,
  effects: Effects,
): void {
  const transceiver = findOrCreate(peer, type, section, index);
  if (!transceiver || transceiver.stopped) return;
  if (section.rejected) {
    transceiver.finish();
    if (receives(transceiver.fired)) associate(peer, transceiver, [], effects);
    transceiver.fired = null;
    return;
  }
  const value = reverse(section.direction);
  const receiving = receives(value) && !transceiver.stopping;
  const grew = associate(peer, transceiver, receiving ? (section.msids ?? []) : [], effects);
  if (receiving && (grew || !receives(transceiver.fired))) effects.tracks.push(transceiver);
  if (!receiving) {
    transceiver.receptive = false;
    if (receives(transceiver.fired)) effects.muted.push(transceiver.receiver.track);
  }
  transceiver.fired = value;
  if (type === 'answer') transceiver.negotiated(value);
}

/** Section 4.4.1.5, rollback: back to the last stable state, as if the offer had never been. */
function rollback(peer: PeerState, effects: Effects): void {
  for (const transceiver of [...peer.transceivers]) {
    const before = peer.snapshot?.transceivers.get(transceiver);
    const created =
      before === undefined && peer.signalingState === 'have-remote-offer' && transceiver.mid !== null;
    if (receives(transceiver.fired) && !receives(before?.fired ?? null))
      effects.muted.push(transceiver.receiver.track);
    const ids = before?.streams.map((stream) => stream.id) ?? [];
    associate(peer, transceiver, ids, effects);
    transceiver.mid = before?.mid ?? null;
    transceiver.index = before?.index ?? null;
    transceiver.fired = before?.fired ?? null;
    transceiver.receptive = before?.receptive ?? false;
    if (transceiver.mid === null) {
      transceiver.sender.transport = null;
      transceiver.receiver.transport = null;
    }
    if (created && !transceiver.fromAddTrack) {
      transceiver.finish();
      peer.transceivers = peer.transceivers.filter((each) => each !== transceiver);
    }
  }
  peer.pendingLocal = null;
  peer.pendingRemote = null;
}

function settleStable(peer: PeerState): void {
  peer.snapshot = null;
  peer.lastOffer = null;
  peer.lastAnswer = null;
  const ufrag = peer.currentLocal?.sdp.sections.find((section) => !section.rejected)?.ufrag;
  if (ufrag !== undefined && !peer.credentialsToReplace.has(ufrag)) peer.credentialsToReplace.clear();
  // A stopped transceiver leaves once its rejected section is negotiated.
  for (const each of peer.transceivers) if (each.stopped) each.mid = null;
  peer.transceivers = peer.transceivers.filter((each) => !each.stopped);
  const data = (each: Applied | null) =>
    each?.sdp.sections.some((section) => section.kind === 'application' && !section.rejected);
  if (!peer.sctp && data(peer.currentLocal) && data(peer.currentRemote))
    peer.sctp = new FakeSctpTransport(peer.dtls);
  peer.negotiationNeeded = false;
  peer.updateNegotiationNeeded();
}

function finish(peer: PeerState, state: RTCSignalingState, effects: Effects): void {
  const changed = peer.signalingState !== state;
  peer.signalingState = state;
  if (state === 'stable') settleStable(peer);
  if (changed) peer.emit('signalingstatechange');
  if (peer.closed) return;
  effects.fire(peer);
  peer.ice.described();
  peer.reflow();
}

export function applyRollback(peer: PeerState): void {
  if (peer.signalingState === 'stable') throw exception('InvalidStateError', 'nothing to roll back');
  const effects = new Effects();
  peer.network.count('rollbacks');
  rollback(peer, effects);
  finish(peer, 'stable', effects);
}

export function applyLocal(peer: PeerState, type: Applied['type'], draft: Draft): void {
  const effects = new Effects();
  takeSnapshot(peer);
  draft.sdp.sections.forEach((section, index) => {
    localSection(peer, type, section, index, draft.owners.get(section.mid), effects);
  });
  const applied: Applied = { type, sdp: draft.sdp };
  if (type === 'offer') {
    peer.pendingLocal = applied;
    finish(peer, 'have-local-offer', effects);
    return;
  }
  peer.dtlsRole ??= draft.sdp.sections.some((each) => each.setup === 'active') ? 'client' : 'server';
  peer.currentLocal = applied;
  peer.currentRemote = peer.pendingRemote;
  peer.pendingRemote = null;
  finish(peer, 'stable', effects);
}

export function applyRemote(peer: PeerState, type: Applied['type'], sdp: Sdp): void {
  checkAgainst(peer, type, sdp);
  const effects = new Effects();
  takeSnapshot(peer);
  for (const [index, section] of sdp.sections.entries()) remoteSection(peer, type, section, index, effects);
  const applied: Applied = { type, sdp };
  peer.ice.learn(sdp);
  if (type === 'offer') {
    peer.pendingRemote = applied;
    finish(peer, 'have-remote-offer', effects);
    return;
  }
  peer.dtlsRole ??= sdp.sections.some((each) => each.setup === 'active') ? 'server' : 'client';
  peer.currentRemote = applied;
  peer.currentLocal = peer.pendingLocal;
  peer.pendingLocal = null;
  finish(peer, 'stable', effects);
}
