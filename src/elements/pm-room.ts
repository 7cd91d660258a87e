import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { Phase } from '../core/index.ts';
import { read } from './base/attributes.ts';
import { language } from './base/localize.ts';
import { RoomElement, type Happening } from './base/room-element.ts';
import { icon, type IconName } from './icons.ts';
import type { WordKey } from './locales/en.ts';
import { deviceProblems, endWords } from './problem-words.ts';
import { base } from './styles/base.ts';
import { button } from './styles/button.ts';
import { room } from './styles/room.ts';
import { tokens } from './styles/tokens.ts';

type Screen = 'lobby' | 'call' | 'end';

/** One thing that the room has to say. What can be done about it may also be declined. */
interface Notice {
  icon: IconName | 'ring';
  title: string;
  hint?: string;
  action?: { label: WordKey; run: () => void };
  close?: () => void;
}

/**
 * @summary A whole call: lobby, everyone in a grid, controls. What is put inside replaces the default interface and
 *   finds the call by context. Removing the element ends the call; moving it does not.
 *
 * @slot - An interface of the page's own, instead of the default one.
 *
 * @event pm-state-change - The phase changed; `detail` is `{state, reason}`.
 * @event pm-joined - One is in the room.
 * @event pm-left - One is no longer in the room; `detail.reason` says why.
 * @event pm-ready - In a two-person call both are there; `detail.role` is `caller` or `callee`.
 * @event pm-participant-joined - Somebody came.
 * @event pm-participant-updated - Something about somebody changed; `detail.changed` names it.
 * @event pm-participant-left - Somebody went.
 * @event pm-track - Somebody's media arrived; `detail` is `{participant, source, stream}`.
 * @event pm-error - Something failed; `detail` is `{code, recoverable, error}`.
 *
 * @csspart lobby - The lobby.
 * @csspart grid - Everyone. Parts of the tiles are `tile`, `tile__media`, `tile__video`, `tile__avatar`, `tile__name`.
 * @csspart controls - The bar. Its buttons are `toggle__button`.
 * @csspart notice - What the room has to say, over the picture.
 * @csspart end - The screen after a call.
 *
 * @cssproperty [--pm-accent] - The one thing to do.
 * @cssproperty [--pm-stage] - Behind the tiles.
 * @cssproperty [--pm-surface] - Cards and notices.
 * @cssproperty [--pm-ink] - Text and icons.
 * @cssproperty [--pm-font] - The typeface.
 * @cssproperty [--pm-radius=12px] - Corners of tiles, buttons and cards.
 * @cssproperty [--pm-room-radius=0] - Corners of the room itself.
 *
 * @cssstate own - Shows an interface of the page's own.
 */
export class PmRoom extends RoomElement {
  static override styles = [tokens, base, button, room];

  /** `grid`: one's own picture never floats. */
  @property({ converter: read('layout') }) layout: 'auto' | 'grid' = 'auto';
  /** Colours: `auto` follows the reader's system. */
  @property({ reflect: true, converter: read('theme') }) theme: 'auto' | 'light' | 'dark' = 'auto';
  /** Features left out, by name: `lobby`. */
  @property() hide = '';

  @state() private own = false;
  /** The words of the notice that was closed; another one shows again. */
  @state() private closed = '';

  private shown: Screen | null = null;
  private readonly phase = this.select(({ phase }) => phase);
  private readonly problems = this.select(
    ({ problems }) => problems,
    (now, before) => {
      for (const { devices, title } of deviceProblems(now)) {
        if (devices.some((device) => now[device] !== before[device])) this.say(title);
      }
    },
  );
  private readonly others = this.select(({ participants }) => participants.length - 1);
  private readonly name = this.select((state) => state.room);

  protected override fallbackFocus(): HTMLElement | null {
    return this.part$('.screen');
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    this.shown = this.screenFor(this.phase.value ?? 'idle');
  }

  /** Joining stays where it was asked for, and a failure where it can be mended. */
  private screenFor(phase: Phase): Screen {
    const lobby = this.autojoin || this.hide.split(/\s+/).includes('lobby') ? 'call' : 'lobby';
    if (phase === 'idle' || phase === 'lobby') return lobby;
    if (phase === 'joined' || phase === 'reconnecting') return 'call';
    if (phase === 'joining' || phase === 'waiting') return this.shown ?? 'call';
    return phase === 'failed' && this.shown === 'lobby' ? 'lobby' : 'end';
  }

  protected override render(): TemplateResult {
    const screens = { lobby: () => this.lobby(), call: () => this.inCall(), end: () => this.over() };
    this.mark({ own: this.own });
    // The slot is always there: it tells when the page puts something inside, also later.
    return html`<slot ?hidden=${!this.own} @slotchange=${this.slotted}></slot>
      <div class="shell" lang=${language} ?hidden=${this.own}>
        <section class="screen" tabindex="-1" aria-label=${this.t('call')}>
          ${this.own ? nothing : screens[this.shown ?? 'lobby']()}
        </section>
      </div>
      <div class="log sr" role="log" lang=${language}></div>
      <div class="sound" hidden></div>`;
  }

