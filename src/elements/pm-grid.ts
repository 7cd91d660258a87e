import { css, html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { gridLayout } from '../core/index.ts';
import { PmPart } from './base/pm-part.ts';
import { base } from './styles/base.ts';
import { tokens } from './styles/tokens.ts';

/**
 * @summary Everyone, laid out to fill the box. With one other person one's own picture floats at the bottom end; from
 *   three on it is the last tile.
 *
 * @csspart more - The tile that stands for those who find no room.
 * @csspart tile - Every tile; its own parts are `tile__media`, `tile__video`, `tile__avatar`, `tile__name`.
 *
 * @cssproperty [--pm-gap] - Space between tiles.
 *
 * @cssstate alone - Nobody else is there.
 */
export class PmGrid extends PmPart {
  static override styles = [
    tokens,
    base,
    css`
      :host {
        display: block;
        position: relative;
        container-type: inline-size;
        min-inline-size: 0;
        min-block-size: 120px;
        --_flow: 1;
      }
      :host(:dir(rtl)) {
        --_flow: -1;
      }
      .box {
        --gap: var(--pm-gap, clamp(6px, 2px + 0.8cqi, 10px));
        position: absolute;
        inset: 0;
        column-gap: var(--gap);
      }
      .box > * {
        position: absolute;
        inset: 0 auto auto 0;
        inset-inline: 0 auto;
        inline-size: var(--w);
        block-size: var(--h);
        aspect-ratio: auto;
        translate: calc(var(--x) * var(--_flow)) var(--y);
      }
      /* Tiles glide when people come and go, and stick to the box while it is resized. */
      .gliding > * {
        transition-property: translate, inline-size, block-size;
        transition-duration: var(--pm-slow);
        transition-timing-function: var(--pm-ease);
      }
      .single {
        --_speaking: none;
      }
      .floating {
        --_speaking: 0 0 0 2px var(--_stage), 0 0 0 4px var(--pm-speaking), 0 6px 20px rgb(0 0 0 / 0.28);
        --_name-at: auto 6px;
        z-index: 1;
        margin-block-start: var(--_lift, 0);
        box-shadow:
          0 0 0 2px var(--_stage),
          0 6px 20px rgb(0 0 0 / 0.28);
      }
      .more {
        display: grid;
        place-items: center;
        border-radius: var(--_radius);
        background: var(--pm-field);
        color: var(--pm-ink-muted);
        font-size: clamp(15px, 4cqi, 26px);
        font-weight: 600;
      }
    `,
  ];

  /** `auto`; or `grid`, in which one's own picture never floats. */
  @property() layout: 'auto' | 'grid' = 'auto';

  // A string, so that this element is drawn again only when somebody comes or goes: tiles draw themselves.
  private readonly people = this.select((state) =>
    state.participants.map(({ self, id }) => (self ? 'self' : id)).join('\n'),
  );
  private size = { width: 0, height: 0, gap: 0 };
  private readonly observer = new ResizeObserver(([entry]) => {
    if (!entry || !this.box) return;
    const { shown } = this.layoutNow();
    const { width, height } = entry.contentRect;
    this.size = { width, height, gap: parseFloat(getComputedStyle(this.box).columnGap) || 0 };
    this.box.classList.remove('gliding');
    // Only how many find room needs drawing; where they go is set on the tiles themselves.
    if (this.layoutNow().shown === shown) this.place();
    else this.requestUpdate();
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
  }

  private get box(): HTMLElement | null {
    return this.part$('.box');
  }

  /** Others first, oneself last. */
  private get ids(): string[] {
    const [self, ...others] = this.people.value?.split('\n') ?? [];
    return self ? [...others, self] : [];
  }

  private layoutNow(): ReturnType<typeof gridLayout> & { shown: number } {
    const { width, height, gap } = this.size;
    const layout = gridLayout(this.ids.length, width, height, { gap, float: this.layout === 'auto' });
    return { ...layout, shown: layout.tiles.length - (layout.hidden ? 1 : 0) };
  }

  protected override render(): TemplateResult {
    const { shown, hidden, floating } = this.layoutNow();
    const ids = this.ids;
    this.mark({ alone: ids.length === 1 });
    return html`<div class="box">
      ${repeat(
        ids.slice(0, shown),
        (id) => id,
        (id, index) =>
          html`<pm-video-tile
            part="tile"
            exportparts="media:tile__media,video:tile__video,avatar:tile__avatar,name:tile__name"
            class=${floating && index ? 'floating' : floating || ids.length === 1 ? 'single' : ''}
            .participant=${id}
            .for=${this.for}
          ></pm-video-tile>`,
      )}
      ${
        hidden
          ? html`<div class="more" part="more" role="img" aria-label=${this.t('more', { count: hidden })}>
              +${hidden}
            </div>`
          : nothing
      }
    </div>`;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    // The first ones appear where they belong.
    if (this.size.width) this.box?.classList.add('gliding');
    this.place();
  }

  /** Writes positions and reads nothing back, so that a change costs one layout. */
  private place(): void {
    const { tiles } = this.layoutNow();
    [...(this.box?.children ?? [])].forEach((child, index) => {
      const rect = tiles[index];
      if (!rect) return;
      const { style } = child as HTMLElement;
      style.setProperty('--x', `${rect.x.toFixed(1)}px`);
      style.setProperty('--y', `${rect.y.toFixed(1)}px`);
      style.setProperty('--w', `${rect.width.toFixed(1)}px`);
      style.setProperty('--h', `${rect.height.toFixed(1)}px`);
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-grid': PmGrid;
  }
}
