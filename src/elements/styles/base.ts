/** What every element shares: type, icons, buttons, focus ring, spinner. Sizes follow the reader's setting, never below 13px. */
import { css } from 'lit';
import { tokens } from './tokens.ts';

export const base = [
  tokens,
  css`
    :host {
      box-sizing: border-box;
      color: var(--_ink);
      font: 400 max(0.875rem, 14px) / 1.4 var(--pm-font, system-ui, sans-serif);
      text-align: start;
      -webkit-font-smoothing: antialiased;
    }
    :host([hidden]),
    [hidden] {
      display: none !important;
    }
    *,
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
    h2 {
      overflow-wrap: anywhere;
      font-size: clamp(18px, 14px + 1.1cqi, 24px);
      line-height: 1.2;
    }
    .muted {
      color: var(--_muted);
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
      border: 2px solid;
      border-inline-start-color: transparent;
      border-radius: 50%;
      animation: turn 0.9s linear 2s infinite; /* most waits are over by then */
    }
    @keyframes turn {
      to {
        rotate: 360deg;
      }
    }
    /* 44 px targets. Hover is ink laid over whatever fill there is. */
    .btn {
      display: inline-flex;
      flex: none;
      align-items: center;
      justify-content: center;
      gap: 8px;
      min-inline-size: max(44px, var(--pm-target, 0px));
      min-block-size: max(44px, var(--pm-target, 0px));
      padding: 0 14px;
      border: 1px solid transparent; /* drawn in forced colours alone */
      border-radius: var(--_radius);
      background-color: var(--_control);
      box-shadow: var(--_shadow);
      color: var(--_ink);
      font: inherit;
      font-weight: 500;
      cursor: pointer;
    }
    .btn:hover {
      --_over: color-mix(in oklab, var(--_ink) 8%, transparent);
      background-image: linear-gradient(var(--_over), var(--_over));
    }
    .btn:active {
      scale: 0.97;
    }
    .primary {
      background-color: var(--_accent);
      color: var(--_on-accent);
      font-weight: 600;
    }
    /* Inside of the fill and in the colour of its text, so that it holds on any background. */
    :focus-visible {
      outline: 2px solid;
      outline-offset: -5px;
    }
    @media (prefers-reduced-motion: reduce) {
      * {
        transition: none !important;
      }
      .ring {
        animation-duration: 2.4s; /* still says "working", slowly */
      }
    }
  `,
];
