import { html, type PropertyValues, type TemplateResult } from 'lit';
import { readers } from './base/attributes.ts';
import { language } from './base/localize.ts';
import { RoomElement, type Happening } from './base/room-element.ts';
import { icon } from './icons.ts';
import type { WordKey } from './locales/en.ts';
import { notice, spinner } from './notice.ts';
import { deviceProblems, endWords } from './problem-words.ts';
import { base, noticeStyle, room } from './styles/index.ts';

type Screen = 'lobby' | 'call' | 'end';

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
 * @event pm-recording-change - Somebody records, or no longer; `detail` is `{participant, recording, result}`, and
 *   `result` one's own file once it is complete.
 * @event pm-devices-change - Something was plugged in or out; `detail` is `{devices}`.
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
  static override styles = [base, noticeStyle, room];

  static override properties = {
    layout: { converter: readers.layout },
    theme: { reflect: true, converter: readers.theme },
    hide: {},
    own: { state: true },
    closed: { state: true },
  };
  /** `grid`: one's own picture never floats. */
  layout: 'auto' | 'grid' = 'auto';
  /** Colours: `auto` follows the page's `color-scheme`. */
  theme: 'auto' | 'light' | 'dark' = 'auto';
  /** Features left out, by name: `lobby`. */
  hide = '';

  private own = false;
  /** The words of the notice that was closed; another one shows again. */
  private closed = '';

  private shown: Screen | null = null;
  private readonly all = this.select(
    (state) => state,
    (now, before) => {
      if (now.problems !== before.problems) this.closed = '';
      const said = deviceProblems(before.problems).map(({ text }) => text);
      for (const { text } of deviceProblems(now.problems)) if (!said.includes(text)) this.say(text);
    },
  );

  protected override fallbackFocus(): HTMLElement | null {
    return this.part$('.screen');
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    super.willUpdate(changed);
    this.shown = this.screen();
  }

  /** Joining stays where it was asked for, and a failure where it can be mended. */
  private screen(): Screen {
    const phase = this.all.value?.phase ?? 'idle';
    const first = this.autojoin || this.hide.split(/\s+/).includes('lobby') ? 'call' : 'lobby';
    const before = this.shown ?? first;
    if (phase === 'idle' || phase === 'lobby') return first;
    if (phase === 'joining' || (phase === 'failed' && before === 'lobby')) return before;
    return phase === 'left' || phase === 'failed' ? 'end' : 'call';
  }

  protected override render(): TemplateResult {
    const screens = {
      lobby: () => html`<pm-lobby part="lobby"></pm-lobby>`,
      call: () => this.inCall(),
      end: () => this.over(),
    };
    this.mark({ own: this.own });
    // The slot is always there: it tells when the page puts something inside, also later.
    return html`<slot ?hidden=${!this.own} @slotchange=${this.slotted}></slot>
      <div class="shell" lang=${language} ?hidden=${this.own}>
        <section class="screen" tabindex="-1" aria-label=${this.t('call')}>
          ${this.own ? '' : screens[this.shown ?? 'lobby']()}
        </section>
      </div>
      <div class="log sr" role="log" lang=${language}></div>
      <div class="sound" hidden></div>`;
  }

  private inCall(): TemplateResult {
    const { phase, participants, room: name } = this.snapshot;
    const alone = phase === 'joined' && participants.length === 1;
    return html`
      <div class="stage">
        <pm-grid
          part="grid"
          exportparts="tile,tile__media,tile__video,tile__avatar,tile__name,more"
          .layout=${this.layout}
        ></pm-grid>
        <div class="notices">${this.news()}</div>
        <div class="notices low">${alone ? notice('', this.t('alone')) : ''}</div>
      </div>
      <pm-controls part="controls" exportparts="bar,toggle__button">
        <span slot="start" class="name cut"><bdi>${name}</bdi></span>
      </pm-controls>
    `;
  }

  private over(): TemplateResult {
    const { phase, room: name } = this.snapshot;
    const busy = phase === 'joining';
    const [title, hint = name] = busy ? [this.t('joining'), ''] : endWords(this.snapshot).split('\n');
    return html`<div class="end" part="end">
      <h2>${title}</h2>
      <p class="muted"><bdi>${hint}</bdi></p>
      <button
        class="btn primary"
        type="button"
        aria-busy=${busy}
        @click=${() => busy || this.request('join')}
      >
        ${busy ? spinner : ''}${this.t(busy ? 'joining' : phase === 'failed' ? 'try-again' : 'join-again')}
      </button>
    </div>`;
  }

  /** What there is to say: one thing at a time, the gravest first. */
  private news(): TemplateResult | null {
    const { phase, problems } = this.snapshot;
    if (phase === 'reconnecting' || phase === 'joining') return notice(spinner, this.t(phase));
    const button = (label: WordKey, run: () => void): TemplateResult =>
      html`<button class="btn" type="button" @click=${run}>${this.t(label)}</button>`;
    if (this.snapshot.soundBlocked) {
      return notice(
        icon('warning'),
        this.t('no-sound'),
        button('play-sound', () => this.playSound()),
      );
    }
    const [problem] = deviceProblems(problems);
    if (!problem || this.closed === problem.text) return null;
    const again = (): void => problem.devices.forEach((device) => void this.request(device, { on: true }));
    return notice(icon('warning'), problem.text, [
      button('try-again', again),
      button('close', () => (this.closed = problem.text)),
    ]);
  }

  protected override noticed(...[name, detail]: Happening): void {
    if (name === 'participant-joined' || name === 'participant-left') {
      if (this.state === 'joined') this.say(this.t(name, detail.participant.name || this.t('guest')));
    } else if (name === 'state-change') {
      if (detail.state === 'reconnecting') this.say(this.t('reconnecting'));
      if (detail.state === 'left' || detail.state === 'failed') this.say(endWords(this.snapshot));
    }
  }

  /** Speaks to people who do not see: appended, so that each is read once; a few are kept to be read again. */
  private say(text: string): void {
    const log = this.part$('.log');
    // A join may fail before anything is drawn.
    if (!log) return void (this.hasUpdated || this.updateComplete.then(() => this.say(text)));
    const line = this.ownerDocument.createElement('p');
    line.textContent = text.split('\n')[0]!;
    log.append(line);
    if (log.childElementCount > 5) log.firstElementChild?.remove();
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
