import { html, type TemplateResult } from 'lit';
import { PmPart } from './base/pm-part.ts';
import { icon } from './icons.ts';
import { notice, spinner } from './notice.ts';
import { deviceProblems, endWords } from './problem-words.ts';
import { base, lobby, noticeStyle } from './styles/index.ts';

/**
 * @summary Before a call: see oneself, choose a name, microphone and camera, join. Nothing is captured before a click,
 *   and nobody in the room learns of it. Without camera or microphone one still joins.
 *
 * @event pm-preview-request - Asked to see oneself. Cancelable.
 * @event pm-join-request - Asked to join; `detail.name` is what was typed. Cancelable.
 *
 * @csspart form - Everything.
 * @csspart preview - The box with one's own picture.
 * @csspart name - The field for the name.
 * @csspart join - The button.
 * @csspart notice - What went wrong, when something did.
 */
export class PmLobby extends PmPart {
  static override styles = [base, noticeStyle, lobby];

  static override properties = { typed: { state: true } };
  private typed: string | null = null;

  private readonly all = this.select((state) => state);

  protected override fallbackFocus(): HTMLElement | null {
    return this.part$('[action=camera]');
  }

  protected override render(): TemplateResult {
    const state = this.all.value;
    const self = state?.participants[0];
    const { busy } = this;
    const failed = state?.phase === 'failed';
    const problems = deviceProblems(state?.problems ?? {}).map(({ text }) => text);
    const unseen =
      state?.wanted.camera && !state.problems.camera && !busy && self?.sources.camera.state === 'off';
    const button = (label: 'preview' | 'try-again', looks: string): TemplateResult =>
      html`<button class="btn ${looks}" type="button" @click=${this.preview}>${this.t(label)}</button>`;
    return html`<form class="gate" part="form" novalidate @submit=${this.join}>
      <div class="preview ${unseen ? 'unseen' : ''}" part="preview">
        <pm-video-tile participant="self" .for=${this.for}></pm-video-tile>
        ${unseen ? button('preview', 'see') : ''}
        <div class="devices">
          <pm-toggle action="mic" .for=${this.for}></pm-toggle>
          <pm-toggle action="camera" .for=${this.for}></pm-toggle>
        </div>
      </div>
      <div class="side">
        <h2><bdi>${state?.room}</bdi></h2>
        <div role="alert">
          ${(failed ? [endWords(state)] : problems).map((text) => notice(icon('warning'), text))}
        </div>
        ${problems.length && !failed && !busy ? button('try-again', '') : ''}
        <label>
          ${this.t('your-name')}
          <input
            part="name"
            name="name"
            autocomplete="name"
            maxlength="32"
            dir="auto"
            .value=${this.typed ?? self?.name ?? ''}
            @input=${({ target }: InputEvent) => (this.typed = (target as HTMLInputElement).value)}
          />
        </label>
        <button class="btn primary join" part="join" aria-busy=${busy}>
          ${busy ? spinner : ''}${this.t(busy ? 'joining' : 'join')}
        </button>
        <p class="hint muted">${this.t('unseen')}</p>
      </div>
    </form>`;
  }

  private get busy(): boolean {
    return this.all.value?.phase === 'joining';
  }

  private preview(): void {
    void this.request('preview', {});
  }

  private join(event: SubmitEvent): void {
    event.preventDefault();
    if (!this.busy) void this.request('join', this.typed === null ? {} : { name: this.typed.trim() });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-lobby': PmLobby;
  }
}
