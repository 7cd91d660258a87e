/**
 * A camera whose picture is hard to compress. The fake one needs 200 kbit/s, which no thin line would feel; this one
 * takes what it is given. For Chromium: `--use-file-for-fake-video-capture`.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES = 20;
/** Grey levels by which pixels differ from their surroundings: enough to cost bits, little enough to be a picture. */
const NOISE = 0x3f;

/** YUV4MPEG2, 4:2:0: a bar that wanders over noise. */
function clip(): Buffer {
  const frames: Buffer[] = [
    Buffer.from(`YUV4MPEG2 W${String(WIDTH)} H${String(HEIGHT)} F10:1 Ip A1:1 C420jpeg\n`),
  ];
  const colours = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  for (let frame = 0; frame < FRAMES; frame++) {
    const grey = randomBytes(WIDTH * HEIGHT);
    const bar = (frame * WIDTH) / FRAMES;
    for (let index = 0; index < grey.length; index++) {
      const lit = Math.abs((index % WIDTH) - bar) < WIDTH / 10;
      grey[index] = ((grey[index] ?? 0) & NOISE) + (lit ? 180 : 60);
    }
    frames.push(Buffer.from('FRAME\n'), grey, colours);
  }
  return Buffer.concat(frames);
}

let path: string | undefined;

/** The flag, with a clip of its own for this process, in the system's temporary folder. */
export function noisyCamera(): string {
  if (!path) {
    path = join(mkdtempSync(join(tmpdir(), 'pm-clip-')), 'noise.y4m');
    writeFileSync(path, clip());
  }
  return `--use-file-for-fake-video-capture=${path}`;
}
