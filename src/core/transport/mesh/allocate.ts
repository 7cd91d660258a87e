/** Who gets how much of the uplink, and what that means for an encoder. Pure. */

/** What one receiver would like of one picture. */
export interface Demand {
  /** Pixels shown there; 0 while nobody looks. */
  readonly pixels: number;
  /** Pixels as captured. */
  readonly captured: number;
  readonly screen: boolean;
  /** Shown as the speaker, or nobody else is. */
  readonly first: boolean;
}

/** The part of `RTCRtpEncodingParameters` that is set; always whole. */
export interface Encoding {
  readonly active: boolean;
  readonly maxBitrate: number;
  readonly scaleResolutionDownBy: number;
  readonly maxFramerate: number;
}

/** Bit/s for a pixel at which a picture of VP8 looks well at 30 pictures a second. */
const BITS_PER_PIXEL = 2.4;
const MOST = 1_500_000;
const MOST_SCREEN = 2_500_000;
const LEAST_SCREEN = 200_000;
/** Less than this shows nothing: a tile that is seen at all gets as much. Bit/s. */
export const LEAST = 30_000;
/** Of what a speaker would get, for everybody else: it spares the receivers' downlinks. */
const LISTENER = 0.6;
/** Small pictures and thin lines do with fewer. */
const FRAME_RATE = 30;
const LOW_FRAME_RATE = 15;
const SMALL = 30_000;
const THIN = 60_000;
/** Encoders restart at every change of size: a few steps are enough. */
const SCALES = [1, 1.5, 2, 3, 4, 6, 8];

export function targetOf({ pixels, captured, screen, first }: Demand): number {
  if (!pixels) return 0;
  const full = Math.min(pixels, captured) * BITS_PER_PIXEL;
  return screen
    ? Math.min(Math.max(full, LEAST_SCREEN), MOST_SCREEN)
    : Math.max(Math.min(full, MOST) * (first ? 1 : LISTENER), LEAST);
}

/** Bit/s for each demand: the least for everybody who looks, then the speaker up to the target, then the others. */
export function share(demands: readonly Demand[], budget: number): number[] {
  const targets = demands.map(targetOf);
  const shares = targets.map((target) => Math.min(target, LEAST));
  let left = budget - shares.reduce((sum, each) => sum + each, 0);
  for (const first of [true, false]) {
    const missing = targets.map((target, index) =>
      demands[index]!.first === first ? target - shares[index]! : 0,
    );
    const sum = missing.reduce((total, each) => total + each, 0);
    const part = Math.min(1, Math.max(0, left) / (sum || 1));
    missing.forEach((each, index) => (shares[index]! += each * part));
    left -= sum * part;
  }
  return shares;
}

/** @param before what is set now: sizes come back with a margin, so that they do not flap */
export function encodingOf({ pixels, captured }: Demand, bitrate: number, before: Encoding | null): Encoding {
  if (!pixels) {
    return { active: false, maxBitrate: LEAST, scaleResolutionDownBy: SCALES.at(-1)!, maxFramerate: 1 };
  }
  const scaleAt = (rate: number) => {
    const ratio = Math.sqrt(captured / Math.min(pixels, (rate * 2) / BITS_PER_PIXEL, captured));
    return SCALES.filter((step) => step <= ratio * 1.01).at(-1) ?? 1;
  };
  const scale = scaleAt(bitrate);
  const held = before?.active && scale < before.scaleResolutionDownBy ? scaleAt(bitrate / 1.25) : scale;
  return {
    active: true,
    maxBitrate: Math.round(bitrate / 1_000) * 1_000,
    scaleResolutionDownBy: held,
    maxFramerate: pixels < SMALL || bitrate < THIN ? LOW_FRAME_RATE : FRAME_RATE,
  };
}
