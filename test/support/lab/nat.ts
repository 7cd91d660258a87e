/** What a home's router does to the packets that pass: nftables rules by kind of NAT (RFC 4787 in its words). */

/**
 * - `open`: endpoint-independent mapping and filtering; whoever knows the port gets in.
 * - `port`: endpoint-independent mapping, port-dependent filtering: the usual home router.
 * - `symmetric`: another port for every destination.
 * - `udp-blocked`: no UDP at all. `only-443`: TCP to port 443 and nothing else, as in many offices.
 */
export type NatKind = 'open' | 'port' | 'symmetric' | 'udp-blocked' | 'only-443';

export interface Addresses {
  /** The router's, towards everybody. */
  readonly wan: string;
  /** The host's behind it. */
  readonly host: string;
}

/** Interfaces: `wan0` towards everybody, `lan0` towards the home. The chain `losses` stays for `Home.impair`. */
export function natRules(kind: NatKind, { wan, host }: Addresses): string {
  const open = kind === 'open';
  const mapping = open ? `snat to ${wan}` : kind === 'symmetric' ? 'masquerade fully-random' : 'masquerade';
  const blocked = {
    'udp-blocked': 'oifname "wan0" meta l4proto udp drop',
    'only-443': `oifname "wan0" meta l4proto udp drop
    oifname "wan0" meta l4proto tcp tcp dport != 443 reject with tcp reset`,
  };
  // The drop on input matters as much as the one on forward: an unsolicited packet to the router itself leaves an
  // entry of connection tracking, the next packet out collides with it, masquerade takes another port, and hole
  // punching fails: the router would be symmetric by accident.
  const stranger = 'iifname "wan0" ct state new drop';
  return `flush ruleset
table ip lab {
  chain before { type nat hook prerouting priority dstnat;
    ${open ? `iifname "wan0" meta l4proto udp dnat to ${host}` : ''}
  }
  chain after { type nat hook postrouting priority srcnat;
    oifname "wan0" ${mapping}
  }
  chain router { type filter hook input priority filter;
    ${stranger}
  }
  chain through { type filter hook forward priority filter;
    ${kind === 'udp-blocked' || kind === 'only-443' ? blocked[kind] : ''}
    ${open ? '' : stranger}
  }
  chain losses { type filter hook forward priority -10; }
}`;
}
