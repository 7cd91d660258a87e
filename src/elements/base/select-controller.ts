import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { CallLike, CallState } from '../../core/index.ts';

/**
 * Redraws its host when one part of the call's state changes, and for nothing else. The selector must return a part
 * of the state or a primitive: results are told apart by `Object.is`.
 */
export class SelectController<T> implements ReactiveController {
  private call: CallLike | null = null;
  private release: (() => void) | null = null;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly selector: (state: CallState) => T,
    private readonly changed?: (value: T, before: T) => void,
  ) {
    host.addController(this);
  }

  /** What is selected now; undefined without a call. */
  get value(): T | undefined {
    return this.call ? this.selector(this.call.snapshot) : undefined;
  }

  bind(call: CallLike | null): void {
    if (call === this.call) return;
    this.hostDisconnected();
    this.call = call;
    this.hostConnected();
  }

  hostConnected(): void {
    if (!this.call) return;
    this.release ??= this.call.subscribe(this.selector, (value, before) => {
      this.host.requestUpdate();
      this.changed?.(value, before);
    });
    this.host.requestUpdate();
  }

  hostDisconnected(): void {
    this.release?.();
    this.release = null;
  }
}
