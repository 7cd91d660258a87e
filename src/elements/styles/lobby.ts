import { css } from 'lit';

/** Two columns from 700, else stacked; lower than 400 the preview fills the box, with name and join upon it. */
export const lobby = css`
  :host {
    display: block;
    container-type: inline-size;
  }
  .gate {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 328px;
    gap: clamp(20px, 4cqi, 56px);
    align-content: safe center;
    align-items: center;
    max-inline-size: 1140px;
    min-block-size: 100%;
    margin-inline: auto;
    padding: clamp(16px, 4cqi, 56px);
  }
  h2 {
    overflow-wrap: anywhere;
    font-size: clamp(18px, 14px + 1.1cqi, 24px);
    line-height: 1.2;
    letter-spacing: -0.012em;
  }
  .preview {
    position: relative;
    display: grid;
    place-items: center;
    min-inline-size: 0;
  }
  pm-video-tile {
    grid-area: 1 / 1;
    inline-size: 100%;
    aspect-ratio: 16 / 10;
    border-radius: var(--pm-radius-l);
    box-shadow: var(--pm-shadow-1);
  }
  pm-video-tile::part(name) {
    display: none;
  }
  .unseen pm-video-tile::part(avatar) {
    visibility: hidden;
  }
  .unseen pm-video-tile::part(media) {
    background: color-mix(in oklab, var(--_ink) 7%, var(--_stage));
  }
  .see {
    grid-area: 1 / 1;
    z-index: 1;
  }
  .devices {
    position: absolute;
    inset-block-end: 14px;
    display: flex;
    gap: 10px;
    /* On a picture: white on dark, whatever the theme. */
    --pm-control: var(--pm-overlay);
    --_ink: #fff;
    --pm-shadow-1: none;
    --pm-focus: #fff;
  }
  .side,
  .problems {
    display: grid;
    gap: 16px;
    min-inline-size: 0;
  }
  .problems:not(:has(*)) {
    position: absolute; /* still there to be announced into */
  }
  .card {
    display: flex;
    gap: 10px;
    padding: 14px 16px;
    border-radius: var(--_radius);
    background: var(--_surface);
    box-shadow: var(--pm-shadow-1);
  }
  .card svg {
    color: var(--pm-warning-ink);
  }
  .card :is(b, span span) {
    display: block;
  }
  label span {
    display: block;
    margin-block-end: 6px;
    font-size: var(--pm-text-s);
    font-weight: 500;
  }
  input {
    inline-size: 100%;
    min-block-size: var(--pm-target);
    padding: 0 14px;
    border: 1px solid var(--pm-line-strong);
    border-radius: var(--_radius);
    background: var(--_surface);
    color: inherit;
    font: inherit;
    font-size: var(--pm-text-l);
  }
  .join {
    min-block-size: 48px;
    font-size: var(--pm-text-l);
  }
  .hint {
    --_icon: 16px;
    display: flex;
    gap: 8px;
    align-items: center;
    font-size: var(--pm-text-s);
  }
  @container (width < 900px) {
    pm-video-tile {
      aspect-ratio: 4 / 3;
    }
  }
  @container (width < 700px) {
    pm-video-tile {
      aspect-ratio: 16 / 10;
    }
    .gate {
      grid-template-columns: minmax(0, 440px);
      justify-content: center;
      gap: 16px;
      padding: 16px;
    }
  }
  @container (height < 400px) {
    .gate {
      display: block;
      padding: 0;
    }
    .preview {
      position: absolute;
      inset: 0;
    }
    pm-video-tile {
      block-size: 100%;
      aspect-ratio: auto;
      border-radius: 0;
    }
    .devices {
      inset: 8px 8px auto auto;
    }
    .side {
      position: absolute;
      inset: auto 8px 8px;
      display: flex;
      gap: 8px;
      align-items: end;
    }
    .side > :is(h2, .hint, .btn:not(.join)),
    .card .muted,
    label span {
      display: none;
    }
    .problems {
      position: absolute;
      inset: auto 0 calc(100% + 8px);
    }
    .card {
      padding: 8px 12px;
    }
    label {
      flex: 1;
    }
    .join {
      min-block-size: 44px;
    }
  }
`;
