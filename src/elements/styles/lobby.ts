import { css } from 'lit';

/** Two columns from 700, else stacked; in a box lower than 300 the picture gives way. */
export const lobby = css`
  :host {
    display: block;
    container-type: inline-size;
  }
  .gate {
    display: grid;
    grid-template-columns: minmax(0, 1fr) 328px;
    gap: 16px clamp(20px, 4cqi, 56px);
    place-content: safe center;
    align-items: center;
    max-inline-size: 1140px;
    min-block-size: 100%;
    margin-inline: auto;
    padding: clamp(16px, 4cqi, 56px);
  }
  .preview,
  .side {
    display: grid;
    position: relative;
    gap: 16px;
    min-inline-size: 0;
  }
  pm-video-tile {
    aspect-ratio: 16 / 10;
    box-shadow: var(--_shadow);
  }
  pm-video-tile::part(name),
  .unseen pm-video-tile::part(avatar) {
    display: none;
  }
  .unseen pm-video-tile::part(media) {
    background: light-dark(var(--_soft), var(--_surface));
  }
  .see {
    position: absolute;
    place-self: center;
  }
  .devices {
    position: absolute;
    inset-block-end: 14px;
    justify-self: center;
    display: flex;
    gap: 10px;
  }
  /* On a picture: white on dark, whatever the theme. */
  @container (height >= 300px) {
    .preview pm-toggle {
      --_control: var(--_overlay);
      --_ink: #fff;
      --_shadow: none;
    }
  }
  [role='alert']:not(:has(*)) {
    position: absolute; /* still there to be announced into */
  }
  label {
    font-size: var(--_small);
    font-weight: 500;
  }
  input {
    display: block;
    inline-size: 100%;
    margin-block-start: 6px;
    padding: 0 14px;
    border: 1px solid color-mix(in oklab, var(--_ink) 52%, var(--_surface));
    border-radius: var(--_radius);
    background: var(--_surface);
    color: inherit;
    font: inherit;
    font-weight: 400;
  }
  input,
  .join {
    min-block-size: 48px;
    font-size: max(1rem, 16px);
  }
  .hint {
    font-size: var(--_small);
  }
  @container (width < 700px) {
    .gate {
      grid-template-columns: minmax(0, 440px);
      padding: 16px;
    }
  }
  @container (height < 300px) {
    .gate,
    .side {
      gap: 8px;
      padding-block: 8px;
    }
    pm-video-tile,
    .see {
      display: none;
    }
    .devices {
      position: static;
    }
  }
`;
