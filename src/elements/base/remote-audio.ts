import type { ReactiveController } from 'lit';
import type { CallLike, CallState } from '../../core/index.ts';

/**
 * Plays everybody's sound, each through an `<audio>` of its own in the room: whatever shows the people is silent, so
 * that nobody is heard twice or, having no tile, not at all. Where the browser wants a gesture first, the next one
 * anywhere on the page starts them all.
 */
export class RemoteAudio implements ReactiveController {
  /** The browser holds the sound back. */
  blocked = false;

  private readonly players = new Map<string, HTMLAudioElement>();
  private call: CallLike | null = null;
  private release: (() => void) | null = null;

  constructor(
    private readonly host: HTMLElement & {
      addController(c: ReactiveController): void;
      requestUpdate(): void;
    },
  ) {
    host.addController(this);
  }

  bind(call: CallLike | null): void {
    this.release?.();
    this.call = call;
    this.release = call?.subscribe(({ participants }) => participants, this.sync) ?? null;
    this.sync(call?.snapshot.participants ?? []);
  }

  hostUpdated(): void {
    const box = this.host.shadowRoot?.querySelector('.sound');
    for (const player of this.players.values()) if (player.parentNode !== box) box?.append(player);
  }

  hostConnected(): void {
    // Media pauses when it leaves the document, also when its room is only moved.
    this.resume();
  }

  /** Starts what was held back; for a gesture. */
  readonly resume = (): void => {
    for (const player of this.players.values()) if (player.paused) this.play(player);
  };

  private readonly sync = (participants: CallState['participants']): void => {
    const gone = new Map(this.players);
    for (const { self, id, sources } of participants) {
      if (self || !sources.mic.stream) continue;
      gone.delete(id);
      this.hear(id, sources.mic.stream);
    }
    for (const [id, player] of gone) {
      player.srcObject = null;
      player.remove();
      this.players.delete(id);
    }
    if (!this.players.size) this.setBlocked(false);
  };

  private hear(id: string, stream: MediaStream): void {
    let player = this.players.get(id);
    if (!player) {
      player = this.host.ownerDocument.createElement('audio');
      this.players.set(id, player);
      this.host.requestUpdate();
    }
    if (player.srcObject === stream) return;
    player.srcObject = stream;
    this.play(player);
  }

  private play(player: HTMLAudioElement): void {
    player.play().then(
      () => this.setBlocked([...this.players.values()].some(({ paused }) => paused)),
      (error: unknown) => {
        // Anything else (AbortError) says that the stream was replaced or taken away in the meantime.
        if (!(error instanceof DOMException && error.name === 'NotAllowedError')) return;
        if (!this.blocked) this.call?.reportPlaybackBlocked(error);
        this.setBlocked(true);
      },
    );
  }

  private setBlocked(blocked: boolean): void {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    const listen = blocked ? 'addEventListener' : 'removeEventListener';
    for (const gesture of ['pointerup', 'keydown'])
      this.host.ownerDocument[listen](gesture, this.resume, true);
    this.host.requestUpdate();
  }
}
