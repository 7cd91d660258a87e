import { css } from 'lit';

/** The room reads its own box, never the window. */
export const room = css`
  :host {
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
    grid-template: minmax(0, 1fr) auto / minmax(0, 1fr);
    block-size: 100%;
    overflow: hidden; /* a scroll bar that comes and goes would make the grid measure itself in circles */
    outline: none;
  }
  pm-lobby,
  .end {
    grid-row: 1 / -1;
    container-type: size;
    overflow: auto;
  }
  .stage {
    display: grid;
    position: relative;
    margin: var(--_gap) var(--_gap) 0;
  }
  pm-controls {
    padding: 10px calc(var(--_gap) + 4px);
  }
  .name {
    font-weight: 600;
    padding-inline-start: 6px;
  }
  .notices {
    position: absolute;
    inset: 12px 12px auto;
    display: grid;
    justify-items: center;
    pointer-events: none;
  }
  .low {
    inset: auto 12px 20px;
  }
  .end {
    display: grid;
    gap: 12px;
    place-content: safe center;
    justify-items: center;
    padding: 16px;
    text-align: center;
    text-wrap: balance;
  }
  @container (height < 360px) {
    pm-controls {
      padding-block: 4px;
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
