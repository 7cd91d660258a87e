import type { ReactiveController } from 'lit';
import { PmError, type CallLike, type CallState } from '../../core/index.ts';
import { PmErrorEvent } from '../events.ts';

/** The chosen loudspeaker, while it is there; a browser that lists none is taken at its word. */
function sinkOf({ chosen, devices }: CallState): string {
  const speakers = devices.filter(({ kind }) => kind === 'speaker');
  return speakers.length && !speakers.some(({ id }) => id === chosen.speaker) ? '' : chosen.speaker;
}

/**
 * Plays everybody's sound, voices and screens, each through an `<audio>` of its own in the room: whatever shows the
 * people is silent, so that nobody is heard twice or, having no tile, not at all. Where the browser wants a gesture
 * first, the next one anywhere on the page starts them all.
 */
export class RemoteAudio implements ReactiveController {
  /** The browser holds the sound back. */
  private blocked = false;
  private readonly players = new Map<string, HTMLAudioElement>();
  private call: CallLike | null = null;
  private releases: (() => void)[] = [];

  constructor(
    private readonly host: HTMLElement & {
      addController(c: ReactiveController): void;
      requestUpdate(): void;
    },
  ) {
    host.addController(this);
  }

  bind(call: CallLike | null): void {
    for (const release of this.releases.splice(0)) release();
    this.call = call;
    if (call) {
      this.releases = [
        call.subscribe(({ participants }) => participants, this.sync),
        call.subscribe(sinkOf, () => this.route([...this.players.values()])),
      ];
    }
    this.sync(call?.snapshot.participants ?? []);
  }

  hostUpdated(): void {
    const box = this.host.shadowRoot?.querySelector('.sound');
    for (const player of this.players.values()) if (player.parentNode !== box) box?.append(player);
  }

  hostConnected(): void {
    // Media pauses when it leaves the document, also when its room is only moved, and when the page is frozen.
    this.resume();
    this.host.ownerDocument.addEventListener('resume', this.resume);
  }

  hostDisconnected(): void {
    this.host.ownerDocument.removeEventListener('resume', this.resume);
  }

  /** Starts what was held back; for a gesture. */
  private readonly resume = (): void => {
    for (const player of this.players.values()) if (player.paused) this.play(player);
  };

  private readonly sync = (participants: CallState['participants']): void => {
    const gone = new Map(this.players);
    for (const { self, id, sources } of participants) {
      if (self) continue;
      for (const source of ['mic', 'screenAudio'] as const) {
        const { stream } = sources[source];
        if (!stream) continue;
        gone.delete(`${source} ${id}`);
        this.hear(`${source} ${id}`, stream);
      }
    }
    for (const [key, player] of gone) {
      player.srcObject = null;
      player.remove();
      this.players.delete(key);
    }
    if (!this.players.size) this.setBlocked(false);
  };

  private hear(key: string, stream: MediaStream): void {
    let player = this.players.get(key);
    if (!player) {
      player = this.host.ownerDocument.createElement('audio');
      this.players.set(key, player);
      this.route([player]);
      this.host.requestUpdate();
    }
    if (player.srcObject === stream) return;
    player.srcObject = stream;
    this.play(player);
  }

  /** Sends the sound to the chosen loudspeaker. */
  private route(players: readonly HTMLAudioElement[]): void {
    const sink = this.call ? sinkOf(this.call.snapshot) : '';
    // Browsers without setSinkId have no sinkId either, and nothing else was chosen there.
    const changed = players.filter((player) => ((player.sinkId as string | undefined) ?? '') !== sink);
    Promise.all(changed.map((player) => player.setSinkId(sink))).catch((cause: unknown) => {
      const error = new PmError('device-not-found', 'The loudspeaker cannot be used.', cause);
      this.host.dispatchEvent(new PmErrorEvent({ code: error.code, recoverable: true, error }));
    });
  }

  private play(player: HTMLAudioElement): void {
    player.play().then(
      () => this.setBlocked([...this.players.values()].some(({ paused }) => paused)),
      (error: unknown) => {
        // Anything else (AbortError) says that the stream was replaced or taken away in the meantime.
        if (error instanceof DOMException && error.name === 'NotAllowedError') this.setBlocked(true, error);
      },
    );
  }

  private setBlocked(blocked: boolean, cause: unknown = null): void {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.call?.reportPlaybackBlocked(cause, this.resume);
    const listen = blocked ? 'addEventListener' : 'removeEventListener';
    for (const gesture of ['pointerup', 'keydown'])
      this.host.ownerDocument[listen](gesture, this.resume, true);
  }
}
