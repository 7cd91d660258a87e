/** One connection's ICE agent: credentials, gathering, what it knows of the other side, and the states it shows. */
import { eventWith } from '../events.ts';
import {
  FakeIceCandidate,
  makeCandidate,
  type Candidate,
  type CandidateType,
  type Credentials,
} from './candidates.ts';
import type { Sdp, Section } from './sdp.ts';
import type { Applied, PeerState } from './state.ts';
import type { SelectedPair } from './transports.ts';

/** ICE gives up on a check that never succeeds; notices a dead path; declares it failed. Virtual milliseconds. */
const CHECK_LIMIT = 15_000;
const DISCONNECTED_AFTER = 5_000;
const FAILED_AFTER = 15_000;

interface Generation {
  readonly credentials: Credentials;
  readonly candidates: Candidate[];
  done: boolean;
}

function firstLive(applied: Applied | null): Section | undefined {
  return applied?.sdp.sections.find((section) => !section.rejected);
}

export class IceAgent {
  state: RTCIceConnectionState = 'new';
  gathering: RTCIceGatheringState = 'new';
  connection: RTCPeerConnectionState = 'new';
  /** Both sides' credentials, once an offer was answered. */
  agreed: { readonly local: Credentials; readonly remote: Credentials; readonly print: string } | null = null;
  selected: SelectedPair | null = null;
  /** The agent at the other end of the working pair, and the generation that found it. */
  other: IceAgent | null = null;
  joined = '';
  relayed = false;
  /** It neither gathers nor checks any more. */
  stuck = false;
  private fresh: Credentials | null = null;
  private readonly generations = new Map<string, Generation>();
  private readonly remotes = new Map<string, Candidate[]>();
  private readonly timers = new Set<() => void>();

  constructor(readonly peer: PeerState) {}

  /** The credentials of the next offer: new ones for the first, for a restart, and after a first offer was rolled back. */
  offerCredentials(restart: boolean): Credentials {
    const known = firstLive(this.peer.local);
    const replace = restart || (known !== undefined && this.peer.credentialsToReplace.has(known.ufrag));
    if (known && !replace) return { ufrag: known.ufrag, pwd: known.pwd };
    return (this.fresh ??= this.newCredentials());
  }

  /** An answer restarts when the offer did, and never by itself (RFC 8839 section 4.4.1.1). */
  answerCredentials(): Credentials {
    const [before, now] = [firstLive(this.peer.currentRemote), firstLive(this.peer.pendingRemote)];
    const own = firstLive(this.peer.currentLocal);
    if (own && before && before.ufrag === now?.ufrag) return { ufrag: own.ufrag, pwd: own.pwd };
    return (this.fresh ??= this.newCredentials());
  }

  gathered(ufrag: string): { lines: string[]; done: boolean } {
    const generation = this.generations.get(ufrag);
    return { lines: generation?.candidates.map((each) => each.line) ?? [], done: generation?.done ?? false };
  }

  isOwn(candidate: Candidate, ufrag: string): boolean {
    const own = this.generations.get(ufrag)?.candidates ?? [];
    return own.some((each) => each.address === candidate.address && each.port === candidate.port);
  }

  known(ufrag: string): readonly Candidate[] {
    return this.remotes.get(ufrag) ?? [];
  }

  learnCandidate(ufrag: string, candidate: Candidate): void {
    const list = this.remotes.get(ufrag) ?? [];
    this.remotes.set(ufrag, [...list, candidate]);
    this.peer.network.evaluate(this);
  }

  /** Candidates that a remote description carries. */
  learn(sdp: Sdp): void {
    for (const section of sdp.sections) {
      for (const line of section.candidates) {
        const found = this.peer.network.parse(line);
        if (found) this.remotes.set(section.ufrag, [...this.known(section.ufrag), found.candidate]);
      }
    }
  }

  /** The descriptions changed: gather for a new local generation, and agree on credentials once stable. */
  described(): void {
    const { peer } = this;
    const local = firstLive(peer.local);
    if (local && !this.generations.has(local.ufrag)) {
      this.fresh = null;
      this.gather({ ufrag: local.ufrag, pwd: local.pwd });
    }
    if (!local && this.gathering !== 'new') this.moveGathering('new');
    if (peer.signalingState !== 'stable') return;
    const [own, remote] = [firstLive(peer.currentLocal), firstLive(peer.currentRemote)];
    if (!own || !remote) return;
    if (this.agreed?.local.ufrag !== own.ufrag || this.agreed.remote.ufrag !== remote.ufrag) {
      this.agreed = {
        local: { ufrag: own.ufrag, pwd: own.pwd },
        remote: { ufrag: remote.ufrag, pwd: remote.pwd },
        print: remote.fingerprint,
      };
      peer.iceTransport.role = peer.dtlsRole === 'server' ? 'controlling' : 'controlled';
      if (this.joined) peer.network.count('ICE restarts');
      this.expectPair();
    }
    peer.network.evaluate(this);
    peer.network.openData(this);
  }

  /** A new generation has to find its pair in time; a path that works goes on working meanwhile, unannounced. */
  private expectPair(): void {
    const working = this.state === 'connected' && this.peer.network.isUp(this);
    this.clearTimers();
    if (!working && this.state !== 'new') this.move('checking');
    this.later(CHECK_LIMIT, () => this.move('failed'));
  }

  startChecking(): void {
    if (this.stuck) return;
    if (this.state === 'new') this.move('checking');
  }

  connected(other: IceAgent, generation: string, pair: SelectedPair, relayed: boolean): void {
    this.clearTimers();
    this.other = other;
    this.joined = generation;
    this.selected = pair;
    this.relayed = relayed;
    this.startChecking();
    this.peer.iceTransport.select(pair);
    this.move('connected');
  }

