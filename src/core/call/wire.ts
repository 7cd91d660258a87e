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

/**
 * Where a server may drop what it does not know, a description itself names the connection and its own numbers: browsers
 * skip the line.
 */
const MARK = /^a=x-pm:(?<conn>\S+)(?: (?<offer>\d+) (?<seq>\d+))?/m;

/** @param marked what the server may drop goes inside the description as well */
export function fromSignal(room: string, to: string, signal: Signal, marked: boolean): ClientMessage {
  const { kind, payload: given, ...ids } = signal;
  const { conn, offer, seq } = ids;
  const payload = marked && conn ? given.replace(/^m=/m, `a=x-pm:${conn} ${offer} ${seq}\r\nm=`) : given;
  return kind === 'candidate'
    ? { type: 'webrtc.iceCandidate', room, data: { candidate: payload, to, ...ids } }
    : { type: `webrtc.${kind}`, room, data: { sdp: payload, to, ...ids } };
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && value >= 0;

export function toSignal({ type, data }: Extract<RelayMessage, { type: `webrtc.${string}` }>): Signal {
  const isCandidate = type === 'webrtc.iceCandidate';
  const payload = isCandidate ? data.candidate : data.sdp;
  const mark = MARK.exec(payload)?.groups;
  const { conn, offer, seq } = mark
    ? { conn: mark['conn'], offer: Number(mark['offer']), seq: Number(mark['seq']) }
    : data;
  return {
    kind: isCandidate ? 'candidate' : type === 'webrtc.offer' ? 'offer' : 'answer',
    payload,
    ...(conn === undefined ? {} : { conn }),
    ...(isNumber(offer) ? { offer } : {}),
    ...(isNumber(seq) ? { seq } : {}),
  };
}
