/** Run in a page before its own scripts: a drawing stands for a screen, which headless Firefox has none of; 4 : 3, unlike cameras. */
export const DRAWN_SCREEN = `navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: 320, height: 240 });
  const pen = canvas.getContext('2d');
  const timer = setInterval(() => {
    pen.fillStyle = 'hsl(' + (Date.now() / 10) % 360 + ' 80% 50%)';
    pen.fillRect(0, 0, 320, 240);
  }, 100);
  const stream = canvas.captureStream(10);
  const [track] = stream.getVideoTracks();
  const stop = track.stop.bind(track);
  track.stop = () => (clearInterval(timer), stop());
  return stream;
};`;
