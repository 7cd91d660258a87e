/** Stops a track of ours. Whoever keeps it, a page or the browser, keeps nothing of the call with it. */
export function halt(track: MediaStreamTrack): void {
  track.onended = null;
  track.stop();
}
