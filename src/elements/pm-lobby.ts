import { html, nothing, type TemplateResult } from 'lit';
import { state } from 'lit/decorators.js';
import { PmPart } from './base/pm-part.ts';
import { icon } from './icons.ts';
import { deviceProblems, endWords, type Words } from './problem-words.ts';
import { base } from './styles/base.ts';
import { button } from './styles/button.ts';
import { lobby } from './styles/lobby.ts';
import { tokens } from './styles/tokens.ts';

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
 * @csspart problem - What went wrong, when something did.
 */
export class PmLobby extends PmPart {
  static override styles = [tokens, base, button, lobby];

  @state() private typed: string | null = null;

  private readonly all = this.select((state) => state);

  protected override fallbackFocus(): HTMLElement | null {
    return this.part$('.join');
  }

  protected override render(): TemplateResult {
    const state = this.all.value;
    const self = state?.participants[0];
    const busy = state?.phase === 'joining' || state?.phase === 'waiting';
    const problems = state ? deviceProblems(state.problems) : [];
    const unseen =
      state?.wanted.camera && !state.problems.camera && !busy && self?.sources.camera.state === 'off';
    const failed = state?.phase === 'failed' ? endWords(state) : null;
    return html`<form class="gate" part="form" novalidate @submit=${this.join}>
      <div class="preview ${unseen ? 'unseen' : ''}" part="preview">
        <pm-video-tile participant="self" .for=${this.for}></pm-video-tile>
        ${
          unseen
            ? html`<button class="btn text see" type="button" @click=${this.preview}>
                ${icon('camera')}${this.t('preview')}
              </button>`
            : nothing
        }
        <div class="devices">
          <pm-toggle action="mic" .for=${this.for}></pm-toggle>
          <pm-toggle action="camera" .for=${this.for}></pm-toggle>
        </div>
      </div>
      <div class="side">
        ${state?.room ? html`<h2 dir="auto">${state.room}</h2>` : nothing}
        <div class="problems" role="alert">
          ${failed ? this.card(failed) : problems.map((problem) => this.card(problem))}
        </div>
        ${
          problems.length && !failed && !busy
            ? html`<button class="btn text" type="button" @click=${this.preview}>
                ${this.t('try-again')}
              </button>`
            : nothing
        }
        <label>
          <span>${this.t('your-name')}</span>
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
        <button class="btn primary join" part="join" aria-busy=${busy ? 'true' : 'false'}>
          ${busy ? html`<i class="ring"></i>` : nothing}
          ${this.t(busy ? (state.phase === 'waiting' ? 'waiting' : 'joining') : 'join')}
        </button>
        <p class="hint muted">${icon('info')}${this.t('unseen')}</p>
      </div>
    </form>`;
  }

  private card({ title, hint }: Words): TemplateResult {
    return html`<p class="card" part="problem">
      ${icon('warning')}
      <span><b>${title}</b>${hint ? html`<span class="muted">${hint}</span>` : nothing}</span>
    </p>`;
  }

  private preview(): void {
    void this.request('preview', {});
  }

  private join(event: SubmitEvent): void {
    event.preventDefault();
    const { phase } = this.all.value ?? {};
    if (phase === 'joining' || phase === 'waiting') return;
    void this.request('join', this.typed === null ? {} : { name: this.typed.trim() });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-lobby': PmLobby;
  }
}
