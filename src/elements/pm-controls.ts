import { css, html, nothing, type TemplateResult } from 'lit';
import { state } from 'lit/decorators.js';
import { PmPart } from './base/pm-part.ts';
import { base } from './styles/base.ts';
import { tokens } from './styles/tokens.ts';

/**
 * @summary The bar of a call: microphone and camera in the middle, leave set apart.
 *
 * @slot - Buttons instead of ours; all of them, leave included.
 * @slot start - Before the buttons: a name, a logo.
 * @slot end - After the buttons, before leave.
 *
 * @csspart bar - The bar.
 * @csspart toggle - Every button of ours; its own part is `toggle__button`.
 */
export class PmControls extends PmPart {
  static override styles = [
    tokens,
    base,
    css`
      :host {
        display: block;
        container-type: inline-size;
      }
      .bar {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto minmax(max-content, 1fr);
        align-items: center;
        gap: 8px 16px;
        inline-size: var(--_bar-size, auto);
        margin-inline: auto;
        border-radius: calc(var(--_radius) + 2px);
        background: var(--_bar, none);
      }
      .mid,
      .end {
        display: flex;
        align-items: center;
        gap: var(--_bar-gap, 8px);
      }
      .mid {
        grid-column: 2;
      }
      .end {
        justify-content: end;
      }
      @container (width < 880px) {
        pm-toggle {
          --_word: none;
          --_leave: var(--_leave-slim, 10px);
        }
      }
      @container (width < 690px) {
        .bar {
          display: flex;
          justify-content: center;
          gap: var(--_bar-gap, 8px);
        }
        slot[name='start'] {
          display: none;
        }
      }
      @container (width < 440px) {
        .bar {
          --pm-target: var(--_bar-target, 48px);
          gap: var(--_bar-gap, 12px);
        }
        .mid {
          gap: var(--_bar-gap, 12px);
        }
      }
    `,
  ];

  @state() private own = false;

  protected override render(): TemplateResult {
    this.describe('group', this.t('controls'));
    const toggle = (action: 'mic' | 'camera' | 'leave') =>
      html`<pm-toggle
        part="toggle"
        exportparts="button:toggle__button"
        action=${action}
        .for=${this.for}
      ></pm-toggle>`;
    return html`<div class="bar" part="bar">
      <slot name="start"></slot>
      <div class="mid">
        <slot @slotchange=${this.slotted}></slot>
        ${this.own ? nothing : [toggle('mic'), toggle('camera')]}
      </div>
      <div class="end"><slot name="end"></slot>${this.own ? nothing : toggle('leave')}</div>
    </div>`;
  }

  private slotted({ target }: Event): void {
    this.own = (target as HTMLSlotElement).assignedElements().length > 0;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-controls': PmControls;
  }
}
