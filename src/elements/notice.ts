/** One thing that is said on a card: a sign, what is, what to do, and buttons for it. */
import { css, html, type TemplateResult } from 'lit';

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

export const noticeStyle = css`
  .notice {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: end;
    gap: 4px 10px;
    max-inline-size: 520px;
    padding: 8px 14px;
    border: 1px solid transparent;
    border-radius: var(--_radius);
    background: var(--_surface);
    box-shadow: var(--_shadow);
    pointer-events: auto;
  }
  .buttons {
    display: flex;
    gap: 8px;
  }
  .buttons:not(:has(*)) {
    display: none;
  }
  .words {
    flex: 1 1 160px;
    padding-block: 4px;
  }
  .notice p {
    color: var(--_muted);
    font-size: var(--_small);
  }
  .notice > svg {
    color: var(--_warning);
  }
`;
