/**
 * The stopwatch, the same in every variant, before the page's first script: `bench.clicked()` starts it, and the
 * first frame of somebody else that any `<video>` of the page presents stops it (or of each other person, in a mesh). It only listens: no variant plays
 * anything more or anything else because of it.
 */
(() => {
  const own = new Set();
  const bench = {
    clickedAt: 0,
    firstFrameAt: 0,
    /** When the first picture of each other person was presented, by the track. */
    seen: new Map(),
    clicked: () => (bench.clickedAt = Date.now()),
    /** When so many others had been seen; 0 while they have not. */
    sawAll: (count) =>
      bench.seen.size < count ? 0 : [...bench.seen.values()].sort((a, b) => a - b)[count - 1],
  };
  window.bench = bench;

  const capture = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await capture(constraints);
    for (const track of stream.getTracks()) own.add(track.id);
    return stream;
  };
  const clone = MediaStreamTrack.prototype.clone;
  MediaStreamTrack.prototype.clone = function () {
    const copy = clone.call(this);
    own.add(copy.id);
    return copy;
  };

  /** Whether what the element plays comes from somebody else; undefined while it has no picture at all. */
  function isRemote(video) {
    const tracks = video.srcObject instanceof MediaStream ? video.srcObject.getVideoTracks() : [];
    return tracks.length ? tracks.some((track) => !own.has(track.id)) : undefined;
  }
  const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    ...source,
    set(stream) {
      source.set.call(this, stream);
      if (!stream || !(this instanceof HTMLVideoElement) || isRemote(this) === false) return;
      const presented = () => {
        const now = Date.now();
        if (!isRemote(this)) return void this.requestVideoFrameCallback(presented);
        bench.firstFrameAt ||= now;
        const [{ id }] = this.srcObject.getVideoTracks();
        if (!bench.seen.has(id)) bench.seen.set(id, now);
      };
      this.requestVideoFrameCallback(presented);
    },
  });
})();
