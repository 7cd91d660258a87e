/** What people and pages tell each other directly. The raised hand is here; the rest is loaded when it is first used. */
import { PmError, toPmError } from '../errors.ts';
import type { MediaTransport } from '../transport/transport.ts';
import { keepEarly } from '../util/early.ts';
import type { TalkHooks, TalkParts } from './talk-parts.ts';

export class Talk {
  readonly #hooks: TalkHooks;
  #transport: MediaTransport | null = null;
  #parts: Promise<TalkParts> | null = null;

  constructor(hooks: TalkHooks) {
    this.#hooks = hooks;
  }

  /** From now on this is the way to the others; null: there is none any more. */
  bind(transport: MediaTransport | null): void {
    this.#parts?.then(
      (parts) => parts.end(),
      () => undefined,
    );
    this.#transport = transport;
    this.#parts = null;
    this.hand(!!transport && this.#raised);
    transport?.on('message', ({ id, message }) => {
      const { t, on } = message;
      if (t === 'hand') this.#hooks.dispatch({ type: 'update', id, patch: { hand: on === true } });
      if (t === 'reaction') this.#quietly((parts) => parts.hear(id, message));
    });
    transport?.on('channel', ({ id, channel }) => {
      // Ours, and the one of original clients.
      if (!/^pm:|:$/.test(channel.label)) return;
      channel.binaryType = 'arraybuffer';
      const handOver = keepEarly(channel);
      this.#quietly((parts) => {
        parts.take(id, channel);
        handOver();
      });
    });
  }

  hand(on = !this.#raised): boolean {
    this.#hooks.dispatch({ type: 'update', id: 'self', patch: { hand: on } });
    this.#transport?.announce({ t: 'hand', on });
    return on;
  }

  /** @throws {PmError} `data-closed` outside of a room, `unsupported` when the part cannot be loaded */
  async use<T>(run: (parts: TalkParts) => T): Promise<Awaited<T>> {
    const transport = this.#transport;
    if (!transport) throw new PmError('data-closed', 'Not in a room.');
    this.#parts ??= this.#hooks.platform.work(import('./talk-parts.ts')).then(
      ({ TalkParts: Parts }) => new Parts(this.#hooks, transport),
      (error: unknown) => {
        this.#parts = null;
        throw error;
      },
    );
    try {
      return await run(await this.#parts);
    } catch (error) {
      throw toPmError(error, 'unsupported');
    }
  }

  #quietly(run: (parts: TalkParts) => void): void {
    this.use(run).catch((error: unknown) =>
      this.#hooks.platform.log('warn', 'A message of a peer was not read.', error),
    );
  }

  get #raised(): boolean {
    return this.#hooks.state().participants[0]!.hand;
  }
}
