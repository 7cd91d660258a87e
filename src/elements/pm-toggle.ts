import { html, LitElement, type TemplateResult } from 'lit';
import { isActive } from '../core/index.ts';
import { PmPart } from './base/pm-part.ts';
import { icon } from './icons.ts';
import { spinner } from './notice.ts';
import { problem } from './problem-words.ts';
import { base, toggle } from './styles/index.ts';

/**
 * @summary One button of a call. It reads a fact and turns a click into one request; it never touches media.
 *
 * @event pm-mic-request - Clicked as the microphone's; `detail.on` is what is asked for. Cancelable.
 * @event pm-camera-request - Clicked as the camera's; `detail.on` is what is asked for. Cancelable.
 * @event pm-leave-request - Clicked as the leave button. Cancelable.
 *
 * @csspart button - The button itself.
 *
 * @cssproperty [--pm-control] - Fill of a button at rest.
 * @cssproperty [--pm-danger] - Fill of the leave button.
 * @cssproperty [--pm-target=44px] - Size of the button, never less than 44px.
 *
 * @cssstate on - Switched on.
 * @cssstate pending - Asked for, not yet real.
 * @cssstate problem - The device could not be had; the tooltip says why.
 */
export class PmToggle extends PmPart {
  static override shadowRootOptions = { ...LitElement.shadowRootOptions, delegatesFocus: true };
  static override styles = [base, toggle];

  static override properties = { action: {} };
  /** What the button does. */
  action: 'mic' | 'camera' | 'leave' = 'mic';

  private readonly state = this.select((state) => state);

  protected override render(): TemplateResult {
    return this.action === 'leave' ? this.leave() : this.device(this.action);
  }

  private leave(): TemplateResult {
    const inside = isActive(this.state.value?.phase ?? 'idle');
    return html`<button
      class="btn danger"
      part="button"
      type="button"
      aria-disabled=${!inside}
      @click=${() => inside && this.request('leave', {})}
    >
      ${icon('leave')}${this.t('leave')}
    </button>`;
  }

  private device(device: 'mic' | 'camera'): TemplateResult {
    const { wanted, problems, participants } = this.state.value ?? {};
    const source = participants?.[0]?.sources[device].state;
    const code = problems?.[device];
    const on = !!wanted?.[device] && !code && source !== 'lost';
    const pending = source === 'pending';
    this.mark({ on, pending, problem: !!code });
    return html`<button
      class="btn ${on ? '' : 'off'} ${code ? 'problem' : ''}"
      part="button"
      type="button"
      title=${code ? problem(code, device).text : this.t(on ? 'turn-off' : 'turn-on', this.t(`your-${device}`))}
      aria-label=${this.t(device)}
      aria-pressed=${on}
      aria-busy=${pending}
      aria-disabled=${!this.call}
      @click=${() => this.call && this.request(device, { on: !on })}
    >
      ${icon(device, !on)}${pending ? spinner : ''}
    </button>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-toggle': PmToggle;
  }
}
