import { html, type PropertyValues, type TemplateResult } from 'lit';
import { participant, type CallLike, type LinkState } from '../core/index.ts';
import { MediaController } from './base/media-controller.ts';
import { PmPart } from './base/pm-part.ts';
import { ViewController, type View } from './base/view-controller.ts';
import { icon } from './icons.ts';
import type { WordKey } from './locales/en.ts';
import { spinner } from './notice.ts';
import { base, tile } from './styles/index.ts';

/** What a connection that shows nothing yet, or no longer, has to say. */
const LINK_WORDS: Partial<Record<LinkState, WordKey>> = {
  new: 'connecting',
  connecting: 'connecting',
  interrupted: 'interrupted',
  failed: 'unreachable',
};

/** Of the first and the last word, by code point; letters of joined scripts stay apart by a non-joiner. */
function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return [words[0]!, ...words.slice(1).slice(-1)].map(([letter]) => letter).join('\u200c');
}

/** The same name has the same tint everywhere. */
function hue(name: string): number {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)!) % 360;
  return sum;
}

/**
 * @summary One participant: the picture, else initials; the name; what is muted or interrupted. Always silent: the
 *   room plays everybody's sound.
 *
 * @csspart media - The picture's box, to its edges.
 * @csspart video - The picture.
 * @csspart avatar - The initials, where there is no picture.
 * @csspart name - The chip with the name.
 *
 * @cssproperty [--pm-radius=12px] - Corners of the tile.
 *
 * @cssstate self - Shows oneself.
 * @cssstate mirrored - Shows oneself as in a mirror.
 * @cssstate silenced - Sends no sound.
 * @cssstate no-video - Shows initials.
 * @cssstate waiting - Not connected, or interrupted.
 */
export class PmVideoTile extends PmPart {
  static override styles = [base, tile];

  static override properties = { participant: {} };
  /** A participant's id; `self` is oneself. */
  participant = 'self';

  private readonly person = this.select(
    (state) => participant(state, this.participant),
    () => this.media.play(),
  );
  // Also before its sender says that it is on: until there is a picture it shows nothing.
  private readonly media = new MediaController(this, () => {
    const camera = this.person.value?.sources.camera;
    return camera?.state === 'on' || camera?.state === 'pending' ? camera.stream : null;
  });

  private shown: { readonly call: CallLike; readonly id: string } | null = null;
  private readonly view = new ViewController(this, (view) => this.show(view));

  private get remote(): string | null {
    const person = this.person.value;
    return person && !person.self ? person.id : null;
  }

  /** Its sender spends on this tile what it is worth. */
  private show(view: View | null): void {
    const { call, id, shown } = { call: this.call, id: this.remote, shown: this.shown };
    if (shown && (shown.id !== id || shown.call !== call)) shown.call.show(shown.id, 'camera', null, this);
    this.shown = call && id ? { call, id } : null;
    if (call && id) call.show(id, 'camera', view, this);
  }

  protected override render(): TemplateResult {
    const person = this.person.value;
    const name = person ? (person.self ? this.t('you') : person.name || this.t('guest')) : '';
    const silenced = !!person && person.sources.mic.state !== 'on';
    const starting = person?.self && person.sources.camera.state === 'pending';
    const hold = starting ? 'starting' : person && LINK_WORDS[person.link];
    this.mark({
      self: !!person?.self,
      mirrored: !!person?.sources.camera.mirrored,
      silenced,
      'no-video': !this.media.picture,
      waiting: !!hold,
    });
    this.describe('group', name);
    return html`
      <div class="media" part="media">
        <span class="avatar" part="avatar" aria-hidden="true">${initials(person?.name || name)}</span>
        <video
          part="video"
          autoplay
          playsinline
          aria-hidden="true"
          .muted=${true}
          @loadeddata=${this.media.seen}
          @resize=${this.media.seen}
        ></video>
        ${
          hold
            ? html`<div class="hold">
                ${hold === 'unreachable' ? icon('warning') : spinner}<span>${this.t(hold)}</span>
              </div>`
            : ''
        }
      </div>
      <div class="name" part="name" ?hidden=${!person}>
        ${silenced ? icon('mic', true) : ''}
        <span class="cut" dir="auto">${name}</span>
        ${silenced ? html`<span class="sr">, ${this.t('muted')}</span>` : ''}
      </div>
    `;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    if ((this.shown?.id ?? null) !== this.remote) this.view.tell();
    // By CSSOM: a `style` attribute would need 'unsafe-inline' in the page's policy.
    this.part$('.media')?.style.setProperty('--hue', String(hue(this.person.value?.name ?? '')));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-video-tile': PmVideoTile;
  }
}
