import { aTimeout, expect, waitUntil } from '@open-wc/testing';
import type { PmVideoTile } from '../../src/index.ts';
import { deep, drawn, joined, picture, textOf } from '../support/room.ts';

const tiles = (room: Element): PmVideoTile[] => [
  ...deep(room, 'pm-grid').shadowRoot!.querySelectorAll('pm-video-tile'),
];

describe('<pm-video-tile>', () => {
  it('says how large it is seen, and when it is not any more', async () => {
    const { room, call } = await joined(['Maya']);
    const [tile] = tiles(room);
    const last = () => call.shown.at(-1) ?? [];
    await waitUntil(() => last()[2], 'a size');
    const { width, height } = tile!.getBoundingClientRect();
    expect(last().slice(0, 2)).to.deep.equal(['p0', 'camera']);
    const said = last()[2] as { width: number; height: number };
    expect(said.width).to.be.closeTo(width * devicePixelRatio, 2);
    expect(said.height).to.be.closeTo(height * devicePixelRatio, 2);
    const viewer = last()[3];
    room.style.display = 'none';
    await waitUntil(() => last()[2] === null, 'hidden');
    room.style.display = '';
    await waitUntil(() => last()[2], 'back');
    room.style.marginTop = '9000px';
    await waitUntil(() => last()[2] === null, 'scrolled away');
    room.style.marginTop = '';
    await waitUntil(() => last()[2], 'back again');
    call.remove('p0');
    await waitUntil(() => last()[2] === null, 'gone');
    expect(last()[0]).to.equal('p0');
    expect(last()[3] === viewer, 'by the same viewer').to.equal(true);
    expect(call.shown.some(([id]) => id !== 'p0')).to.equal(false);
  });

  it('shows initials until there is a picture, then the picture', async () => {
    const { room, call } = await joined(['Maya Lindqvist']);
    const [tile] = tiles(room);
    expect(textOf(deep(tile!, '.avatar')).replace('\u200c', '').trim()).to.equal('ML');
    expect(tile!.matches(':state(no-video)')).to.equal(true);
    const stream = picture();
    call.source('p0', 'camera', { state: 'on', stream });
    await waitUntil(() => !tile!.matches(':state(no-video)'), 'a first frame');
    const video = deep<HTMLVideoElement>(tile!, 'video');
    expect(video.srcObject).to.equal(stream);
    expect(video.muted).to.equal(true);
    let loads = 0;
    video.addEventListener('loadstart', () => loads++);
    call.source('p0', 'mic', { state: 'silenced' });
    await drawn();
    expect(loads, 'the stream was set once').to.equal(0);
    call.source('p0', 'camera', { state: 'off' });
    await drawn();
    expect(tile!.matches(':state(no-video)')).to.equal(true);
    stream.getTracks().forEach((track) => track.stop());
  });

  it('says facts as states, and in words', async () => {
    const { room, call } = await joined(['Maya']);
    const [maya, self] = tiles(room);
    expect(self!.matches(':state(self)')).to.equal(true);
    expect(textOf(deep(self!, '.name'))).to.contain('You');
    call.source('p0', 'mic', { state: 'silenced' });
    await drawn();
    expect(maya!.matches(':state(silenced)')).to.equal(true);
    expect(textOf(deep(maya!, '.name'))).to.contain('muted');
    for (const [link, words] of [
      ['connecting', 'Connecting'],
      ['interrupted', 'Reconnecting'],
      ['failed', 'No connection'],
    ] as const) {
      call.update('p0', { link });
      await drawn();
      expect(textOf(maya!)).to.contain(words);
    }
  });

  it('shows hostile and odd names as inert text', async () => {
    const names = [
      '<img src=x onerror=alert(1)>',
      '${7*7} {{name}} {name}',
      '\u202eevil',
      'a'.repeat(400),
      '👩‍👩‍👧 Family',
      '"><script>alert(1)</script>',
      '   ',
    ];
    const { room } = await joined(names);
    tiles(room).forEach((tile, index) => {
      expect(tile.shadowRoot!.querySelector('img, script')).to.equal(null);
      const shown = deep(tile, '.name span').textContent;
      if (index < names.length - 1) expect(shown).to.equal(names[index]);
      const { width } = deep(tile, '.name').getBoundingClientRect();
      expect(width).to.be.at.most(tile.getBoundingClientRect().width);
    });
  });
});

describe('<pm-grid>', () => {
  it('draws one tile when one person changes, and no other', async () => {
    const { room, call } = await joined(['Maya', 'Jonas', 'Priya']);
    const drawnTiles: (string | undefined)[] = [];
    const grid = deep<HTMLElement & { updated(changed: unknown): void }>(room, 'pm-grid');
    for (const element of [grid, ...tiles(room)] as (HTMLElement & { updated(changed: unknown): void })[]) {
      const updated = element.updated.bind(element);
      element.updated = (changed) => {
        drawnTiles.push((element as Partial<PmVideoTile>).participant ?? element.localName);
        updated(changed);
      };
    }
    call.update('p1', { hand: true });
    await drawn();
    expect(drawnTiles).to.deep.equal(['p1']);
  });

  it('keeps everybody’s tile when others come and go', async () => {
    const { room, call } = await joined(['Maya', 'Jonas', 'Priya']);
    const before = tiles(room);
    call.remove('p0');
    await drawn();
    expect(tiles(room)).to.deep.equal(before.slice(1));
    call.add('p9', 'Kenji');
    await drawn();
    expect(tiles(room)[0]).to.equal(before[1]);
    expect(tiles(room).at(-1)).to.equal(before.at(-1));
  });

  it('floats oneself at the bottom end with one other, mirrored in right-to-left', async () => {
    const { room } = await joined(['Maya']);
    const inset = (): number[] => {
      const grid = deep(room, 'pm-grid').getBoundingClientRect();
      const self = tiles(room)[1]!.getBoundingClientRect();
      return [self.left - grid.left, grid.right - self.right, grid.bottom - self.bottom].map(Math.round);
    };
    await waitUntil(() => inset()[0]! > 100, 'the tile has found its place');
    await aTimeout(400);
    const [left, right, bottom] = inset();
    expect(left!).to.be.greaterThan(right!);
    expect(bottom).to.be.within(0, 12);
    document.documentElement.dir = 'rtl';
    await aTimeout(400);
    const mirrored = inset();
    document.documentElement.removeAttribute('dir');
    expect(mirrored).to.deep.equal([right, left, bottom]);
    room.layout = 'grid';
    const widths = (): number[] => tiles(room).map((tile) => tile.getBoundingClientRect().width);
    await waitUntil(() => Math.abs(widths()[0]! - widths()[1]!) < 60, 'tiles of one size');
  });

  it('fills its box anew when the box changes', async () => {
    const { room } = await joined(['Maya', 'Jonas', 'Priya']);
    room.style.cssText = 'width: 900px; height: 500px';
    await drawn();
    await drawn();
    const before = tiles(room).map((tile) => tile.getBoundingClientRect().width);
    room.style.width = '500px';
    await waitUntil(() => tiles(room)[0]!.getBoundingClientRect().width < before[0]!);
    for (const tile of tiles(room)) {
      const box = tile.getBoundingClientRect();
      const outer = room.getBoundingClientRect();
      expect(box.left >= outer.left && box.right <= outer.right + 1).to.equal(true);
    }
  });
});
