/** How long each asynchronous step takes, in virtual milliseconds: the seed draws from these ranges. */
export type Range = readonly [low: number, high: number];

export interface Delays {
  /** createOffer, createAnswer, setLocalDescription, setRemoteDescription. */
  readonly sdp: Range;
  readonly candidate: Range;
  readonly gather: Range;
  /** From matching credentials and a known candidate to a working pair. */
  readonly check: Range;
  readonly dtls: Range;
  /** One way between two connected peers. */
  readonly path: Range;
  readonly replaceTrack: Range;
  readonly capture: Range;
  readonly socketOpen: Range;
  /** One way between a socket and its server. */
  readonly socket: Range;
  readonly fetch: Range;
  /** Small computations: a digest, a certificate, statistics. */
  readonly compute: Range;
}

export const DEFAULT_DELAYS: Delays = {
  sdp: [0.2, 8],
  candidate: [0.1, 2],
  gather: [0.5, 25],
  check: [2, 50],
  dtls: [2, 40],
  path: [1, 30],
  replaceTrack: [0.1, 4],
  capture: [5, 80],
  socketOpen: [5, 60],
  socket: [1, 40],
  fetch: [5, 80],
  compute: [0.1, 3],
};
