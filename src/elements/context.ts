/**
 * How elements find their call: by the community's context protocol (`context-request`, as spoken by `@lit/context`
 * and others), under a key that two copies of this script share.
 */
import type { CallLike } from '../core/index.ts';

/** The number counts incompatible changes of `CallLike`. */
export const callContext = Symbol.for('private-meet/call@1') as symbol & { __context__: CallLike | null };

type Answer = (call: CallLike | null, release?: () => void) => void;

/** Asks the room around an element for its call, now and whenever it changes. */
export class CallRequest extends Event {
  readonly context = callContext;
  readonly subscribe: boolean = true;

  constructor(
    readonly contextTarget: Element,
    readonly callback: Answer,
  ) {
    super('context-request', { bubbles: true, composed: true });
  }
}

/** Answers whoever asks inside `host`. */
export class CallProvider {
  private call: CallLike | null = null;
  private readonly listeners = new Map<Answer, () => void>();

  constructor(host: Element) {
    host.addEventListener('context-request', (event) => {
      const { context, subscribe, callback } = event as CallRequest;
      if (context !== callContext) return;
      event.stopPropagation();
      const release = (): void => void this.listeners.delete(callback);
      if (subscribe) this.listeners.set(callback, release);
      callback(this.call, subscribe ? release : undefined);
    });
  }

  /** Hands on another call, to those as well who asked before. */
  provide(call: CallLike): void {
    this.call = call;
    for (const [callback, release] of this.listeners) callback(call, release);
  }
}
