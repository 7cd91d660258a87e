/** Bugs to be put into the core on purpose: a simulator that finds none of them would find nothing. */
import { Roster } from '../../../src/core/call/roster.ts';
import { Chat } from '../../../src/core/chat/chat.ts';
import { Files } from '../../../src/core/files/files.ts';
import { Incoming } from '../../../src/core/files/incoming.ts';
import { ScreenShare } from '../../../src/core/media/screen-share.ts';
import { WebSocketSignaling } from '../../../src/core/signaling/websocket.ts';
import { Health } from '../../../src/core/transport/mesh/health.ts';
import { MeshTransport } from '../../../src/core/transport/mesh/mesh-transport.ts';
import { PeerLink } from '../../../src/core/transport/mesh/peer-link.ts';
import type { Signal } from '../../../src/core/transport/transport.ts';

/** Replaces a method; the answer puts it back. */
function replace<T extends object, K extends keyof T>(target: T, name: K, make: (original: T[K]) => T[K]) {
  const original = target[name];
  target[name] = make(original);
  return (): void => void (target[name] = original);
}

const nothing = (): void => undefined;

/** Each puts one bug in; the answer takes it out. */
export const SABOTAGE = {
  'an offer that was lost is never sent again': () => replace(PeerLink.prototype, 'resend', () => nothing),
  'nobody is told to leave': () => replace(Roster.prototype, 'left', () => nothing),
  'a connection that failed is not repaired': () => {
    // Its silence is noticed as well.
    const undo = [
      replace(Health.prototype, 'connection', () => nothing),
      replace(Health.prototype, 'reading', () => nothing),
    ];
    return () => undo.forEach((each) => each());
  },
  'what one says of oneself reaches newcomers alone': () =>
    replace(
      MeshTransport.prototype,
      'announce',
      (announce) =>
        function (this: MeshTransport, message) {
          // With the links out of reach, only what is told later is changed.
          const undo = replace(PeerLink.prototype, 'tell', () => () => false);
          announce.call(this, message);
          undo();
        },
    ),
  'an offer of a dead connection is answered by a new one': () =>
    replace(
      MeshTransport.prototype,
      'receive',
      (receive) =>
        function (this: MeshTransport, from: string, signal: Signal) {
          receive.call(this, from, signal.kind === 'offer' ? { ...signal, offer: 1 } : signal);
        },
    ),
  'a socket is forgotten': () => replace(WebSocketSignaling.prototype, 'close', () => nothing),
  'a data channel that does not open is put up with': () =>
    replace(Health.prototype, 'awaitChannel', () => nothing),
  'a share that was ended goes on': () => replace(ScreenShare.prototype, 'stop', () => nothing),
  'what was said without an echo is not said again': () => replace(Chat.prototype, 'flush', () => nothing),
  'what the relay lost is lost': () => replace(Chat.prototype, 'copied', () => nothing),
  'what is told directly is told out of order': () =>
    replace(
      Chat.prototype,
      'copied',
      (copied) =>
        function (this: Chat, from, copy) {
          const said = copy['said'] as unknown[];
          copied.call(this, from, { ...copy, said: [...said].reverse() });
        },
    ),
  'a receiver of files never says how far it is': () => replace(Incoming.prototype, 'say', () => nothing),
  'a file that the sender has forgotten is waited for': () =>
    replace(Incoming.prototype, 'stop', () => nothing),
  'another file is sent than was chosen': () =>
    replace(
      Files.prototype,
      'send',
      (send) =>
        function (this: Files, file, peers) {
          return send.call(this, new File([new Uint8Array(file.size)], (file as File).name), peers);
        },
    ),
} as const satisfies Record<string, () => () => void>;

export type Sabotage = keyof typeof SABOTAGE;
