import type { ReactiveController, ReactiveControllerHost } from 'lit';

export interface View {
  readonly width: number;
  readonly height: number;
}

/**
 * Tells how large its host is seen, in device pixels, and that it is not: scrolled away, not drawn, in a hidden tab.
 * Both sizes and visibility come from observers, so that nothing is laid out for it.
 */
export class ViewController implements ReactiveController {
  private width = 0;
  private height = 0;
  private seen = false;
  private stop: AbortController | null = null;
  private readonly sizes = new ResizeObserver(([entry]) => {
    ({ width: this.width, height: this.height } = entry!.contentRect);
    this.tell();
  });
  private readonly sights = new IntersectionObserver((entries) => {
    this.seen = entries.at(-1)!.isIntersecting;
    this.tell();
  });

  constructor(
    private readonly host: ReactiveControllerHost & Element,
    private readonly told: (view: View | null) => void,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.stop = new AbortController();
    document.addEventListener('visibilitychange', () => this.tell(), { signal: this.stop.signal });
    this.sizes.observe(this.host);
    this.sights.observe(this.host);
  }

  hostDisconnected(): void {
    this.stop?.abort();
    this.sizes.disconnect();
    this.sights.disconnect();
    // A tile that is only moved is back within this task.
    queueMicrotask(() => {
      if (this.host.isConnected) return;
      this.seen = false;
      this.tell();
    });
  }

  /** Says it again, for a host that shows something else now. */
  tell(): void {
    const { width, height } = this;
    const visible = this.seen && width * height > 0 && document.visibilityState === 'visible';
    const ratio = devicePixelRatio;
    this.told(visible ? { width: width * ratio, height: height * ratio } : null);
  }
}
