/** What every element shares: type, icons, focus ring, spinner. Sizes follow the reader's setting, never below 13px. */
import { css } from 'lit';

export const base = css`
  :host {
    box-sizing: border-box;
    color: var(--_ink);
    font: 400 var(--pm-text-m) / 1.45 var(--pm-font, system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif);
    text-align: start;
    -webkit-font-smoothing: antialiased;
  }
  :host([hidden]) {
    display: none !important;
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  h2,
  p {
    margin: 0;
  }
  b,
  h2 {
    font-weight: 600;
  }
  .muted {
    color: var(--pm-ink-muted);
  }
  .cut {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    min-inline-size: 0;
  }
  .sr {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  svg {
    display: block;
    flex: none;
    inline-size: var(--_icon, 22px);
    aspect-ratio: 1;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .ring {
    flex: none;
    inline-size: 20px;
    aspect-ratio: 1;
    border: 2px solid color-mix(in oklab, currentColor 24%, transparent);
    border-block-start-color: currentColor;
    border-radius: 50%;
    animation: turn 0.9s linear infinite;
  }
  @keyframes turn {
    to {
      rotate: 360deg;
    }
  }
  /* A ring with a gap, so that it holds on any fill. */
  :focus-visible {
    outline: 2px solid var(--pm-focus);
    outline-offset: 2px;
  }
  @media (prefers-reduced-motion: reduce) {
    .ring {
      animation-duration: 2.4s; /* still says "working", slowly */
    }
  }
`;
