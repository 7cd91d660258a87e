/**
 * What lies between the connections of one world: which agents reach each other, the DTLS association on top, and
 * what flows over it. An association belongs to two connections for life: a connection made anew gets no media from
 * a partner that kept its old one.
 */
import type { Random } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import { parseCandidate, type Candidate, type CandidateType } from './candidates.ts';
import type { IceAgent } from './ice-agent.ts';
import { receives, sends } from './sdp.ts';
import type { PeerState } from './state.ts';
import type { SelectedPair } from './transports.ts';

/** `direct`: only a path through a TURN server is left. */
export type Cut = 'all' | 'direct';

function pairKey(left: string, right: string): string {
  return [left, right].sort().join(' | ');
}

export class Network {
  readonly peers = new Set<PeerState>();
  /** How often something happened that no interface of a browser counts: rollbacks, restarts, failures. */
  readonly tally = new Map<string, number>();
  private readonly cuts = new Map<string, Cut>();
  /** Between whom no data channel comes up, although everything else does. */
  private readonly deaf = new Set<string>();
  private readonly checking = new Set<string>();
  private readonly hosts = new Map<string, number>();
  private readonly associations = new Map<IceAgent, IceAgent>();
  private nextPort = 40_000;

  constructor(
    readonly scheduler: Scheduler,
    readonly random: Random,
  ) {}

  parse = parseCandidate;

  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  address(owner: string, type: CandidateType): { address: string; port: number } {
    const host = this.hosts.get(owner) ?? this.hosts.size + 1;
    this.hosts.set(owner, host);
    const net = { host: '10.0.0', srflx: '198.51.100', relay: '203.0.113' }[type];
    return { address: `${net}.${host}`, port: (this.nextPort += 1) };
  }

  candidateTypes(configuration: RTCConfiguration): CandidateType[] {
    const urls = (configuration.iceServers ?? []).flatMap((server) => server.urls);
    const relay: CandidateType[] = urls.some((url) => /^turns?:/.test(url)) ? ['relay'] : [];
    if (configuration.iceTransportPolicy === 'relay') return relay;
    const reflexive: CandidateType[] = urls.some((url) => /^stuns?:/.test(url)) ? ['srflx'] : [];
    return ['host', ...reflexive, ...relay];
  }

  cut(left: string, right: string, what: Cut): void {
    this.cuts.set(pairKey(left, right), what);
    this.changed(left, right);
  }

  mend(left: string, right: string): void {
    this.cuts.delete(pairKey(left, right));
    this.changed(left, right);
  }

  /** Connections that come up from now on carry no data, until `hear`. */
  deafen(left: string, right: string): void {
    this.deaf.add(pairKey(left, right));
  }

  hear(left: string, right: string): void {
    this.deaf.delete(pairKey(left, right));
  }

  /** Data dies on the connections between two participants; media goes on. @returns whether there were any */
  loseData(left: string, right: string): boolean {
    const key = pairKey(left, right);
    const found = [...this.peers].filter(
      ({ ice, scope }) =>
        this.carries(ice) && pairKey(scope.owner, ice.other?.peer.scope.owner ?? '') === key,
    );
    for (const { channels } of found) channels.die();
    return found.length > 0;
  }

  private changed(left: string, right: string): void {
    for (const peer of this.peers) {
      const { other } = peer.ice;
      if (peer.scope.owner !== left && peer.scope.owner !== right) continue;
      this.evaluate(peer.ice);
      if (!other || pairKey(peer.scope.owner, other.peer.scope.owner) !== pairKey(left, right)) continue;
      if (this.isUp(peer.ice)) peer.ice.resumed();
      else peer.ice.interrupted();
      this.reflow(peer);
      // SCTP goes on asking for its association as long as nobody answers.
      this.openData(peer.ice);
      peer.channels.drain();
    }
  }

  /** Packets get from this agent to the one at the other end of its pair. */
  isUp(agent: IceAgent): boolean {
    const { other } = agent;
    if (!other || agent.peer.closed || other.peer.closed) return false;
    const cut = this.cuts.get(pairKey(agent.peer.scope.owner, other.peer.scope.owner));
    return cut === undefined || (cut === 'direct' && agent.relayed);
  }

