/** Between what a call means and what goes over the wire. */
import {
  encode,
  LIMITS,
  REASONS,
  type ClientMessage,
  type JoinOffer,
  type RelayMessage,
} from '../protocol/index.ts';
import type { Reason } from '../state/call-state.ts';
import type { PreparedOffer, Signal } from '../transport/transport.ts';
import type { CallOptions } from './types.ts';

/** Room that the rest of a `chat.join` frame needs beside the offers, in bytes. */
const JOIN_OVERHEAD = 2_048;

export const asReason = (text: string): Reason => REASONS.find((reason) => reason === text) ?? 'user';

/** As many of the offers as one frame can carry. */
function fitting(offers: readonly PreparedOffer[]): JoinOffer[] {
  let room = LIMITS.frameBytes - JOIN_OVERHEAD;
  return offers
    .filter((offer) => (room -= encode({ type: '', data: offer }).length) > 0)
    .map((offer) => ({ ...offer }));
}

/** What an extended client says as it joins. */
export function joinData({ displayName, maxPeers }: CallOptions, offers: readonly PreparedOffer[]) {
  return {
    capacity: maxPeers + 1,
    offers: fitting(offers),
    ...(displayName ? { username: displayName } : {}),
  };
}

export function fromSignal(room: string, to: string, { kind, payload, ...ids }: Signal): ClientMessage {
  return kind === 'candidate'
    ? { type: 'webrtc.iceCandidate', room, data: { candidate: payload, to, ...ids } }
    : { type: `webrtc.${kind}`, room, data: { sdp: payload, to, ...ids } };
}

export function toSignal(message: Extract<RelayMessage, { type: `webrtc.${string}` }>): Signal {
  const { conn, offer } = message.data;
  const ids = { ...(conn === undefined ? {} : { conn }), ...(typeof offer === 'number' ? { offer } : {}) };
  if (message.type === 'webrtc.iceCandidate')
    return { kind: 'candidate', payload: message.data.candidate, ...ids };
  return { kind: message.type === 'webrtc.offer' ? 'offer' : 'answer', payload: message.data.sdp, ...ids };
}
