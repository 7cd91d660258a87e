import { html, type TemplateResult } from 'lit';
import { PmPart } from './base/pm-part.ts';
import { base, controls } from './styles/index.ts';

/**
 * @summary The bar of a call: microphone and camera in the middle, leave set apart.
 *
 * @slot - Buttons instead of ours; all of them, leave included.
 * @slot start - Before the buttons: a name, a logo. Where the bar is narrow, it gives way.
 * @slot end - After the buttons, before leave.
 *
 * @csspart bar - The bar.
 * @csspart toggle - Every button of ours; its own part is `toggle__button`.
 */
export class PmControls extends PmPart {
  static override styles = [base, controls];

  static override properties = { own: { state: true } };
  private own = false;

  protected override render(): TemplateResult {
    this.describe('group', this.t('controls'));
    const toggle = (action: 'mic' | 'camera' | 'leave'): TemplateResult | null =>
      this.own
        ? null
        : html`<pm-toggle
            part="toggle"
            exportparts="button:toggle__button"
            action=${action}
            .for=${this.for}
          ></pm-toggle>`;
    return html`<div class="bar" part="bar">
      <slot name="start"></slot>
      <div class="mid"><slot @slotchange=${this.slotted}></slot>${toggle('mic')}${toggle('camera')}</div>
      <div class="end"><slot name="end"></slot>${toggle('leave')}</div>
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
