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
  :host(:state(speaking)) {
    box-shadow: var(
      --_speaking,
      0 0 0 var(--_ring-gap, 2px) var(--_stage),
      0 0 0 calc(var(--_ring-gap, 2px) + 3px) var(--pm-speaking)
    );
  }
  .media {
    position: absolute;
    inset: 0;
    display: grid;
    place-items: center;
    overflow: hidden;
    border-radius: inherit;
    background: light-dark(oklch(0.9 0.01 var(--hue)), oklch(0.26 0.009 var(--hue)));
  }
  .avatar {
    --size: clamp(34px, 34cqmin, 104px);
    display: grid;
    place-items: center;
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
    position: absolute;
    inset: 0;
    inline-size: 100%;
    block-size: 100%;
    object-fit: cover;
    transition: opacity var(--pm-fast);
  }
  :host(:state(screen)) video {
    object-fit: contain;
  }
  :host(:state(self)) video {
    scale: -1 1;
  }
  :host(:state(screen)) video {
    scale: none;
  }
  :host(:state(no-video)) video {
    opacity: 0;
  }
  :host(:state(waiting):not(:state(no-video))) video {
    filter: grayscale(1);
    opacity: 0.28;
  }
  :host(:state(waiting)) .avatar,
  :host(:not(:state(no-video))) .avatar {
    visibility: hidden;
  }
  .hold {
    position: absolute;
    inset: 0;
    display: grid;
    place-content: center;
    justify-items: center;
    gap: 8px;
    padding: 8px;
    font-size: var(--pm-text-s);
    font-weight: 500;
  }
  .hold .ring {
    inline-size: 26px;
  }
  .name {
    --_icon: 15px;
    position: absolute;
    inset-block: var(--_name-at, auto 8px);
    inset-inline-start: 8px;
    display: flex;
    align-items: center;
    gap: 6px;
    max-inline-size: calc(100% - 16px);
    min-block-size: 26px;
    padding: 0 9px;
    border-radius: var(--pm-radius-s);
    background: var(--pm-overlay);
    color: var(--pm-on-overlay);
    font-size: var(--pm-text-s);
    font-weight: 500;
    line-height: 1.3;
  }
  .name svg {
    stroke-width: 2.1;
    color: var(--pm-overlay-danger);
  }
  .bars {
    display: flex;
    flex: none;
    align-items: center;
    gap: 2px;
    block-size: 14px;
    color: #6fe0ab;
  }
  .bars i {
    inline-size: 3px;
    block-size: 50%;
    border-radius: 2px;
    background: currentColor;
    animation: talk 0.7s -0.5s ease-in-out infinite alternate;
  }
  .bars i:nth-child(2) {
    block-size: 100%;
    animation-delay: -0.7s;
  }
  .bars i:nth-child(3) {
    block-size: 65%;
    animation-delay: -0.15s;
  }
  @keyframes talk {
    from {
      block-size: 28%;
    }
    to {
      block-size: 100%;
    }
  }
  @container (width < 150px) {
    .name {
      gap: 4px;
      min-block-size: 22px;
      inset-inline-start: 4px;
      max-inline-size: calc(100% - 8px);
      padding: 0 6px;
      font-size: max(0.75rem, 12px);
      inset-block: var(--_name-at, auto 4px);
    }
  }
  @container (height < 112px) {
    .hold span {
      display: none;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .bars i {
      animation: none;
    }
  }
  @media (forced-colors: active) {
    .media,
    .name {
      border: 1px solid;
    }
    :host(:state(speaking)) {
      outline: 3px solid Highlight;
    }
  }
`;
