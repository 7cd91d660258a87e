import type { ReactiveController, ReactiveElement } from 'lit';
import type { CallLike } from '../../core/index.ts';
import { CallRequest } from '../context.ts';

/**
 * Finds the call of an element: from the room around it, or from the room whose id its `for` names. Both may come
 * later than the element, in any order; a room that is replaced is found again.
 */
export class CallController implements ReactiveController {
  /** The room named by `for`; null for an element that sits in its room. */
  room: Element | null = null;

  private release: (() => void) | undefined;
  private readonly observer = new MutationObserver(() => this.look());

  constructor(
    private readonly host: ReactiveElement & { for: string | null },
    private readonly found: (call: CallLike | null) => void,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.connect();
    // An element may be defined, and may ask, before the room's own definition has been loaded.
    if (!customElements.get('pm-room')) void customElements.whenDefined('pm-room').then(() => this.connect());
  }

  hostDisconnected(): void {
    this.observer.disconnect();
    this.forget();
  }

  /** Starts over, for a `for` that changed. */
  connect(): void {
    if (!this.host.isConnected) return;
    this.hostDisconnected();
    if (!this.host.for) {
      this.ask(this.host);
      return;
    }
    for (const root of this.roots()) {
      this.observer.observe(root, { childList: true, subtree: true, attributeFilter: ['id'] });
    }
    this.look();
  }

  /** The element's own root, those around it, the document. */
  private roots(): (Document | ShadowRoot)[] {
    const roots: (Document | ShadowRoot)[] = [];
    for (let at: Node = this.host; ;) {
      const root = at.getRootNode();
      if (!(root instanceof ShadowRoot)) return [...roots, this.host.ownerDocument];
      roots.push(root);
      at = root.host;
    }
  }

  private look(): void {
    let room: Element | null = null;
    for (const root of this.roots()) room ??= root.getElementById(this.host.for ?? '');
    if (room === this.room) return;
    this.forget();
    this.room = room;
    if (room) this.ask(room);
  }

  private ask(from: Element): void {
    from.dispatchEvent(new CallRequest(this.host, this.answer));
  }

  // One bound function: the provider tells requests apart by it.
  private readonly answer = (call: CallLike | null, release?: () => void): void => {
    if (this.release !== release) this.release?.();
    this.release = release;
    this.found(call);
  };

  private forget(): void {
    this.release?.();
    this.release = undefined;
    this.room = null;
    this.found(null);
  }
}
