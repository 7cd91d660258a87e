/**
 * Attendance, told to the site that runs the calls: one POST per join and per leave, signed, repeated until it is
 * accepted, and never waited for by a call.
 *
 * `pm-signature: t=<unix seconds>,v1=<hex>`, where v1 is HMAC-SHA-256 (RFC 2104) over `<t>.<body>` with the secret:
 * whoever receives it compares in constant time and refuses what is older than five minutes. `id` stays the same when
 * an event is sent again, so that it can be counted once. Order is not promised: `at` tells it.
 */
import { createHmac, randomUUID } from 'node:crypto';
import type { Attendance, Log } from './core/env.ts';

/** Milliseconds before each further attempt; then an event is given up. */
const PAUSES = [1_000, 5_000, 30_000, 120_000, 600_000, 1_800_000];
/** Milliseconds that one attempt may take. */
const PATIENCE = 10_000;
/** Events that wait at most; the oldest is given up first. */
const MOST = 10_000;
/** Requests at a time: a site that is slow is not flooded when it is back. */
const AT_ONCE = 4;
/** Milliseconds for which a stopping relay still delivers. */
const LAST_WORDS = 1_500;

interface Event {
  readonly id: string;
  readonly body: string;
  attempts: number;
}

export interface WebhookOptions {
  url: string;
  secret: string;
  log: Log;
  /** Milliseconds before each further attempt. */
  pauses?: readonly number[];
}

export const sign = (secret: string, body: string, seconds: number): string =>
  `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;

export class Webhook {
  /** Those whose turn it is, oldest first. */
  private readonly due: Event[] = [];
  private readonly resting = new Map<NodeJS.Timeout, Event>();
  private readonly running = new Set<Promise<void>>();
  private stopped = false;
  /** Events for which no time is left. */
  private lost = 0;

  constructor(private readonly options: WebhookOptions) {}

  /** Events that are not accepted yet. */
  get size(): number {
    return this.due.length + this.resting.size + this.running.size;
  }

  tell(attendance: Attendance): void {
    const id = randomUUID();
    const body = JSON.stringify({ id, at: new Date().toISOString(), ...attendance });
    this.due.push({ id, body, attempts: 0 });
    if (this.size > MOST) {
      const oldest = this.due.shift();
      this.options.log.warn({ event: oldest?.id }, 'attendance given up: too many events wait');
    }
    this.pump();
  }

  /** Delivers what it still can in a moment, and says what is lost. */
  async close(): Promise<void> {
    this.stopped = true;
    for (const timer of this.resting.keys()) clearTimeout(timer);
    this.due.push(...this.resting.values());
    this.resting.clear();
    const end = AbortSignal.timeout(LAST_WORDS);
    while (this.size > 0 && !end.aborted) {
      this.pump();
      await Promise.race([...this.running, new Promise((resolve) => end.addEventListener('abort', resolve))]);
    }
    const events = this.size + this.lost;
    if (events > 0) this.options.log.warn({ events }, 'attendance given up: the relay stops');
  }

  private pump(): void {
    while (this.running.size < AT_ONCE) {
      const event = this.due.shift();
      if (!event) return;
      const done = this.send(event).finally(() => {
        this.running.delete(done);
        this.pump();
      });
      this.running.add(done);
    }
  }

  private async send(event: Event): Promise<void> {
    const { url, secret, log, pauses = PAUSES } = this.options;
    event.attempts += 1;
    const problem = await fetch(url, {
      method: 'POST',
      body: event.body,
      headers: {
        'content-type': 'application/json',
        'pm-signature': sign(secret, event.body, Math.floor(Date.now() / 1000)),
      },
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE),
    }).then(
      async (response) => {
        await response.body?.cancel();
        return response.ok ? null : String(response.status);
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (problem === null) return;
    const pause = pauses[event.attempts - 1];
    log.warn({ event: event.id, attempt: event.attempts, problem }, 'attendance not accepted');
    if (pause === undefined) log.warn({ event: event.id }, 'attendance given up');
    else if (this.stopped) this.lost += 1;
    else this.rest(event, pause * (0.8 + Math.random() * 0.4));
  }

  private rest(event: Event, milliseconds: number): void {
    const timer = setTimeout(() => {
      this.resting.delete(timer);
      this.due.push(event);
      this.pump();
    }, milliseconds);
    timer.unref();
    this.resting.set(timer, event);
  }
}
