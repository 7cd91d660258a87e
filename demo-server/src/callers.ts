/** Where requests and sockets come from, and how much one place may ask for. */
import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import { normalizeIP } from '@fastify/rate-limit';
import { TokenBucket } from './core/limits.ts';

/** Seconds over which sockets and requests are counted: the rate times this may come at once. */
export const WINDOW = 5;
/** So many places are remembered before those that are not here any more are forgotten. */
const MANY = 1_000;

/**
 * The address of whoever asks: the next one before the listed proxies. What anybody else claims in `X-Forwarded-For`
 * counts for nothing. IPv6 is counted by its network of 64 bits, of which every household has one to itself.
 */
export function callerOf(trustedProxies: string[]): (request: IncomingMessage) => string {
  const trust = trustedProxies.length > 0 ? proxyAddr.compile(trustedProxies) : () => false;
  return (request) => normalizeIP(proxyAddr(request, trust));
}

interface Place {
  open: number;
  readonly bucket: TokenBucket;
  usedAt: number;
}

/** Sockets by address: how many are open, and how fast they come. */
export class Callers {
  private readonly places = new Map<string, Place>();
  private sweptAt = 0;

  /**
   * @param most open sockets from one address; 0 for no limit
   * @param perSecond new sockets from one address; 0 for no limit
   * @param now milliseconds on a clock that never goes back
   */
  constructor(
    private readonly most: number,
    private readonly perSecond: number,
    private readonly now: () => number,
  ) {}

  /** Whether the address holds as many sockets as it may. */
  isFull(address: string): boolean {
    return this.most > 0 && (this.places.get(address)?.open ?? 0) >= this.most;
  }

  /** One more socket. @returns what to call when it is gone, or null when there must not be one more */
  enter(address: string): (() => void) | null {
    const now = this.now();
    this.sweep(now);
    const { perSecond } = this;
    const place = this.places.get(address) ?? {
      open: 0,
      bucket: new TokenBucket(perSecond, perSecond * WINDOW, now),
      usedAt: now,
    };
    this.places.set(address, place);
    place.usedAt = now;
    if ((perSecond > 0 && !place.bucket.take(now)) || this.isFull(address)) return null;
    place.open += 1;
    let gone = false;
    return () => {
      if (gone) return;
      gone = true;
      place.open -= 1;
      place.usedAt = this.now();
      if (perSecond === 0 && place.open === 0) this.places.delete(address);
    };
  }

  /** Buckets of places that left are full again after a window, and need not be kept. */
  private sweep(now: number): void {
    if (this.places.size < MANY || now - this.sweptAt < 1_000) return;
    this.sweptAt = now;
    for (const [address, { open, usedAt }] of this.places) {
      if (open === 0 && now - usedAt > WINDOW * 1_000) this.places.delete(address);
    }
  }
}