  /** Nothing comes through any more: noticed by missing consent (RFC 7675), then declared. */
  interrupted(): void {
    if (this.state !== 'connected' && this.state !== 'disconnected') return;
    this.clearTimers();
    const { random } = this.peer.scope;
    this.later(DISCONNECTED_AFTER + random.between(-500, 500), () => {
      if (this.state === 'connected') this.move('disconnected');
    });
    this.later(FAILED_AFTER + random.between(-1000, 1000), () => this.move('failed'));
  }

  resumed(): void {
    if (this.state !== 'connected' && this.state !== 'disconnected') return;
    this.clearTimers();
    if (this.state === 'connected') return;
    const { scheduler, owner } = this.peer.scope;
    scheduler.soon(owner, [100, 2500], () => {
      if (this.state === 'disconnected' && this.peer.network.isUp(this)) this.move('connected');
    });
  }

  move(state: RTCIceConnectionState): void {
    if (this.peer.closed || this.state === state) return;
    this.state = state;
    if (state === 'failed' || state === 'disconnected') this.peer.network.count(`ICE ${state}`);
    this.peer.iceTransport.state = state;
    this.peer.iceTransport.emit('statechange');
    this.peer.emit('iceconnectionstatechange');
    this.update();
  }

  /** The combined state of ICE and DTLS (section 4.3.3). */
  update(): void {
    const { peer } = this;
    if (peer.closed) return;
    const dtls = peer.dtls.state;
    let next: RTCPeerConnectionState = 'connecting';
    if (this.state === 'failed' || dtls === 'failed') next = 'failed';
    else if (this.state === 'disconnected') next = 'disconnected';
    else if (this.state === 'new') next = 'new';
    else if (this.state === 'connected' && (dtls === 'connected' || dtls === 'closed')) next = 'connected';
    if (next === this.connection) return;
    this.connection = next;
    peer.emit('connectionstatechange');
  }

  close(): void {
    this.clearTimers();
    this.state = 'closed';
    this.connection = 'closed';
    this.peer.iceTransport.state = 'closed';
  }

  private newCredentials(): Credentials {
    const { random } = this.peer.scope;
    return { ufrag: random.text(4), pwd: random.text(24) };
  }

  private later(ms: number, callback: () => void): void {
    const { scheduler, owner } = this.peer.scope;
    const cancel = scheduler.schedule('timer', ms, owner, () => {
      this.timers.delete(cancel);
      callback();
    });
    this.timers.add(cancel);
  }

  private clearTimers(): void {
    for (const cancel of this.timers) cancel();
    this.timers.clear();
  }

  private moveGathering(state: RTCIceGatheringState): void {
    if (this.peer.closed || this.gathering === state) return;
    this.gathering = state;
    this.peer.iceTransport.gatheringState = state;
    this.peer.emit('icegatheringstatechange');
  }

  /** The section that carries the transport, in whichever local description holds this generation. */
  private holders(ufrag: string): { section: Section; index: number }[] {
    const found = [this.peer.pendingLocal, this.peer.currentLocal].map((applied) => {
      const index = applied?.sdp.sections.findIndex((each) => !each.rejected) ?? -1;
      const section = applied?.sdp.sections[index];
      return section?.ufrag === ufrag ? { section, index } : null;
    });
    return found.filter((each) => each !== null);
  }

  private gather(credentials: Credentials): void {
    const generation: Generation = { credentials, candidates: [], done: false };
    this.generations.set(credentials.ufrag, generation);
    const { scope, network, configuration } = this.peer;
    const types = network.candidateTypes(configuration);
    const step = (task: () => void): void => {
      scope.scheduler.soon(scope.owner, scope.delays.gather, () => !this.peer.closed && task());
    };
    const next = (rest: readonly CandidateType[]): void => {
      const [type, ...others] = rest;
      if (!type) step(() => this.gatheringDone(generation));
      else {
        step(() => {
          this.found(generation, type);
          next(others);
        });
      }
    };
    scope.scheduler.schedule('work', 0, scope.owner, () => {
      if (!this.peer.closed && this.holders(credentials.ufrag).length > 0) this.moveGathering('gathering');
    });
    next(types);
  }

  private found(generation: Generation, type: CandidateType): void {
    if (this.stuck) return;
    const { scope, network } = this.peer;
    const { ufrag } = generation.credentials;
    // The offer it belongs to was rolled back: such candidates are never announced.
    const holders = this.holders(ufrag);
    const [holder] = holders;
    if (!holder) return;
    const { address, port } = network.address(scope.owner, type);
    const suffix = scope.flavour === 'chromium' ? ` generation 0 ufrag ${ufrag} network-id 1` : '';
    const candidate = makeCandidate(type, address, port, suffix);
    generation.candidates.push(candidate);
    for (const { section } of holders) {
      if (!section.candidates.includes(candidate.line))
        section.candidates = [...section.candidates, candidate.line];
    }
    this.announce(new FakeIceCandidate(candidate, holder.section.mid, holder.index, ufrag));
  }

  private gatheringDone(generation: Generation): void {
    if (this.stuck) return;
    const { ufrag } = generation.credentials;
    generation.done = true;
    const holders = this.holders(ufrag);
    const [holder] = holders;
    if (!holder) return;
    for (const { section } of holders) section.ended = true;
    // Firefox announces the end of each generation by an empty candidate, Chromium does not.
    if (this.peer.scope.flavour === 'firefox') {
      this.announce(new FakeIceCandidate(null, holder.section.mid, holder.index, ufrag));
    }
    this.moveGathering('complete');
    this.announce(null);
  }

  private announce(candidate: FakeIceCandidate | null): void {
    this.peer.emit(eventWith('icecandidate', { candidate }));
  }
}
