/** The plain client as a page: everybody's tile shows whatever video arrived last. Bundled into one script. */
import { PlainClient, type PlainOptions } from './client.ts';
import { browserSurroundings } from './surroundings.ts';

declare global {
  // eslint-disable-next-line no-var
  var plain: PlainClient;
  // eslint-disable-next-line no-var
  var plainOptions: PlainOptions & { readonly sources?: readonly ('mic' | 'camera')[] };
}

const tiles = new Map<string, { video: HTMLVideoElement; audio: HTMLAudioElement }>();

function show(element: HTMLMediaElement, track: MediaStreamTrack | null): void {
  const shown = (element.srcObject as MediaStream | null)?.getTracks()[0] ?? null;
  if (shown === track) return;
  element.srcObject = track && new MediaStream([track]);
  void element.play().catch(() => undefined);
}

function draw(): void {
  for (const [id, tile] of tiles) {
    if (plain.peers.has(id)) continue;
    tile.video.remove();
    tile.audio.remove();
    tiles.delete(id);
  }
  for (const [id, { picture, sound }] of plain.peers) {
    let tile = tiles.get(id);
    if (!tile) {
      const video = Object.assign(document.createElement('video'), {
        muted: true,
        autoplay: true,
        playsInline: true,
      });
      video.style.cssText = 'width: 240px; height: 180px';
      video.dataset['id'] = id;
      tile = { video, audio: Object.assign(document.createElement('audio'), { autoplay: true }) };
      document.body.append(tile.video, tile.audio);
      tiles.set(id, tile);
    }
    show(tile.video, picture);
    show(tile.audio, sound);
  }
  for (const error of plain.errors.splice(0)) console.error(`plain client: ${error}`);
}

globalThis.plain = new PlainClient(browserSurroundings(), plainOptions);
plain.changed = draw;
addEventListener('pagehide', () => plain.end());
void plain
  .enter(plainOptions.sources)
  .catch((error: unknown) => console.error(`plain client: ${String(error)}`));
