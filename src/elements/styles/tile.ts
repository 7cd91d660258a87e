import { css } from 'lit';

/** The picture to the edge, the name upon it. Measures itself: it looks the same in a grid, a corner or a page. */
export const tile = css`
  :host {
    display: block;
    position: relative;
    container-type: size;
    aspect-ratio: 16 / 9;
    border-radius: var(--_radius);
  }
  .media,
  .hold,
  video {
    position: absolute;
    inset: 0;
    inline-size: 100%;
    block-size: 100%;
  }
  .media,
  .hold,
  .avatar {
    display: grid;
    place-content: center;
    justify-items: center;
  }
  .media {
    overflow: hidden;
    border-radius: inherit;
    background: light-dark(oklch(0.9 0.01 var(--hue)), oklch(0.26 0.01 var(--hue)));
  }
  .avatar {
    --size: clamp(34px, 34cqmin, 104px);
    inline-size: var(--size);
    aspect-ratio: 1;
    border-radius: 50%;
    background: light-dark(oklch(0.86 0.045 var(--hue)), oklch(0.41 0.045 var(--hue)));
    color: light-dark(oklch(0.36 0.06 var(--hue)), oklch(0.93 0.03 var(--hue)));
    font-size: calc(var(--size) * 0.38);
    font-weight: 600;
    line-height: 1;
    user-select: none;
  }
  video {
    object-fit: cover;
  }
  :host(:state(mirrored)) video {
    scale: -1 1;
  }
  :host(:state(waiting)) video {
    filter: grayscale(1);
    opacity: 0.28;
    transition: opacity 120ms; /* fades away, but shows at once: every step of a fade is painted */
  }
  :host(:state(no-video)) video {
    opacity: 0;
  }
  :host(:state(waiting)) .avatar,
  :host(:not(:state(no-video))) .avatar {
    visibility: hidden;
  }
  .hold {
    gap: 8px;
    font-size: var(--_small);
  }
  .name {
    --_icon: 15px;
    position: absolute;
    inset: auto auto 6px;
    inset-inline-start: 6px;
    display: flex;
    align-items: center;
    gap: 6px;
    max-inline-size: calc(100% - 12px);
    padding: 4px 8px;
    border-radius: calc(var(--_radius) * 0.66);
    background: var(--_overlay);
    color: #fff;
    font-size: var(--_small);
    font-weight: 500;
  }
  .name svg {
    stroke-width: 2.1;
    color: #ffb3ac;
  }
  @container (height < 112px) {
    .hold span {
      display: none;
    }
  }
  @media (forced-colors: active) {
    .media,
    .name {
      border: 1px solid;
    }
  }
`;
