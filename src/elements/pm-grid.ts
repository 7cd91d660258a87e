import { html, type PropertyValues, type TemplateResult } from 'lit';
import { gridLayout } from '../core/layout/grid-layout.ts';
import { PmPart } from './base/pm-part.ts';
import type { PmVideoTile } from './pm-video-tile.ts';
import { base, grid } from './styles/index.ts';

/**
 * @summary Everyone, laid out to fill the box. With one other person one's own picture floats at the bottom end; from
 *   three on it is the last tile.
 *
 * @csspart more - The tile that stands for those who find no room.
 * @csspart tile - Every tile; its own parts are `tile__media`, `tile__video`, `tile__avatar`, `tile__name`.
 *
 * @cssproperty [--pm-gap=8px] - Space between tiles.
 *
 * @cssstate alone - Nobody else is there.
 */
export class PmGrid extends PmPart {
  static override styles = [base, grid];

  static override properties = { layout: {} };
  /** `auto`; or `grid`, in which one's own picture never floats. */
  layout: 'auto' | 'grid' = 'auto';

  // A string, so that this element is drawn again only when somebody comes or goes: tiles draw themselves.
  private readonly people = this.select((state) =>
    state.participants.map(({ self, id }) => (self ? 'self' : id)).join('\n'),
  );
  private box: HTMLElement | null = null;
  private size = { width: 0, height: 0, gap: 0 };
  private count = 0;
  private readonly observer = new ResizeObserver(([entry]) => {
    const { width, height } = entry!.contentRect;
    this.size = { width, height, gap: this.box ? parseFloat(getComputedStyle(this.box).columnGap) || 0 : 0 };
    this.requestUpdate();
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
  }

  /** Others first, oneself last. */
  private get ids(): string[] {
    const [self, ...others] = this.people.value?.split('\n') ?? [];
    return self ? [...others, self] : [];
  }

  private arrange(): ReturnType<typeof gridLayout> {
    const { width, height, gap } = this.size;
    return gridLayout(this.ids.length, width, height, { gap, float: this.layout === 'auto' });
  }

  protected override render(): TemplateResult {
    const { hidden } = this.arrange();
    this.mark({ alone: this.ids.length === 1 });
    return html`<div class="box">
      <div class="more" part="more" role="img" aria-label=${this.t('more', hidden)} ?hidden=${!hidden}>
        +${hidden}
      </div>
    </div>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    this.box = this.part$('.box')!;
    // Not when somebody comes: every step would be laid out and painted while their first picture is waited for.
    const count = this.ids.length;
    this.box.classList.toggle('gliding', count < this.count);
    this.count = count;
    const { tiles, hidden, floating } = this.arrange();
    this.keep(this.ids.slice(0, tiles.length - (hidden ? 1 : 0)));
    // Positions are written and nothing is read back, so that a change costs one layout.
    tiles.forEach(({ x, y, width, height }, index) => {
      const child = this.box!.children[index] as HTMLElement;
      child.classList.toggle('floating', floating && index > 0);
      Object.assign(child.style, {
        insetInlineStart: `${x}px`,
        top: `${y}px`,
        width: `${width}px`,
        height: `${height}px`,
      });
    });
  }

  /** Everybody keeps their tile: one that is moved or made anew would start its picture over. */
  private keep(ids: readonly string[]): void {
    const tiles = new Map<string, PmVideoTile>();
    for (const tile of this.box!.querySelectorAll('pm-video-tile')) {
      if (ids.includes(tile.participant)) tiles.set(tile.participant, tile);
      else tile.remove();
    }
    ids.forEach((id, index) => {
      const tile = tiles.get(id) ?? this.tile(id);
      tile.for = this.for;
      const at = this.box!.children[index]!; // the last child stands for those without a tile
      if (at !== tile) at.before(tile);
    });
  }

  private tile(participant: string): PmVideoTile {
    const tile = this.ownerDocument.createElement('pm-video-tile');
    tile.participant = participant;
    tile.setAttribute('part', 'tile');
    tile.setAttribute(
      'exportparts',
      'media:tile__media,video:tile__video,avatar:tile__avatar,name:tile__name',
    );
    return tile;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-grid': PmGrid;
  }
}
