import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';
import { participant, type LinkState, type Participant } from '../core/index.ts';
import { MediaController } from './base/media-controller.ts';
import { PmPart } from './base/pm-part.ts';
import { icon } from './icons.ts';
import type { WordKey } from './locales/en.ts';
import { base } from './styles/base.ts';
import { tile } from './styles/tile.ts';
import { tokens } from './styles/tokens.ts';

/** What a connection that shows nothing yet, or no longer, has to say. */
const LINK_WORDS: Partial<Record<LinkState, WordKey>> = {
  new: 'connecting',
  connecting: 'connecting',
  interrupted: 'interrupted',
  failed: 'unreachable',
};

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  // By code point, not by half of one; letters of joined scripts stay apart by a non-joiner.
  return ends.map((word) => String.fromCodePoint(word?.codePointAt(0) ?? 32).trim()).join('\u200c');
}

/** The same name has the same tint everywhere. */
function hue(name: string): number {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 3600;
  return sum % 360;
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
 * @cssproperty [--pm-speaking] - Colour of the ring round whoever speaks.
 *
 * @cssstate self - Shows oneself, mirrored.
 * @cssstate silenced - Sends no sound.
 * @cssstate speaking - Speaks.
 * @cssstate no-video - Shows initials.
 * @cssstate waiting - Not connected, or interrupted.
 */
export class PmVideoTile extends PmPart {
  static override styles = [tokens, base, tile];

  /** A participant's id; `self` is oneself. */
  @property() participant = 'self';
  /** Which of the participant's pictures. */
  @property() source: 'camera' | 'screen' = 'camera';

  private readonly person = this.select((state) => participant(state, this.participant));
  private readonly media = new MediaController(this, () => {
    const source = this.person.value?.sources[this.source];
    return source?.state === 'on' ? source.stream : null;
  });

  protected override render(): TemplateResult {
    const person = this.person.value;
    const name = person ? this.nameOf(person) : '';
    const silenced = !!person && !this.screen && person.sources.mic.state !== 'on';
    const starting = !!person?.self && person.sources[this.source].state === 'pending';
    const hold = starting ? 'starting' : person && LINK_WORDS[person.link];
    const picture = this.media.picture;
    const speaking = !!person?.speaking && !silenced;
    this.mark({
      self: !!person?.self,
      silenced,
      speaking,
      'no-video': !picture,
      waiting: !!hold,
      screen: this.screen,
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
                ${person?.link === 'failed' ? icon('warning') : html`<i class="ring"></i>`}<span
                  >${this.t(hold)}</span
                >
              </div>`
            : nothing
        }
      </div>
      ${
        person
          ? html`<div class="name" part="name">
              ${silenced ? icon('mic-off') : speaking ? html`<i class="bars"><i></i><i></i><i></i></i>` : nothing}
              <span class="cut" dir="auto">${name}</span>
              ${
                silenced || speaking
                  ? html`<span class="sr">, ${this.t(silenced ? 'muted' : 'speaking')}</span>`
                  : nothing
              }
            </div>`
          : nothing
      }
    `;
  }

  private get screen(): boolean {
    return this.source === 'screen';
  }

  private nameOf({ self, name }: Participant): string {
    const shown = self && !this.screen ? this.t('you') : name || this.t('guest');
    return this.screen ? this.t('screen-of', { name: shown }) : shown;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    // By CSSOM: a `style` attribute would need 'unsafe-inline' in the page's policy.
    this.part$('.media')?.style.setProperty('--hue', String(hue(this.person.value?.name ?? '')));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'pm-video-tile': PmVideoTile;
  }
}