  /** DTLS is up at both ends and belongs together: media and data get through. */
  carries(agent: IceAgent): boolean {
    const { other } = agent;
    if (!other || other.other !== agent || this.associations.get(agent) !== other) return false;
    const up = (each: IceAgent) =>
      each.peer.dtls.state === 'connected' &&
      (each.state === 'connected' || each.state === 'disconnected' || each.state === 'checking');
    return up(agent) && up(other) && this.isUp(agent) && this.isUp(other);
  }

  private counterpart(agent: IceAgent): IceAgent | null {
    const { agreed } = agent;
    if (!agreed || agent.stuck) return null;
    for (const { ice, closed } of this.peers) {
      if (closed || ice.stuck || ice === agent || ice.agreed?.local.ufrag !== agreed.remote.ufrag) continue;
      const mirrored =
        ice.agreed.local.pwd === agreed.remote.pwd &&
        ice.agreed.remote.ufrag === agreed.local.ufrag &&
        ice.agreed.remote.pwd === agreed.local.pwd;
      return mirrored ? ice : null;
    }
    return null;
  }

  /** The path between two agents: one real candidate known to the other side is enough. */
  private path(agent: IceAgent, other: IceAgent): 'direct' | 'relayed' | null {
    const cut = this.cuts.get(pairKey(agent.peer.scope.owner, other.peer.scope.owner));
    if (cut === 'all' || !agent.agreed || !other.agreed) return null;
    const usable = (from: IceAgent, to: IceAgent): Candidate[] => {
      const ufrag = from.agreed?.local.ufrag ?? '';
      return to.known(ufrag).filter((candidate) => from.isOwn(candidate, ufrag));
    };
    const all = [...usable(agent, other), ...usable(other, agent)];
    if (cut === undefined && all.some((candidate) => candidate.type !== 'relay')) return 'direct';
    return all.some((candidate) => candidate.type === 'relay') ? 'relayed' : null;
  }

  evaluate(agent: IceAgent): void {
    const { agreed, peer } = agent;
    if (!agreed || peer.closed) return;
    if (agent.known(agreed.remote.ufrag).length > 0) agent.startChecking();
    const other = this.counterpart(agent);
    if (!other) return;
    const generation = pairKey(agreed.local.ufrag, agreed.remote.ufrag);
    if (this.checking.has(generation) || (agent.joined === generation && other.joined === generation)) return;
    if (agent.state === 'failed' || other.state === 'failed' || !this.path(agent, other)) return;
    this.checking.add(generation);
    // No participant's own work: it is the network's, and goes on while either page is frozen.
    this.scheduler.soon('', peer.scope.delays.check, () => {
      this.checking.delete(generation);
      const path = this.path(agent, other);
      if (this.counterpart(agent) !== other || !path) return;
      this.join(agent, other, generation, path === 'relayed');
      this.join(other, agent, generation, path === 'relayed');
    });
  }

  private join(agent: IceAgent, other: IceAgent, generation: string, relayed: boolean): void {
    if (agent.joined === generation || agent.state === 'failed') return;
    const { scope } = agent.peer;
    this.scheduler.soon(scope.owner, [0, scope.delays.check[1] / 2], () => {
      if (agent.peer.closed || agent.state === 'failed' || this.counterpart(agent) !== other) return;
      if (!this.path(agent, other)) return;
      agent.connected(other, generation, this.pair(agent, other, relayed), relayed);
      if (agent.peer.closed) return;
      this.handshake(agent, other);
      this.openData(agent);
      this.reflow(agent.peer);
      agent.peer.channels.drain();
      other.peer.channels.drain();
    });
  }

  private pair(agent: IceAgent, other: IceAgent, relayed: boolean): SelectedPair {
    const side = (each: IceAgent): SelectedPair['local'] => {
      const lines = each.gathered(each.agreed?.local.ufrag ?? '').lines;
      const found = lines.map((line) => parseCandidate(line)?.candidate);
      const fits =
        found.find((candidate) => candidate && (candidate.type === 'relay') === relayed) ?? found[0];
      return {
        candidate: fits?.line ?? '',
        type: fits?.type ?? 'prflx',
        address: fits?.address ?? '0.0.0.0',
        port: fits?.port ?? 9,
      };
    };
    return { local: side(agent), remote: side(other) };
  }

