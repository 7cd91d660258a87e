/** Requests counted over all nodes. */
import type { FastifyRateLimitStore, FastifyRateLimitStoreCtor } from '@fastify/rate-limit';
import type { Bus } from './bus.ts';

/** A store of counts for `@fastify/rate-limit`. While Redis is away nobody is held up by it. */
export function sharedRates(bus: Bus): FastifyRateLimitStoreCtor {
  class Store {
    private name = 'all';

    incr(key: string, done: Parameters<FastifyRateLimitStore['incr']>[1], timeWindow: number): void {
      bus.countRequest(`${this.name}:${key}`, timeWindow).then(
        (result) => done(null, result),
        () => done(null, { current: 1, ttl: timeWindow }),
      );
    }

    /** For a route with limits of its own. */
    child({ routeInfo }: { routeInfo?: { method?: unknown; url?: string } }): Store {
      const store = new Store();
      store.name = `${String(routeInfo?.method)} ${routeInfo?.url}`;
      return store;
    }
  }
  return Store as unknown as FastifyRateLimitStoreCtor;
}
