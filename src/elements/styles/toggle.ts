import { css } from 'lit';

/** One button of a call; off is soft red and slashed, never solid. */
export const toggle = css`
  :host {
    display: inline-flex;
  }
  .btn {
    position: relative;
  }
  [aria-pressed] {
    padding: 0;
  }
  .danger {
    background-color: var(--_danger);
    color: #fff;
  }
  [aria-disabled='true'] {
    background: var(--_soft);
    color: var(--_muted);
    cursor: default;
    scale: none;
  }
  .off {
    background-color: color-mix(in oklab, var(--_danger-ink) 14%, var(--_surface));
    color: var(--_danger-ink);
  }
  .ring {
    position: absolute;
    inline-size: 34px;
  }
  .problem::after {
    content: '!';
    position: absolute;
    inset-block-start: -5px;
    inset-inline-end: -5px;
    inline-size: 20px;
    border-radius: 50%;
    background: var(--_warning);
    color: var(--_surface);
    font: 700 13px/20px sans-serif;
  }
  @media (forced-colors: active) {
    .btn {
      border-color: ButtonText;
    }
    .off {
      border-style: dashed;
    }
  }
`;
