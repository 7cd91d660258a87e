/**
 * Event targets with handler properties. The platform's own EventTarget does the dispatching, so `once`, `signal`,
 * removal during dispatch and the reporting of a throwing listener are what browsers do.
 */
type Handler = ((event: never) => unknown) | null | undefined;

export class FakeEventTarget extends EventTarget {
  private listened = false;

  constructor(private readonly names: readonly string[]) {
    super();
  }

  override addEventListener(...given: Parameters<EventTarget['addEventListener']>): void {
    if (!this.listened) {
      this.listened = true;
      for (const name of this.names) super.addEventListener(name, (event) => this.handle(event));
    }
    super.addEventListener(...given);
  }

  emit(given: Event | string): void {
    const event = typeof given === 'string' ? new Event(given) : given;
    if (this.listened) this.dispatchEvent(event);
    else this.handleAlone(event);
  }

  private handle(event: Event): void {
    const handler = (this as unknown as Record<string, Handler>)[`on${event.type}`];
    if (typeof handler === 'function') (handler as (event: Event) => unknown).call(this, event);
  }

  /** Most have a handler and no listener: the platform's own dispatch takes ten times as long for the same. */
  private handleAlone(event: Event): void {
    try {
      this.handle(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** An event with fields. The real event classes refuse objects that are not the browser's own. */
export function eventWith<T extends object>(name: string, fields: T): Event & T {
  return Object.assign(new Event(name), fields);
}
