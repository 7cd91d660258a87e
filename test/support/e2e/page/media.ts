/** Runs in the page: whether a stream carries moving pictures and audible sound, measured and not believed. */
import { everyElement, native, pause, peerConnections } from './counters.ts';

export interface Pictures {
  /** Frames presented while watching. */
  frames: number;
  /** How many of them differed from the one before. */
  changes: number;
  width: number;
  height: number;
}

export interface Sound {
  /** Loudest root mean square seen; 1 is full scale. */
  rms: number;
  /** How it was measured: on the decoded sound, or by the decoder's own energy where no sound device runs. */
  via: 'analyser' | 'statistics';
}

/** What a look may end with before its time is over; without it, looks take all of their time. */
export interface Enough {
  readonly frames: number;
  readonly changes: number;
  readonly rms: number;
}
const NEVER: Enough = { frames: Infinity, changes: Infinity, rms: Infinity };
/** How often a look asks itself whether it is over, in ms. */
const STEP = 40;

/** A mean colour per cell of a small raster: what tells one picture from the next. */
function fingerprint(video: HTMLVideoElement, canvas: OffscreenCanvas): string {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no 2d context');
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height).data.join();
}

/** Plays the stream in a probe of its own for `ms` and counts presented frames and changes of the picture. */
export async function pictures(stream: MediaStream, ms: number, enough = NEVER): Promise<Pictures> {
  const video = document.createElement('video');
  const canvas = new OffscreenCanvas(64, 48);
  const seen: Pictures = { frames: 0, changes: 0, width: 0, height: 0 };
  let last = '';
  const next = (): void => {
    seen.frames += 1;
    const now = fingerprint(video, canvas);
    if (last && now !== last) seen.changes += 1;
    last = now;
    video.requestVideoFrameCallback(next);
  };
  video.muted = true;
  video.playsInline = true;
  video.style.cssText = 'position:fixed;inset:auto 0 0 auto;width:2px;height:2px;pointer-events:none';
  video.srcObject = new MediaStream(stream.getVideoTracks());
  video.requestVideoFrameCallback(next);
  document.documentElement.append(video);
  video.play().catch(() => {});
  const isEnough = (): boolean => seen.frames >= enough.frames && seen.changes >= enough.changes;
  for (const end = performance.now() + ms; performance.now() < end && !isEnough();) await pause(STEP);
  seen.width = video.videoWidth;
  seen.height = video.videoHeight;
  video.srcObject = null;
  video.remove();
  return seen;
}

/** Energy per second that the decoder of this very track reports, by the connection that receives it. */
async function decodedEnergy(track: MediaStreamTrack): Promise<{ energy: number; duration: number } | null> {
  for (const connection of peerConnections) {
    const receiver = connection.getReceivers().find((each) => each.track === track);
    if (!receiver || connection.signalingState === 'closed') continue;
    for (const report of (await receiver.getStats()).values()) {
      const stats = report as RTCInboundRtpStreamStats;
      if (stats.type !== 'inbound-rtp' || stats.totalAudioEnergy === undefined) continue;
      return { energy: stats.totalAudioEnergy, duration: stats.totalSamplesDuration ?? 0 };
    }
  }
  return null;
}

async function soundByStatistics(track: MediaStreamTrack, ms: number): Promise<Sound> {
  const before = await decodedEnergy(track);
  await pause(ms);
  const after = await decodedEnergy(track);
  const duration = (after?.duration ?? 0) - (before?.duration ?? 0);
  const energy = (after?.energy ?? 0) - (before?.energy ?? 0);
  return { rms: duration > 0 ? Math.sqrt(energy / duration) : 0, via: 'statistics' };
}

let context: AudioContext | null = null;
let running: Promise<boolean> | null = null;

/**
 * An AudioContext runs at once in Chromium. In Firefox it stays suspended on a machine without a sound device, and
 * a null sink of PulseAudio makes it run; where there is neither, the decoder's statistics are taken instead.
 */
function listening(): Promise<boolean> {
  context ??= new native.AudioContext();
  const { state } = context;
  running ??=
    state === 'running'
      ? Promise.resolve(true)
      : Promise.race([context.resume().then(() => true), pause(1500).then(() => false)]);
  return running;
}

/** The loudest moment within `ms`; fake microphones beep about once a second. */
export async function sound(stream: MediaStream, ms: number, enough = NEVER): Promise<Sound> {
  const [track] = stream.getAudioTracks();
  if (!track) return { rms: 0, via: 'analyser' };
  if (!(await listening()) || !context) return soundByStatistics(track, ms);
  const own = new MediaStream([track]);
  // Chromium gives an AudioContext a remote stream's sound only while a media element holds the stream as well.
  const holder = new Audio();
  holder.muted = true;
  holder.srcObject = own;
  const source = context.createMediaStreamSource(own);
  const analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let rms = 0;
  for (const end = performance.now() + ms; performance.now() < end && rms < enough.rms; await pause(STEP)) {
    analyser.getFloatTimeDomainData(samples);
    rms = Math.max(rms, Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length));
  }
  source.disconnect();
  holder.srcObject = null;
  return { rms, via: 'analyser' };
}

/** Whether an element of the page plays this track aloud. */
export function playedAloud(track: MediaStreamTrack): boolean {
  for (const element of everyElement()) {
    if (!(element instanceof HTMLMediaElement) || !(element.srcObject instanceof MediaStream)) continue;
    if (!element.srcObject.getAudioTracks().includes(track)) continue;
    if (!element.muted && !element.paused && element.volume > 0) return true;
  }
  return false;
}

/** Whether an element of the page shows this track, at a size that a person can see. */
export function shown(track: MediaStreamTrack): boolean {
  for (const element of everyElement()) {
    if (!(element instanceof HTMLVideoElement) || !(element.srcObject instanceof MediaStream)) continue;
    if (!element.srcObject.getVideoTracks().includes(track) || element.paused || !element.videoWidth)
      continue;
    const box = element.getBoundingClientRect();
    if (box.width > 20 && box.height > 20) return true;
  }
  return false;
}
