/** Who is in the room, from what the relay says and from what the connections say. */
import type { Platform } from '../platform.ts';
import type { User } from '../protocol/index.ts';
import {
  asRole,
  newParticipant,
  participant,
  SOURCE_NAMES,
  type CallState,
  type Reason,
  type SourceName,
} from '../state/call-state.ts';
import type { Action } from '../state/reducer.ts';
import type { MediaStates, MediaTransport, PeerInfo } from '../transport/transport.ts';
import { Scope } from '../util/scope.ts';
import { readMedia, readRecording } from './facts.ts';

/** An original client's microphone toggle leaves and rejoins at once: absence counts after this long (ms). */
const ABSENCE = 300;
/** How long somebody whom the relay does not know any more may take to be heard of again (ms). */
const PATIENCE = 20_000;

export interface RosterEnvironment {
  readonly platform: Platform;
  readonly transport: MediaTransport;
  readonly dispatch: (action: Action) => void;
  readonly state: () => CallState;
  readonly maxPeers: () => number;
  /** Whether the relay can be asked; without it a closed connection is the only word there is. */
  readonly relayOpen: () => boolean;
  readonly onPeer: (peer: PeerInfo) => void;
}

interface Member {
  peer: PeerInfo;
  media: MediaStates | null;
  readonly streams: Partial<Record<SourceName, MediaStream | null>>;
  /** In the relay's last list, or missing there for less than a microphone toggle takes. */
  listed: boolean;
  /** Ends the wait for somebody who is not connected. */
  doubt: (() => void) | null;
}

export class Roster {
  readonly #env: RosterEnvironment;

  readonly #members = new Map<string, Member>();
  readonly #scope = new Scope();
  /** The relay's last list. */
  #present: ReadonlySet<string> | null = null;
  #selfId = '';
  #seq = 0;
  /** Whoever wanted to come back to the relay that we are at has had the time for it. */
  #late = false;

  constructor(env: RosterEnvironment) {
    this.#env = env;

    const { transport, dispatch } = env;
    for (const stop of [
      transport.on('link', ({ id, state }) => {
        dispatch({ type: 'update', id, patch: { link: state } });
        const connected = state === 'connected';
        if (!connected) this.sweep();
        const member = this.#members.get(id);
        if (!member) return;
        if (connected) {
          member.doubt?.();
          member.doubt = null;
        } else
          member.doubt ??= this.#scope.after(env.platform, PATIENCE, () => {
            member.doubt = null;
            this.sweep(this.#late);
          });
      }),
      transport.on('stats', ({ id, stats }) =>
        dispatch({ type: 'update', id, patch: { path: stats.path.kind } }),
      ),
      transport.on('message', ({ id, message }) => {
        const media = readMedia(message);
        if (media) this.#update(id, (member) => (member.media = media));
        const recording = readRecording(message);
        if (recording !== null) dispatch({ type: 'update', id, patch: { recording } });
      }),
      transport.on('track', ({ id, source, stream }) =>
        this.#update(id, (member) => (member.streams[source] = stream)),
      ),
      transport.on('bye', ({ id }) => this.#closed(id)),
    ]) {
      this.#scope.add(stop);
    }
  }

  /** Who we are: our id, and our place in the order of joining; negative where the server knows no such thing. */
  identify(selfId: string, seq: number): void {
    this.#selfId = selfId;
    this.#seq = seq;
    this.#late = false;
  }

