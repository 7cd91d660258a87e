/** Everybody on one canvas and in one mix. */
import { gridLayout } from '../../layout/grid-layout.ts';
import type { Platform, RecorderParts } from '../../platform.ts';
import { SOURCE_NAMES, type CallState, type SourceName } from '../../state/call-state.ts';
import type { Scope } from '../../util/scope.ts';

const WIDTH = 1280;
const HEIGHT = 720;
/** What is left to the people, in a column, while somebody shows a screen. */
const COLUMN = 320;
const TEXT = 22;
/** Seconds from one picture to the next. */
const FRAME = 0.04;
/** Milliseconds after which a picture is drawn anyway, should the sound's clock stand still. */
const LATE = 100;

export interface Scene {
  /** One picture and one sound, whoever comes and goes. */
  readonly stream: MediaStream;
  /**
   * Takes up who came and drops who left. A source counts while it is `on` alone: muted ones stay silent, and whoever
   * has not spoken over our channel yet has not been told yet either.
   */
  sync(state: CallState): void;
}

/** Draws `state` until `scope` ends. */
export function createScene(
  platform: Platform,
  { document }: RecorderParts,
  audio: AudioContext,
  scope: Scope,
  state: CallState,
): Scene {
  const canvas = document.createElement('canvas');
  // Every picture is read back for its encoder: a canvas in the graphics processor would be copied each time.
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true })!;
  const mix = audio.createMediaStreamDestination();
  const players = new Map<MediaStream, { video: HTMLVideoElement; stop: () => void }>();
  let people = state.participants;
  let due = 0;
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  context.font = `${TEXT}px sans-serif`;
  context.lineWidth = 4;
  const play = (stream: MediaStream): { video: HTMLVideoElement; stop: () => void } => {
    const video = document.createElement('video');
    const warn = (error: unknown): void => platform.log('debug', 'Not recorded.', error);
    let sound: AudioNode | null = null;
    video.muted = video.playsInline = true;
    // Sound too: Chromium gives an AudioContext the sound of remote streams that a media element holds, and no others.
    video.srcObject = stream;
    video.play().catch(warn);
    try {
      if (stream.getAudioTracks()[0]) (sound = audio.createMediaStreamSource(stream)).connect(mix);
    } catch (error) {
      warn(error);
    }
    const stop = scope.add(() => {
      sound?.disconnect();
      video.srcObject = null;
      players.delete(stream);
    });
    return { video, stop };
  };

  const grid = (tiles: CallState['participants'], source: SourceName, start: number, room: number): void => {
    gridLayout(tiles.length, room, HEIGHT, { gap: 8 }).tiles.forEach(({ x, y, width, height }, index) => {
      const { name, sources } = tiles[index]!;
      const video = players.get(sources[source].stream!)?.video;
      const left = start + x;
      context.fillStyle = '#333';
      context.fillRect(left, y, width, height);
      if (video?.videoWidth) {
        const { videoWidth, videoHeight } = video;
        // Faces may be cropped to fill their tile; of a screen the whole is drawn, for what a source rectangle takes
        // from beyond the picture leaves its part of the tile as it is.
        const fit = source === 'screen' ? Math.min : Math.max;
        const scale = fit(width / videoWidth, height / videoHeight);
        const w = width / scale;
        const h = height / scale;
        context.drawImage(video, (videoWidth - w) / 2, (videoHeight - h) / 2, w, h, left, y, width, height);
      }
      context.fillStyle = '#fff';
      for (const write of ['strokeText', 'fillText'] as const)
        context[write](name, left + TEXT / 2, y + height - TEXT / 2, width - TEXT);
    });
  };

  const draw = (): void => {
    const screens = people.filter(({ sources }) => sources.screen.stream);
    const left = screens.length && WIDTH - COLUMN;
    context.fillStyle = '#111';
    context.fillRect(0, 0, WIDTH, HEIGHT);
    grid(screens, 'screen', 0, left);
    grid(people, 'camera', left, WIDTH - left);
    // The next picture comes by the clock of the sound: it keeps running while the page is hidden, where timers are
    // throttled and animation frames stop.
    const clock = audio.createConstantSource();
    const stop = scope.add(() => {
      clock.onended = null;
      cancel();
    });
    const next = (): void => {
      stop();
      draw();
    };
    const cancel = platform.after(LATE, next);
    // On a machine that is too slow, some of its time stays free for the call.
    due = Math.max(due, audio.currentTime - FRAME / 2) + FRAME;
    clock.offset.value = 0;
    clock.onended = next;
    clock.connect(audio.destination);
    clock.start();
    clock.stop(due);
  };

  const sync = ({ participants }: CallState): void => {
    const gone = new Map(players);
    people = participants;
    for (const { sources } of people) {
      for (const name of SOURCE_NAMES) {
        const { stream, state } = sources[name];
        if (!stream || state !== 'on') continue;
        if (!gone.delete(stream) && !players.has(stream)) players.set(stream, play(stream));
      }
    }
    for (const { stop } of gone.values()) stop();
  };

  sync(state);
  draw();
  // The first picture that is captured is what is drawn by then.
  const stream = platform.createStream([
    ...canvas.captureStream(1 / FRAME).getTracks(),
    ...mix.stream.getTracks(),
  ]);
  scope.add(() => {
    for (const track of stream.getTracks()) track.stop();
  });
  return { stream, sync };
}
