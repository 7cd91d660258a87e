/** A home: a host behind a router, and all that can happen to its network. */
import type { Namespace } from './namespace.ts';
import { natRules, type NatKind } from './nat.ts';

export interface Impairment {
  /** Share of the packets lost, both ways, 0 to 100. */
  readonly lossPercent?: number;
  /** kbit/s from the home to the world; 0 for no limit. */
  readonly upKbit?: number;
  /** kbit/s from the world to the home; 0 for no limit. */
  readonly downKbit?: number;
  /** How long a packet may wait in the queue of a limited line before it is dropped, in ms. */
  readonly queueMs?: number;
}

/** Homes have the same private network, as real ones do. */
const ROUTER = '192.168.1.1';
const HOST = '192.168.1.2';

export class Home {
  private host = HOST;
  private kind: NatKind = 'port';

  constructor(
    readonly name: string,
    /** Where the browser runs. */
    readonly place: Namespace,
    private readonly router: Namespace,
    private readonly world: Namespace,
    /** The router's address towards everybody. */
    private wan: string,
  ) {}

  /** Lays the cables: host to router, router to the world's bridge. */
  connect(bridge: string): void {
    const { world, router, place, name } = this;
    const far = `to-${name}`;
    world.run(`ip link add ${far} type veth peer name wan0 netns ${String(router.pid)}
      ip link set ${far} master ${bridge} up`);
    place.run(`ip link add eth0 type veth peer name lan0 netns ${String(router.pid)}`);
    router.run(`ip addr add ${this.wan}/24 dev wan0
      ip addr add ${ROUTER}/24 dev lan0
      ip link set wan0 up
      ip link set lan0 up
      sysctl -qw net.ipv4.ip_forward=1`);
    place.run(`ip link set eth0 up`);
    this.address(HOST);
    this.nat(this.kind);
  }

  private address(to: string): void {
    this.host = to;
    this.place.run(`ip addr flush dev eth0
      ip addr add ${to}/24 dev eth0
      ip route replace default via ${ROUTER}`);
  }

  private rules(): void {
    this.router.rules(natRules(this.kind, { wan: this.wan, host: this.host }));
  }

  /** Another kind of router. Existing mappings are forgotten. */
  nat(kind: NatKind): void {
    this.kind = kind;
    this.rules();
    this.forget();
  }

  /** The router forgets its mappings, as one that was switched off and on: masquerade drops them with its interface. */
  forget(): void {
    this.router.run('ip link set wan0 down\nip link set wan0 up');
  }

  /** The line behind the router is dead: nothing passes, and the host sees no event at all. */
  cut(): void {
    this.world.run(`ip link set to-${this.name} down`);
  }

  mend(): void {
    this.world.run(`ip link set to-${this.name} up`);
  }

  /** The host's own cable: the browser sees the interface go. */
  unplug(): void {
    this.place.run('ip link set eth0 down');
  }

  plug(): void {
    this.place.run(`ip link set eth0 up\nip route replace default via ${ROUTER}`);
  }

  /** The host gets another address, as after a change of network: the browser sees it. */
  renumber(): void {
    this.address(this.host === HOST ? '192.168.1.77' : HOST);
    this.rules();
  }

  /** The provider gives the router another address: no host sees it. */
  rebind(wan: string): void {
    this.wan = wan;
    this.router.run(`ip addr flush dev wan0\nip addr add ${wan}/24 dev wan0`);
    this.nat(this.kind);
  }

  /** A line as it is given here, and no worse in any other way; without arguments a good one again. */
  impair({ lossPercent = 0, upKbit = 0, downKbit = 0, queueMs = 300 }: Impairment = {}): void {
    const shape = (device: string, kbit: number): string =>
      `tc qdisc del dev ${device} root 2>/dev/null || true
      ${kbit ? `tc qdisc add dev ${device} root tbf rate ${String(kbit)}kbit burst 4000 latency ${String(queueMs)}ms` : ''}`;
    this.router.run(`nft flush chain ip lab losses
      ${lossPercent ? `nft add rule ip lab losses numgen random mod 100 '<' ${String(lossPercent)} drop` : ''}
      ${shape('wan0', upKbit)}
      ${shape('lan0', downKbit)}`);
  }
}