  private handshake(agent: IceAgent, other: IceAgent): void {
    if (other.other !== agent || agent.other !== other) return;
    if (this.associations.has(agent) || this.associations.has(other)) return;
    this.associations.set(agent, other);
    this.associations.set(other, agent);
    if (this.deaf.has(pairKey(agent.peer.scope.owner, other.peer.scope.owner))) {
      this.count('data never opened');
      for (const { peer } of [agent, other]) peer.channels.die();
    }
    for (const [each, remote] of [
      [agent, other],
      [other, agent],
    ] as const) {
      const { scope, dtls } = each.peer;
      dtls.state = 'connecting';
      dtls.emit('statechange');
      each.update();
      this.scheduler.soon(scope.owner, scope.delays.dtls, () => {
        if (each.peer.closed || dtls.state !== 'connecting') return;
        // RFC 8122: the certificate must be the one that signalling promised.
        dtls.state = each.agreed?.print === remote.peer.fingerprint ? 'connected' : 'failed';
        dtls.emit('statechange');
        each.update();
        this.reflow(each.peer);
        this.openData(each);
      });
    }
  }

  /** SCTP comes up once both ends negotiated it over the association. */
  openData(agent: IceAgent): void {
    const { other } = agent;
    if (!other || !this.carries(agent) || !agent.peer.sctp || !other.peer.sctp) return;
    for (const [each, remote] of [
      [agent, other],
      [other, agent],
    ] as const) {
      each.peer.channels.transportUp(remote.peer);
    }
  }

  /** Works out anew which tracks flow between this connection and its partner. */
  reflow(peer: PeerState): void {
    const { other } = peer.ice;
    const up = this.carries(peer.ice);
    for (const transceiver of peer.transceivers) this.meter(peer, other?.peer ?? null, transceiver.mid, up);
    if (!other) return;
    for (const transceiver of other.peer.transceivers) this.meter(other.peer, peer, transceiver.mid, up);
  }

  private meter(from: PeerState, to: PeerState | null, mid: string | null, up: boolean): void {
    const sender = from.transceivers.find((each) => each.mid === mid);
    const receiver = to?.transceivers.find((each) => each.mid !== null && each.mid === mid);
    if (!sender) return;
    const { now } = this.scheduler;
    const live = sender.sender.track?.readyState === 'live' && sender.sender.encoding.active !== false;
    const flowing = up && live && !from.closed && !sender.stopping && sends(sender.current);
    sender.sender.meter.set(flowing, now);
    if (!receiver || !to) return;
    const arriving = flowing && !receiver.stopping && receiver.receptive && receives(receiver.fired);
    const before = receiver.receiver.meter.flowing;
    receiver.receiver.meter.set(arriving, now);
    if (!arriving || before || !receiver.receiver.track.muted) return;
    // The first packet unmutes (section 5.3); one that stops coming mutes nothing, in either browser.
    this.scheduler.soon(to.scope.owner, to.scope.delays.path, () => {
      if (!to.closed && receiver.receptive && receives(receiver.fired))
        receiver.receiver.track.setMuted(false);
    });
  }

  add(peer: PeerState): void {
    this.peers.add(peer);
  }

  /** `silent`: the page is gone without a word, so that only missing consent tells the partner. */
  remove(peer: PeerState, silent: boolean): void {
    const { ice, scope } = peer;
    const { other } = ice;
    const heard = !silent && this.carries(ice);
    this.peers.delete(peer);
    for (const transceiver of peer.transceivers)
      this.meter(peer, other?.peer ?? null, transceiver.mid, false);
    if (!other || other.other !== ice) return;
    for (const transceiver of other.peer.transceivers) this.meter(other.peer, null, transceiver.mid, false);
    if (!heard) {
      other.interrupted();
      return;
    }
    this.scheduler.soon(other.peer.scope.owner, scope.delays.path, () => {
      if (other.peer.closed) return;
      // The close_notify: DTLS ends at once, while the ICE state follows late in Chromium, not at all in Firefox.
      other.peer.dtls.state = 'closed';
      other.peer.dtls.emit('statechange');
      other.peer.channels.transportGone();
      other.update();
      if (other.peer.scope.flavour === 'chromium') other.interrupted();
    });
  }
}
