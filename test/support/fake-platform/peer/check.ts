/** What makes a description unacceptable here and now (RFC 9429 sections 5.5 to 5.8). */
import { exception } from '../errors.ts';
import type { Sdp } from './sdp.ts';
import type { Applied, PeerState } from './state.ts';

const ALLOWED: Record<'local' | 'remote', Record<Applied['type'], readonly RTCSignalingState[]>> = {
  local: { offer: ['stable', 'have-local-offer'], answer: ['have-remote-offer', 'have-local-pranswer'] },
  remote: { offer: ['stable', 'have-remote-offer'], answer: ['have-local-offer', 'have-remote-pranswer'] },
};

export function isAllowed(peer: PeerState, side: 'local' | 'remote', type: Applied['type']): boolean {
  return ALLOWED[side][type].includes(peer.signalingState);
}

export function requireState(peer: PeerState, side: 'local' | 'remote', type: Applied['type']): void {
  if (isAllowed(peer, side, type)) return;
  throw exception('InvalidStateError', `Called in wrong state: ${peer.signalingState} (${side} ${type})`);
}

/** Sections keep their place and their kind for the life of a connection; an answer mirrors its offer. */
export function checkAgainst(peer: PeerState, type: Applied['type'], sdp: Sdp): void {
  const invalid = (message: string) => exception('InvalidAccessError', message);
  const { sections } = sdp;
  const prints = new Set(sections.filter((each) => !each.rejected).map((each) => each.fingerprint));
  if (prints.size > 1) throw invalid('several fingerprints in one bundle');
  if (type === 'answer') {
    const offered = peer.pendingLocal?.sdp.sections ?? [];
    if (offered.length !== sections.length)
      throw invalid('the answer has another number of sections than the offer');
    for (const [index, section] of sections.entries()) {
      const match = offered[index];
      if (match?.kind !== section.kind || match.mid !== section.mid) {
        throw invalid("the order of sections in the answer doesn't match the offer");
      }
      if (match.rejected && !section.rejected) throw invalid('the answer accepts a rejected section');
    }
    if (sections.some((each) => !each.rejected && each.setup === 'actpass'))
      throw invalid('an answer cannot be actpass');
    return;
  }
  const before = peer.currentRemote?.sdp.sections ?? [];
  if (sections.length < before.length) throw invalid('fewer sections than before');
  for (const [index, old] of before.entries()) {
    const section = sections[index];
    const recycled = old.rejected || (peer.currentLocal?.sdp.sections[index]?.rejected ?? false);
    if (!recycled && (section?.mid !== old.mid || section.kind !== old.kind)) {
      throw invalid("the order of sections in the offer doesn't match the previous one");
    }
  }
}
