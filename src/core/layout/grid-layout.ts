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
  /** Widest and tallest shape a tile may bend to, as width by height. */
  readonly maxAspect?: number;
  readonly minAspect?: number;
  /** With two people the second floats over the first, small, at the bottom end. */
  readonly float?: boolean;
  /** Shortest edge at which a face can still be recognised: below it, fewer tiles. */
  readonly minEdge?: number;
}

export interface GridLayout {
  /** From the inline start, row by row; never more than there are people. */
  readonly tiles: readonly Rect[];
  /** How many people have no tile of their own. When any, the last tile stands for them. */
  readonly hidden: number;
  /** Whether the second tile lies over the first. */
  readonly floating: boolean;
}

/** All `count` tiles of one size, in the column count that shows the most of everybody. */
function arrange(count: number, width: number, height: number, options: Required<GridOptions>): Rect[] {
  const { gap, minAspect, maxAspect } = options;
  // Cropping is measured from the shape people usually send: wide into wide boxes, tall into tall ones.
  const usual = width >= height ? 16 / 9 : 3 / 4;
  // One tile alone may follow its box further than many may.
  const slack = count === 1 ? 1.2 : 1;
  let best = { score: -1, columns: 1, rows: count, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cellWidth = Math.max(0, (width - gap * (columns - 1)) / columns);
    const cellHeight = Math.max(0, (height - gap * (rows - 1)) / rows);
    if (!cellWidth || !cellHeight) continue;
    const aspect = Math.min(maxAspect * slack, Math.max(minAspect / slack, cellWidth / cellHeight));
    const tileWidth = Math.min(cellWidth, cellHeight * aspect);
    const tileHeight = tileWidth / aspect;
    const kept = Math.min(aspect, usual) / Math.max(aspect, usual);
    const holes = columns * rows - count;
    const score = tileWidth * tileHeight * (0.6 + 0.4 * kept) * (1 - 0.02 * holes);
    if (score > best.score) best = { score, columns, rows, width: tileWidth, height: tileHeight };
  }
  const top = (height - best.rows * best.height - (best.rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / best.columns);
    const inRow = Math.min(best.columns, count - row * best.columns);
    const start = (width - inRow * best.width - (inRow - 1) * gap) / 2; // centres the last row too
    return {
      x: start + (index - row * best.columns) * (best.width + gap),
      y: top + row * (best.height + gap),
      width: best.width,
      height: best.height,
    };
  });
}

/** A fifth of the width; in tall boxes more of it, and tall. */
function floatingTile(width: number, height: number, margin: number): Rect {
  const tall = height > width;
  const w = Math.max(84, Math.min(228, width * (tall ? 0.27 : 0.2)));
  const h = w * (tall ? 4 / 3 : width < 480 ? 3 / 4 : 9 / 16);
  return { x: width - w - margin, y: height - h - margin, width: w, height: h };
}

/** Lays `count` people out in a box, as large as they can be shown, at least one tile. */
export function gridLayout(
  count: number,
  width: number,
  height: number,
  options: GridOptions = {},
): GridLayout {
  const all = { gap: 0, minAspect: 9 / 16, maxAspect: 2, minEdge: 56, float: false, ...options };
  if (all.float && count === 2) {
    const whole = { x: 0, y: 0, width, height };
    return { tiles: [whole, floatingTile(width, height, Math.max(8, all.gap))], hidden: 0, floating: true };
  }
  for (let shown = count; shown > 0; shown--) {
    const tiles = arrange(shown, width, height, all);
    const edge = Math.min(tiles[0]?.width ?? 0, tiles[0]?.height ?? 0);
    if (edge >= all.minEdge || shown === 1)
      return { tiles, hidden: shown < count ? count - shown + 1 : 0, floating: false };
  }
  return { tiles: [], hidden: 0, floating: false };
}
