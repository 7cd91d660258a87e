/** Who speaks, how well everybody is received, and how large they are shown: kept in a part that is loaded on demand. */
import type { MediaTransport } from '../transport/transport.ts';
import type { Listening, ListeningHooks } from './listening.ts';
import type { Size } from './types.ts';

export class Awareness {
  readonly #hooks: ListeningHooks;
  #part: Promise<Listening | null> = Promise.resolve(null);
  #end = () => {};

  constructor(hooks: ListeningHooks) {
    this.#hooks = hooks;
  }

  /** From now on this is the way to the others; null: there is none any more. */
  bind(transport: MediaTransport | null): void {
    this.#end();
    this.#end = () => {};
    this.#part = Promise.resolve(null);
    if (!transport) return;
    const { platform } = this.#hooks;
    let over = false;
    const part = platform.work(import('./listening.ts')).then(
      ({ Listening: Part }) => (over ? null : new Part(this.#hooks, transport)),
      (error: unknown) => {
        platform.log('warn', 'Nobody is seen to speak.', error);
        return null;
      },
    );
    this.#part = part;
    this.#end = () => {
      over = true;
      void part.then((listening) => listening?.end());
    };
  }

  show(id: string, source: 'camera' | 'screen', size: Size | null, viewer: object): void {
    void this.#part.then((listening) => listening?.show(id, source, size, viewer));
  }

  levels(id: string, callback: (level: number) => void): () => void {
    let stop: (() => void) | undefined = () => {};
    void this.#part.then((listening) => stop && (stop = listening?.levels(id, callback)));
    return () => {
      stop?.();
      stop = undefined;
    };
  }
}
