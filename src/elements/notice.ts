/** One thing that is said on a card: a sign, what is, what to do, and buttons for it. */
import { html, type TemplateResult } from 'lit';

/** `text`: what is and, on a second line, what to do. */
export function notice(sign: unknown, text: string, buttons?: unknown): TemplateResult {
  const [title, hint] = text.split('\n');
  return html`<div class="notice" part="notice">
    ${sign}
    <div class="words">
      <b>${title}</b>
      <p>${hint}</p>
    </div>
    <div class="buttons">${buttons}</div>
  </div>`;
}

export const spinner = html`<i class="ring"></i>`;
