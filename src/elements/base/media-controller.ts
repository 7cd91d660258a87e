import type { ReactiveController, ReactiveControllerHost } from 'lit';

/**
 * Plays a stream in its host's `<video>`, and says when there is a picture: from the first frame on, so that nothing
 * black is ever shown. The stream is set only when it changes, since setting it again restarts the decoder.
 */
export class MediaController implements ReactiveController {
  /** Whether frames of the current stream have been seen. */
  picture = false;
  private video: HTMLVideoElement | null = null;

  constructor(
    private readonly host: ReactiveControllerHost & Element,
    private readonly stream: () => MediaStream | null,
  ) {
    host.addController(this);
  }

  /** For the video's `loadeddata` and `resize`. */
  readonly seen = (): void => {
    if (this.picture || !this.video?.videoWidth || this.video.srcObject !== this.stream()) return;
    this.picture = true;
    this.host.requestUpdate();
  };

  hostUpdate(): void {
    this.play();
  }

  hostUpdated(): void {
    this.video ??= this.host.shadowRoot?.querySelector('video') ?? null;
    this.play();
  }

  /** Shows the stream that there is now, without waiting for the host to be drawn. */
  play(): void {
    const stream = this.host.isConnected ? this.stream() : null;
    if (!this.video || this.video.srcObject === stream) return;
    this.picture = false;
    this.video.srcObject = stream;
    if (stream) this.resume();
  }

  hostConnected(): void {
    this.host.ownerDocument.addEventListener('resume', this.resume);
    this.host.requestUpdate();
  }

  hostDisconnected(): void {
    this.host.ownerDocument.removeEventListener('resume', this.resume);
    // A tile that is only moved must not go dark: it is back within this task.
    queueMicrotask(() => this.play());
  }

  /** A page that was frozen (Page Lifecycle) comes back with its media paused. */
  private readonly resume = (): void => {
    // Muted pictures need no gesture; what may still reject is an overtaken load, of no interest.
    if (this.video?.srcObject) this.video.play().catch(() => undefined);
  };
}
