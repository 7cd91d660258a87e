/** The negotiation-needed flag (WebRTC 1.0 section 4.7.3), step by step. */
import { intersect, reverse, sends, type Section } from './sdp.ts';
import type { PeerState } from './state.ts';
import type { FakeTransceiver } from './transceiver.ts';

function sectionOf(sections: readonly Section[] | undefined, mid: string | null): Section | undefined {
  return mid === null ? undefined : sections?.find((section) => section.mid === mid);
}

function sameStreams(section: Section, ids: readonly string[]): boolean {
  const written = section.msids;
  return written !== null && written.length === ids.length && written.every((id) => ids.includes(id));
}

function transceiverNeeds(peer: PeerState, transceiver: FakeTransceiver): boolean {
  if (transceiver.stopping && !transceiver.stopped) return true;
  const { currentLocal, currentRemote } = peer;
  const local = sectionOf(currentLocal?.sdp.sections, transceiver.mid);
  if (transceiver.stopped) {
    const remote = sectionOf(currentRemote?.sdp.sections, transceiver.mid);
    return local !== undefined && !local.rejected && !remote?.rejected;
  }
  if (!local || !currentLocal) return true;
  if (sends(transceiver.wanted) && !sameStreams(local, transceiver.sender.streamIds)) return true;
  const remote = sectionOf(currentRemote?.sdp.sections, transceiver.mid);
  if (currentLocal.type === 'offer') {
    const remoteDirection = remote ? reverse(remote.direction) : null;
    return local.direction !== transceiver.wanted && remoteDirection !== transceiver.wanted;
  }
  const offered = remote ? reverse(remote.direction) : 'inactive';
  return local.direction !== intersect(transceiver.wanted, offered);
}

export function isNegotiationNeeded(peer: PeerState): boolean {
  if (peer.credentialsToReplace.size > 0) return true;
  const sections = peer.currentLocal?.sdp.sections ?? [];
  const data = sections.some((section) => section.kind === 'application' && !section.rejected);
  if (peer.channels.everCreated && !data) return true;
  return peer.transceivers.some((transceiver) => transceiverNeeds(peer, transceiver));
}

export function updateNegotiationNeeded(peer: PeerState): void {
  if (!peer.operations.empty) {
    peer.operations.updateOnEmpty = true;
    return;
  }
  const { scheduler, owner } = peer.scope;
  scheduler.schedule('work', 0, owner, () => {
    if (peer.closed) return;
    if (!peer.operations.empty) {
      peer.operations.updateOnEmpty = true;
      return;
    }
    // Becoming stable runs this again.
    if (peer.signalingState !== 'stable') return;
    if (!isNegotiationNeeded(peer)) {
      peer.negotiationNeeded = false;
      return;
    }
    if (peer.negotiationNeeded) return;
    peer.negotiationNeeded = true;
    peer.emit('negotiationneeded');
  });
}