  private lobby(): TemplateResult {
    return html`<pm-lobby part="lobby"></pm-lobby>`;
  }

  private inCall(): TemplateResult {
    const alone = this.phase.value === 'joined' && !this.others.value;
    return html`
      <header class="head cut" dir="auto">${this.name.value}</header>
      <div class="stage gap">
        <pm-grid
          part="grid"
          exportparts="tile,tile__media,tile__video,tile__avatar,tile__name,more"
          .layout=${this.layout}
        ></pm-grid>
        <div class="notices">${this.notice(this.news())}</div>
        ${
          alone
            ? html`<div class="notices low">
                ${this.notice({ icon: 'info', title: this.t('alone'), hint: this.t('alone-hint') })}
              </div>`
            : nothing
        }
      </div>
      <pm-controls class="gap" part="controls" exportparts="bar,toggle__button">
        <span slot="start" class="name cut" dir="auto">${this.name.value}</span>
      </pm-controls>
    `;
  }

  private over(): TemplateResult {
    const { title, hint } = endWords(this.snapshot);
    const busy = this.phase.value === 'joining' || this.phase.value === 'waiting';
    const again = this.phase.value === 'failed' ? 'try-again' : 'join-again';
    return html`<div class="end" part="end">
      <h2>${busy ? this.t('joining') : title}</h2>
      ${busy ? nothing : html`<p class="muted" dir="auto">${hint || this.name.value}</p>`}
      <button
        class="btn text primary"
        type="button"
        aria-busy=${busy ? 'true' : 'false'}
        @click=${() => busy || this.request('join')}
      >
        ${busy ? html`<i class="ring"></i>` : nothing}${this.t(busy ? 'joining' : again)}
      </button>
    </div>`;
  }

  /** What there is to say: one thing at a time, the gravest first. */
  private news(): Notice | null {
    if (this.phase.value === 'reconnecting') {
      return { icon: 'ring', title: this.t('reconnecting'), hint: this.t('reconnecting-hint') };
    }
    if (this.phase.value === 'joining') return { icon: 'ring', title: this.t('joining') };
    if (this.audio.blocked) {
      return {
        icon: 'warning',
        title: this.t('no-sound'),
        action: { label: 'play-sound', run: this.audio.resume },
      };
    }
    const [problem] = deviceProblems(this.problems.value ?? {});
    if (!problem || this.closed === problem.title) return null;
    return {
      icon: 'warning',
      title: problem.title,
      hint: problem.hint,
      action: {
        label: 'try-again',
        run: () => problem.devices.forEach((device) => void this.request(device, { on: true })),
      },
      close: () => (this.closed = problem.title),
    };
  }

  private notice(notice: Notice | null): TemplateResult | typeof nothing {
    if (!notice) return nothing;
    const { icon: sign, title, hint, action, close } = notice;
    return html`<div class="notice ${sign === 'info' ? 'calm' : ''}" part="notice">
      ${sign === 'ring' ? html`<i class="ring"></i>` : icon(sign)}
      <div class="words"><b>${title}</b>${hint ? html`<p>${hint}</p>` : nothing}</div>
      ${
        action
          ? html`<div class="acts">
              <button class="btn text field" type="button" @click=${action.run}>
                ${this.t(action.label)}
              </button>
              ${
                close
                  ? html`<button
                      class="btn quiet"
                      type="button"
                      aria-label=${this.t('close')}
                      @click=${close}
                    >
                      ${icon('close')}
                    </button>`
                  : nothing
              }
            </div>`
          : nothing
      }
    </div>`;
  }

  protected override noticed(...[name, detail]: Happening): void {
    if (name === 'participant-joined' || name === 'participant-left') {
      const who = detail.participant.name || this.t('guest');
      if (this.state === 'joined')
        this.say(this.t(name === 'participant-left' ? 'left' : 'joined', { name: who }));
    } else if (name === 'state-change') {
      if (detail.state === 'reconnecting') this.say(this.t('reconnecting'));
      if (detail.state === 'left' || detail.state === 'failed') this.say(endWords(this.snapshot).title);
    }
  }

  /** Speaks to people who do not see: appended, so that each is read once; a few are kept to be read again. */
  private say(text: string): void {
    const line = this.ownerDocument.createElement('p');
    line.textContent = text;
    const log = this.part$('.log');
    log?.append(line);
    if (log && log.childElementCount > 5) log.firstElementChild?.remove();
  }

  private slotted(): void {
    this.own = [...this.children].some(({ slot }) => !slot);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-room': PmRoom;
  }
}
