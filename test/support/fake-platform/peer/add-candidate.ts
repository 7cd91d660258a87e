/** addIceCandidate (WebRTC 1.0 section 4.4.1.7). */
import { exception } from '../errors.ts';
import { parseCandidate } from './candidates.ts';
import type { PeerState } from './state.ts';

function apply(peer: PeerState, init: RTCIceCandidateInit): void {
  const { candidate: line = '', sdpMid = null, sdpMLineIndex = null, usernameFragment = null } = init;
  const remote = peer.remote;
  if (!remote) throw exception('InvalidStateError', 'The remote description was null');
  const { sections } = remote.sdp;
  let section = sections.find((each) => !each.rejected);
  if (sdpMid !== null) {
    section = sections.find((each) => each.mid === sdpMid);
    if (!section) throw exception('OperationError', `no section of mid ${sdpMid}`);
  } else if (sdpMLineIndex !== null) {
    section = sections[sdpMLineIndex];
    if (!section) throw exception('OperationError', `no section at ${sdpMLineIndex}`);
  }
  const found = line === '' ? null : parseCandidate(line);
  if (line !== '' && !found) throw exception('OperationError', 'Error processing ICE candidate');
  const ufrag = usernameFragment ?? found?.ufrag ?? null;
  const applied = [peer.pendingRemote, peer.currentRemote].flatMap((each) => each?.sdp.sections ?? []);
  const mids = section && (sdpMid !== null || sdpMLineIndex !== null) ? [section.mid] : null;
  const fitting = applied.filter((each) => !each.rejected && (!mids || mids.includes(each.mid)));
  if (ufrag !== null && !fitting.some((each) => each.ufrag === ufrag)) {
    throw exception('OperationError', `Unknown ufrag (${ufrag})`);
  }
  const target = fitting.find((each) => ufrag === null || each.ufrag === ufrag);
  if (!target) return;
  // An empty line is the end of candidates: nothing more to check against.
  if (!found) target.ended = true;
  else {
    target.candidates = [...target.candidates, line];
    peer.ice.learnCandidate(target.ufrag, found.candidate);
  }
}

export function addIceCandidate(peer: PeerState, candidate?: RTCIceCandidateInit | null): Promise<void> {
  const init = candidate ?? {};
  if (
    (init.candidate ?? '') !== '' &&
    (init.sdpMid ?? null) === null &&
    (init.sdpMLineIndex ?? null) === null
  ) {
    return Promise.reject(new TypeError('Candidate missing values for both sdpMid and sdpMLineIndex'));
  }
  return peer.operations.chain(async () => {
    if (!peer.remote) throw exception('InvalidStateError', 'The remote description was null');
    const { scheduler, owner, delays } = peer.scope;
    await scheduler.promise(owner, delays.candidate, () => {
      if (!peer.closed) apply(peer, init);
    });
  });
}
