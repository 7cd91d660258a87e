/** Where tiles go in a box: pure geometry. */

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface GridOptions {
  /** Space between tiles. */
  readonly gap?: number;
  /** With two people the second floats over the first, small, at the bottom end. */
  readonly float?: boolean;
}

export interface GridLayout {
  /** From the inline start, row by row; never more than there are people. */
  readonly tiles: readonly Rect[];
  /** How many people have no tile of their own. When any, the last tile stands for them. */
  readonly hidden: number;
  /** Whether the second tile lies over the first. */
  readonly floating: boolean;
}

/** Tallest and widest shape a tile may bend to, as width by height. */
const MIN_ASPECT = 9 / 16;
const MAX_ASPECT = 2;
/** Shortest edge at which a face can still be recognised: below it, fewer tiles. */
const MIN_EDGE = 56;

/** All `count` tiles of one size, in the column count that shows the most of everybody. */
function arrange(count: number, boxWidth: number, boxHeight: number, gap: number): Rect[] {
  // Cropping is measured from the shape people usually send: wide into wide boxes, tall into tall ones.
  const usual = boxWidth >= boxHeight ? 16 / 9 : 3 / 4;
  // One tile alone may follow its box further than many may.
  const slack = count === 1 ? 1.2 : 1;
  let best = { score: -1, columns: 1, rows: count, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cellWidth = Math.max(0, (boxWidth - gap * (columns - 1)) / columns);
    const cellHeight = Math.max(0, (boxHeight - gap * (rows - 1)) / rows);
    const aspect = Math.min(
      MAX_ASPECT * slack,
      Math.max(MIN_ASPECT / slack, cellHeight && cellWidth / cellHeight),
    );
    const width = Math.min(cellWidth, cellHeight * aspect);
    const height = width / aspect;
    const kept = Math.min(aspect / usual, usual / aspect);
    const holes = columns * rows - count;
    const score = width * height * (0.6 + 0.4 * kept) * (1 - 0.02 * holes);
    if (score > best.score) best = { score, columns, rows, width, height };
  }
  const { columns, rows, width, height } = best;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns); // centres the last row too
    return {
      x: (boxWidth - inRow * (width + gap) + gap) / 2 + (index - row * columns) * (width + gap),
      y: (boxHeight - rows * (height + gap) + gap) / 2 + row * (height + gap),
      width,
      height,
    };
  });
}

/** A fifth of the width; in tall boxes more of it, and tall. */
function floatingTile(boxWidth: number, boxHeight: number, margin: number): Rect {
  const tall = boxHeight > boxWidth;
  const width = Math.max(84, Math.min(228, boxWidth * (tall ? 0.27 : 0.2)));
  const height = width * (tall ? 4 / 3 : boxWidth < 480 ? 3 / 4 : 9 / 16);
  return { x: boxWidth - width - margin, y: boxHeight - height - margin, width, height };
}

/** Lays `count` people out in a box, as large as they can be shown, at least one tile. */
export function gridLayout(
  count: number,
  width: number,
  height: number,
  { gap = 0, float = false }: GridOptions = {},
): GridLayout {
  if (float && count === 2) {
    const whole = { x: 0, y: 0, width, height };
    return { tiles: [whole, floatingTile(width, height, Math.max(8, gap))], hidden: 0, floating: true };
  }
  let shown = count;
  let tiles = arrange(shown, width, height, gap);
  while (shown > 1 && Math.min(tiles[0]!.width, tiles[0]!.height) < MIN_EDGE) {
    tiles = arrange(--shown, width, height, gap);
  }
  return { tiles, hidden: shown < count ? count - shown + 1 : 0, floating: false };
}
