/**
 * Event targets with handler properties. The platform's own EventTarget does the dispatching, so `once`, `signal`,
 * removal during dispatch and the reporting of a throwing listener are what browsers do.
 */
type Handler = ((event: never) => unknown) | null | undefined;

export class FakeEventTarget extends EventTarget {
  constructor(names: readonly string[]) {
    super();
    for (const name of names) {
      this.addEventListener(name, (event) => {
        const handler = (this as unknown as Record<string, Handler>)[`on${name}`];
        if (typeof handler === 'function') (handler as (event: Event) => unknown).call(this, event);
      });
    }
  }

  emit(event: Event | string): void {
    this.dispatchEvent(typeof event === 'string' ? new Event(event) : event);
  }
}

/** An event with fields. The real event classes refuse objects that are not the browser's own. */
export function eventWith<T extends object>(name: string, fields: T): Event & T {
  return Object.assign(new Event(name), fields);
}
