import { css } from 'lit';

/** Tiles lie where their custom properties say; they glide when people go. */
export const grid = css`
  :host {
    display: block;
    position: relative;
    min-inline-size: 0;
    min-block-size: 120px;
  }
  .box {
    position: absolute;
    inset: 0;
    column-gap: var(--_gap);
  }
  .box > * {
    position: absolute;
  }
  /* Tiles glide when people go, and stick to the box while it is resized. */
  .gliding > * {
    transition: 320ms cubic-bezier(0.3, 0, 0.1, 1);
  }
  .floating {
    box-shadow:
      0 0 0 2px var(--_stage),
      0 6px 20px rgb(0 0 0 / 0.28);
  }
  .more {
    display: grid;
    place-items: center;
    border-radius: var(--_radius);
    background: var(--_soft);
    font-size: 20px;
  }
`;