  /**
   * The relay's newest list. Absence from it ends nothing by itself where members are named when they go.
   * @param dealt who was given which prepared offer
   */
  list(users: readonly User[], dealt: ReadonlyMap<string, string> = new Map()): void {
    const present = new Set(users.map(({ userID }) => userID));
    for (const [id, member] of this.#members)
      member.listed = present.has(id) || (member.listed && !member.peer.ext);
    for (const user of users) {
      if (user.userID !== this.#selfId) this.#meet(user, dealt.get(user.userID));
    }
    this.#present = present;
    this.#scope.after(this.#env.platform, ABSENCE, () => {
      if (this.#present !== present) return;
      for (const [id, member] of this.#members) member.listed = present.has(id);
      this.sweep();
    });
  }

  /** Whether somebody with an original client is in the room. */
  get plain(): boolean {
    return [...this.#members.values()].some(({ peer }) => !peer.ext);
  }

  /** The relay names somebody gone. */
  left(id: string, reason: Reason): void {
    this.#remove(id, reason);
  }

  /**
   * Gives up whoever is neither listed nor connected. Our own clients may be on their way back to a relay that was
   * restarted: until they have had their time (`late`) only a failed connection ends them.
   */
  sweep(late = false): void {
    this.#late ||= late;
    if (!this.#env.relayOpen()) return;
    for (const [id, { listed, peer }] of this.#members) {
      const link = this.#linkOf(id);
      if (listed || link === 'connected') continue;
      if (late || link === 'failed' || !peer.ext) this.#remove(id, 'relay-gone');
    }
  }

  end(): void {
    this.#scope.end();
    this.#members.clear();
    this.#env.dispatch({ type: 'clear' });
  }

  #meet(user: User, conn: string | undefined): void {
    const { transport, dispatch } = this.#env;
    const id = user.userID;
    const name = user.username;
    const role = asRole(user.role);
    const peer = this.#peerInfo(user);
    const known = this.#members.get(id);
    if (known) {
      // Whoever's place was given up meanwhile has come anew, and the order of joining with it.
      known.peer = peer;
      dispatch({ type: 'update', id, patch: { name, role } });
    } else {
      if (this.#members.size >= this.#env.maxPeers()) return;
      this.#members.set(id, { peer, media: null, streams: {}, listed: true, doubt: null });
      dispatch({ type: 'add', participant: newParticipant({ id, name, role, self: false }) });
      this.#env.onPeer(peer);
    }
    if (conn) transport.assign(conn, peer);
    else transport.connect(peer, !this.#present?.has(id));
  }

  #peerInfo(user: User): PeerInfo {
    const ext = user.ext === 1 || (this.#seq < 0 ? null : false);
    // Both of these orders are the protocol's; the second one is the original's own comparison. A page's first one
    // takes tens of milliseconds (the language's rules are loaded): it is made where it counts.
    const polite = () => this.#selfId.localeCompare(user.userID) > 0;
    return {
      id: user.userID,
      ext,
      get polite() {
        return polite();
      },
      initiator: ext ? this.#seq > (user.seq ?? 0) : !polite(),
    };
  }

  #closed(id: string): void {
    this.#env.dispatch({ type: 'update', id, patch: { link: 'interrupted' } });
    const member = this.#members.get(id);
    if (member && (!this.#env.relayOpen() || !member.listed)) this.#remove(id, 'user');
  }

  #remove(id: string, reason: Reason): void {
    this.#members.get(id)?.doubt?.();
    if (!this.#members.delete(id)) return;
    this.#env.transport.disconnect(id);
    this.#env.dispatch({ type: 'remove', id, reason });
  }

  #update(id: string, change: (member: Member) => void): void {
    const member = this.#members.get(id);
    if (!member) return;
    change(member);
    for (const source of SOURCE_NAMES) {
      const stream = member.streams[source] ?? null;
      const state = member.media?.[source] ?? this.#unspoken(member, stream);
      const silent = state === 'off' || state === 'lost';
      this.#env.dispatch({ type: 'source', id, source, value: { state, stream: silent ? null : stream } });
    }
  }

  /** What a source is while the peer has said nothing of it: ours will in a moment, a plain one never does. */
  #unspoken({ peer }: Member, stream: MediaStream | null): 'off' | 'pending' | 'on' {
    if (!stream) return 'off';
    return peer.ext ? 'pending' : 'on';
  }

  #linkOf(id: string): string | undefined {
    return participant(this.#env.state(), id)?.link;
  }
}
