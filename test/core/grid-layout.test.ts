import { expect } from '@open-wc/testing';
import { gridLayout, type Rect } from '../../src/core/layout/grid-layout.ts';

const BOXES = [
  [1280, 720],
  [768, 560],
  [390, 760],
  [320, 240],
  [1900, 300],
  [200, 1200],
] as const;

function overlap(a: Rect, b: Rect): boolean {
  const slack = 0.01;
  return (
    a.x + a.width > b.x + slack &&
    b.x + b.width > a.x + slack &&
    a.y + a.height > b.y + slack &&
    b.y + b.height > a.y + slack
  );
}

describe('gridLayout', () => {
  it('keeps every tile inside the box, apart from the others, of one size and shape', () => {
    for (const [width, height] of BOXES) {
      for (let count = 1; count <= 25; count++) {
        const { tiles, hidden } = gridLayout(count, width, height, { gap: 8 });
        const where = `${count} in ${width}x${height}`;
        expect(tiles.length + (hidden ? hidden - 1 : 0), where).to.equal(count);
        tiles.forEach((tile, index) => {
          expect(tile.x, where).to.be.at.least(-0.01);
          expect(tile.y, where).to.be.at.least(-0.01);
          expect(tile.x + tile.width, where).to.be.at.most(width + 0.01);
          expect(tile.y + tile.height, where).to.be.at.most(height + 0.01);
          expect(tile.width, where).to.equal(tiles[0]!.width);
          expect(tile.height, where).to.equal(tiles[0]!.height);
          for (const other of tiles.slice(index + 1)) expect(overlap(tile, other), where).to.equal(false);
        });
        const aspect = tiles[0]!.width / tiles[0]!.height;
        expect(aspect, where).to.be.within(0.46, 2.41);
      }
    }
  });

  it('gives one person the whole box, as far as a picture may bend', () => {
    expect(gridLayout(1, 1280, 720).tiles).to.deep.equal([{ x: 0, y: 0, width: 1280, height: 720 }]);
  });

  it('stacks two people in a tall box and sets them side by side in a wide one', () => {
    const [a, b] = gridLayout(2, 390, 760, { gap: 8 }).tiles;
    expect(a!.x).to.equal(b!.x);
    const [c, d] = gridLayout(2, 1280, 500, { gap: 8 }).tiles;
    expect(c!.y).to.equal(d!.y);
  });

  it('centres the last row', () => {
    const { tiles } = gridLayout(5, 1280, 720, { gap: 8 });
    const last = tiles.slice(3);
    const start = last[0]!.x;
    const end = 1280 - (last.at(-1)!.x + last.at(-1)!.width);
    expect(start).to.be.closeTo(end, 0.01);
    expect(start).to.be.greaterThan(tiles[0]!.x);
  });

  it('shows fewer tiles rather than faces that cannot be recognised', () => {
    const { tiles, hidden } = gridLayout(25, 240, 160, { gap: 4 });
    expect(Math.min(tiles[0]!.width, tiles[0]!.height)).to.be.at.least(56);
    expect(hidden).to.equal(25 - tiles.length + 1);
  });

  it('floats the second of two over the first, at the bottom end', () => {
    const { tiles, floating } = gridLayout(2, 1280, 720, { gap: 8, float: true });
    expect(floating).to.equal(true);
    expect(tiles[0]).to.deep.equal({ x: 0, y: 0, width: 1280, height: 720 });
    expect(tiles[1]!.width).to.be.closeTo(228, 1);
    expect(tiles[1]!.x + tiles[1]!.width).to.equal(1272);
    expect(tiles[1]!.y + tiles[1]!.height).to.equal(712);
  });

  it('survives boxes without room, and nobody', () => {
    expect(gridLayout(0, 100, 100)).to.deep.equal({ tiles: [], hidden: 0, floating: false });
    expect(gridLayout(3, 0, 0).tiles).to.have.length(1);
    expect(gridLayout(3, 5, 5, { gap: 10 }).tiles.every(({ width }) => width >= 0)).to.equal(true);
  });
});
