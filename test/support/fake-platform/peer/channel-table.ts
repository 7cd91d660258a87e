/** A connection's data channels and the SCTP association under them (RFC 8831, RFC 8832). */
import { exception } from '../errors.ts';
import { eventWith } from '../events.ts';
import { APART } from '../scheduler.ts';
import { FakeDataChannel } from './data-channel.ts';
import type { PeerState } from './state.ts';

/** 100 Mbit/s: big messages take time, small ones do not. */
const BYTES_PER_MS = 12_500;
/** Bytes of an acknowledgement, which comes back for whatever arrives, and goes along with it. */
const ACKNOWLEDGEMENT = 48;
/** How long an association that nobody acknowledges goes on before it is aborted (RFC 9260 section 8.1). Milliseconds. */
const GIVEN_UP = [300, 3_000, 20_000] as const;

export class ChannelTable {
  everCreated = false;
  /** Bytes that came in over the association. */
  received = 0;
  readonly list: FakeDataChannel[] = [];
  /** The connection at the other end, once the association is up. */
  other: PeerState | null = null;
  private lineFree = 0;
  private readonly stalled: (() => void)[] = [];
  private draining = false;
  /** Nothing gets through any more, or ever did, although ICE and DTLS are up. */
  private mute = false;
  private dying = false;

  constructor(readonly peer: PeerState) {}

  create(label: string, options: RTCDataChannelInit): FakeDataChannel {
    if (options.maxRetransmits !== undefined && options.maxPacketLifeTime !== undefined) {
      throw new TypeError('maxRetransmits and maxPacketLifeTime exclude each other');
    }
    if (new TextEncoder().encode(label).length > 65535) throw new TypeError('the label is too long');
    const id = options.negotiated ? options.id : undefined;
    if (options.negotiated && id === undefined) throw new TypeError('a negotiated channel needs an id');
    if (id !== undefined && id > 65534) throw new TypeError('the id is too large');
    if (id !== undefined && this.list.some((each) => each.id === id && each.readyState !== 'closed')) {
      throw exception('OperationError', 'the id is taken');
    }
    const channel = new FakeDataChannel(this, label, options);
    channel.id = id ?? null;
    this.list.push(channel);
    const first = !this.everCreated;
    this.everCreated = true;
    if (first) this.peer.updateNegotiationNeeded();
    if (this.other) this.open(channel);
    return channel;
  }

  transportUp(other: PeerState): void {
    if (this.other || this.mute) return;
    this.other = other;
    this.peer.sctp?.move('connected');
    for (const channel of [...this.list]) if (channel.readyState === 'connecting') this.open(channel);
  }

  /** The association dies, or will never come up. */
  die(): void {
    this.mute = true;
  }

  private nextId(): number {
    const taken = new Set([...this.list, ...(this.other?.channels.list ?? [])].map((each) => each.id));
    let id = this.peer.dtlsRole === 'client' ? 0 : 1;
    while (taken.has(id)) id += 2;
    return id;
  }

  private open(channel: FakeDataChannel): void {
    const { other } = this;
    if (!other) return;
    channel.id ??= this.nextId();
    const { scope } = this.peer;
    if (channel.negotiated) {
      const twin = other.channels.list.find((each) => each.negotiated && each.id === channel.id);
      if (twin) {
        channel.twin = twin;
        twin.twin = channel;
      }
    } else {
      this.carry(channel, 32, true, () => other.channels.accept(channel));
    }
    scope.scheduler.soon(scope.owner, scope.delays.compute, () => channel.opened());
  }

  /** DATA_CHANNEL_OPEN has arrived: the channel is open when the page sees it, its `open` event comes after. */
  private accept(remote: FakeDataChannel): void {
    if (this.peer.closed || remote.twin) return;
    const { label, ordered, maxRetransmits, maxPacketLifeTime, protocol, id } = remote;
    const options: RTCDataChannelInit = { ordered, protocol };
    if (maxRetransmits !== null) options.maxRetransmits = maxRetransmits;
    if (maxPacketLifeTime !== null) options.maxPacketLifeTime = maxPacketLifeTime;
    const channel = new FakeDataChannel(this, label, options);
    channel.id = id;
    channel.twin = remote;
    remote.twin = channel;
    this.everCreated = true;
    this.list.push(channel);
    channel.readyState = 'open';
    this.peer.emit(eventWith('datachannel', { channel }));
    // Fired even when the handler closed it at once: then there is nothing to announce.
    if (channel.readyState === 'open') channel.emit('open');
  }

  /** Takes `size` bytes to the other side; ordered channels keep their order, reliable ones outlive a cut. */
  carry(
    channel: FakeDataChannel,
    size: number,
    reliable: boolean,
    deliver: () => void,
    sent?: () => void,
  ): void {
    const { scope } = this.peer;
    const { scheduler, random, delays } = scope;
    const departure = Math.max(scheduler.now, this.lineFree) + size / BYTES_PER_MS;
    this.lineFree = departure;
    const travel = departure + random.between(delays.path[0], delays.path[1]);
    const arrival = Math.max(travel, (channel.ordered ? channel.lastArrival : channel.announced) + APART);
    channel.lastArrival = Math.max(channel.lastArrival, arrival);
    if (channel.announced === 0) channel.announced = arrival;
    if (sent) scheduler.schedule('work', departure - scheduler.now, scope.owner, sent);
    // On the wire already: nobody's page has to be awake for it to arrive.
    scheduler.schedule('work', arrival - scheduler.now, '', () => {
      if (this.stalled.length === 0 && this.peer.network.carries(this.peer.ice)) this.arrive(size, deliver);
      else if (reliable) this.stalled.push(() => this.arrive(size, deliver));
    });
  }

  /** What arrives is acknowledged: bytes come in at both ends. */
  private arrive(size: number, deliver: () => void): void {
    if (this.mute || this.other?.channels.mute) {
      if (this.dying) return;
      this.dying = true;
      const { scheduler, random, owner } = this.peer.scope;
      scheduler.schedule(
        'timer',
        random.pick(GIVEN_UP),
        owner,
        () => this.peer.closed || this.transportGone(),
      );
      return;
    }
    this.received += ACKNOWLEDGEMENT;
    if (this.other) this.other.channels.received += size + ACKNOWLEDGEMENT;
    deliver();
  }

  /** The path works again: what a cut held back is sent anew, in order. */
  drain(): void {
    if (this.draining || this.stalled.length === 0 || !this.peer.network.carries(this.peer.ice)) return;
    this.draining = true;
    this.peer.scope.scheduler.soon('', this.peer.scope.delays.path, () => {
      this.draining = false;
      if (!this.peer.network.carries(this.peer.ice)) return;
      this.stalled.shift()?.();
      this.drain();
    });
  }

  /** The other end closed its connection. */
  transportGone(): void {
    this.stalled.length = 0;
    this.peer.sctp?.move('closed');
    for (const channel of [...this.list]) channel.aborted();
  }

  /** close() of the connection: channels are closed abruptly. Both browsers fire `close` on them all the same. */
  close(): void {
    this.stalled.length = 0;
    for (const channel of this.list) channel.connectionClosed();
  }
}
