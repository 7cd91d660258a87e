import { css } from 'lit';

/** The room reads its own box, never the window. */
export const room = css`
  :host {
    color-scheme: light dark;
    display: block;
    position: relative;
    overflow: hidden;
    inline-size: 100%;
    border-radius: var(--pm-room-radius, 0);
    background: var(--_stage);
  }
  /* What a bare tag gets; width and height of the page's own style sheet win. */
  :host(:not(:state(own))) {
    aspect-ratio: 16 / 10;
    min-block-size: min(420px, 100dvb);
    max-block-size: 100dvb;
  }
  :host([theme='light']) {
    color-scheme: light;
  }
  :host([theme='dark']) {
    color-scheme: dark;
  }
  .shell {
    container-type: size;
    position: absolute;
    inset: 0;
  }
  .screen {
    display: grid;
    grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr);
    block-size: 100%;
    overflow: hidden; /* a scroll bar that comes and goes would make the grid measure itself in circles */
    outline: none;
  }
  .screen > pm-lobby {
    grid-area: 1 / 1 / -1 / -1;
    container-type: size;
    overflow: auto;
  }
  .gap {
    --gap: var(--pm-gap, clamp(6px, 2px + 0.8cqi, 10px));
  }
  .head {
    display: none;
    padding: 12px 14px 0;
    font-weight: 600;
  }
  .stage {
    grid-area: 2 / 1;
    display: grid;
    position: relative;
    margin: var(--gap) var(--gap) 0;
  }
  pm-controls {
    grid-row: 3;
    padding: 10px calc(var(--gap) + 4px) 12px;
  }
  .name {
    font-weight: 600;
    padding-inline-start: 6px;
  }
  .notices {
    position: absolute;
    z-index: 2;
    inset: 12px 12px auto;
    display: grid;
    justify-items: center;
    pointer-events: none;
  }
  .notice {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: end;
    gap: 4px 8px;
    min-block-size: 48px;
    max-inline-size: min(520px, 100%);
    padding: 6px 14px;
    border-radius: var(--_radius);
    background: var(--_surface);
    box-shadow: var(--pm-shadow-2);
    line-height: 1.35;
    pointer-events: auto;
  }
  .notice:has(.btn) {
    padding-inline-end: 6px;
  }
  .words {
    flex: 1 1 160px;
    padding: 4px 8px 4px 4px;
  }
  .words:last-child {
    flex-basis: auto;
  }
  .acts {
    display: flex;
    gap: 4px;
  }
  .notice p {
    color: var(--pm-ink-muted);
    font-size: var(--pm-text-s);
  }
  .notice > svg {
    color: var(--pm-warning-ink);
  }
  .notice > .ring,
  .notice.calm > svg {
    color: var(--pm-accent-ink);
  }
  .low {
    inset: auto 12px 20px;
  }
  .end {
    grid-area: 1 / 1 / -1 / -1;
    display: grid;
    gap: 8px;
    align-content: center;
    justify-items: center;
    padding: 16px;
    overflow: auto;
    text-align: center;
  }
  .end h2 {
    font-size: clamp(18px, 14px + 1.1cqi, 24px);
    line-height: 1.2;
    text-wrap: balance;
  }
  .end .btn {
    margin-block-start: 12px;
    min-inline-size: 160px;
  }
  @container (width < 880px) {
    .name {
      display: none;
    }
  }
  @container (width < 690px) {
    .head {
      display: block;
    }
  }
  /* A box too low to give a row away: the bar lies over the picture, names move up. */
  @container (height < 360px) {
    .head {
      display: none;
    }
    .stage {
      grid-area: 1 / 1 / -1 / -1;
      margin: var(--gap);
      --_name-at: 4px auto;
      --_lift: -52px;
    }
    pm-controls {
      z-index: 1;
      grid-area: 3 / 1;
      padding: 0 0 calc(var(--gap) + 6px);
      --_bar: rgb(20 23 27 / 0.92);
      --_bar-size: fit-content;
      --_bar-gap: 0;
      --_bar-target: 44px;
      --pm-control: transparent;
      --pm-danger-soft: transparent;
      --pm-danger-ink: var(--pm-overlay-danger);
      --pm-shadow-1: none;
      --_ink: #fff;
      --pm-focus: #fff;
    }
    .notice p {
      display: none;
    }
  }
  @media (forced-colors: active) {
    .notice {
      border: 1px solid;
    }
  }
`;
