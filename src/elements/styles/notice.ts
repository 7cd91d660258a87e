import { css } from 'lit';

/** A card with something to say. */
export const notice = css`
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
