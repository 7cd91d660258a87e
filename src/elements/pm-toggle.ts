import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { PmPart } from './base/pm-part.ts';
import { icon, type IconName } from './icons.ts';
import { deviceWords } from './problem-words.ts';
import { base } from './styles/base.ts';
import { button } from './styles/button.ts';
import { tokens } from './styles/tokens.ts';

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
  static override styles = [
    tokens,
    base,
    button,
    css`
      :host {
        display: inline-flex;
      }
      .btn {
        min-inline-size: max(var(--pm-target), 44px);
        min-block-size: max(var(--pm-target), 44px);
      }
      .off {
        background: var(--pm-danger-soft);
        color: var(--pm-danger-ink);
      }
      .danger {
        padding-inline: var(--_leave, 12px 14px);
        border-radius: var(--_leave-radius, var(--_radius));
      }
      .danger span {
        display: var(--_word, inline);
      }
      [aria-busy='true'] svg {
        opacity: 0.45;
      }
      .ring {
        position: absolute;
        inset: 0;
        margin: auto;
        inline-size: 34px;
      }
      .problem::after {
        content: '!';
        position: absolute;
        inset-block-start: -5px;
        inset-inline-end: -5px;
        inline-size: 20px;
        border-radius: 50%;
        background: var(--pm-warning-ink);
        color: var(--_surface);
        font: 700 13px/20px sans-serif;
        text-align: center;
      }
      @media (forced-colors: active) {
        .btn {
          border-color: ButtonText;
        }
        .off {
          border-style: dashed;
        }
      }
    `,
  ];

  /** What the button does. */
  @property() action: 'mic' | 'camera' | 'leave' = 'mic';

  private readonly phase = this.select(({ phase }) => phase);
  private readonly wanted = this.select(({ wanted }) => wanted);
  private readonly problems = this.select(({ problems }) => problems);
  private readonly sources = this.select(({ participants }) => participants[0]?.sources);

  protected override render(): TemplateResult {
    return this.action === 'leave' ? this.leave() : this.device(this.action);
  }

  private leave(): TemplateResult {
    const inside = ['joining', 'waiting', 'joined', 'reconnecting'].includes(this.phase.value ?? '');
    return html`<button
      class="btn danger"
      part="button"
      type="button"
      title=${this.t(inside ? 'leave' : 'not-in-call')}
      aria-label=${this.t('leave')}
      aria-disabled=${inside ? 'false' : 'true'}
      @click=${() => inside && this.request('leave', {})}
    >
      ${icon('leave')}<span>${this.t('leave')}</span>
    </button>`;
  }

  private device(device: 'mic' | 'camera'): TemplateResult {
    const source = this.sources.value?.[device].state;
    const problem = this.problems.value?.[device];
    const lost = source === 'lost';
    const on = !!this.wanted.value?.[device] && !problem && !lost;
    const pending = source === 'pending';
    this.mark({ on, pending, problem: !!problem });
    const name: IconName = on ? device : `${device}-off`;
    const hint = problem ? deviceWords([device], problem).title : this.t(`${device}-${on ? 'off' : 'on'}`);
    return html`<button
      class="btn ${on ? '' : 'off'} ${problem ? 'problem' : ''}"
      part="button"
      type="button"
      title=${hint}
      aria-label=${this.t(device)}
      aria-pressed=${on ? 'true' : 'false'}
      aria-busy=${pending ? 'true' : 'false'}
      aria-disabled=${this.call ? 'false' : 'true'}
      @click=${() => this.call && this.request(device, { on: !on })}
    >
      ${icon(name)}${pending ? html`<i class="ring"></i>` : nothing}
    </button>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-toggle': PmToggle;
  }
}
