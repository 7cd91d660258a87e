/**
 * Design tokens, declared where a theme begins: on the room, and on an element that stands outside of it. Everything
 * inside a room inherits, so that a page may set any `--pm-*` on `pm-room` alone.
 *
 * What a page sets on any ancestor (`--pm-accent`, …) is read here with its default, into `--_*`; it is never declared
 * under its public name, since our own declaration would beat what we inherit. A colour is light-dark(light, dark): a
 * theme is nothing but `color-scheme`, and two themes can stand side by side.
 */
import { css } from 'lit';

export const tokens = css`
  :host(pm-room),
  :host([for]) {
    --_accent: var(--pm-accent, light-dark(#1a5c9e, #8abdf0));
    --_on-accent: oklch(from var(--_accent) calc((0.565 - l) * 1000) 0 h);
    --_stage: var(--pm-stage, light-dark(#eceef1, #0e1013));
    --_surface: var(--pm-surface, light-dark(#fff, #191c20));
    --_ink: var(--pm-ink, light-dark(#15191e, #f1f3f5));
    --_muted: color-mix(in oklab, var(--_ink) 70%, var(--_surface));
    --_soft: color-mix(in oklab, var(--_ink) 8%, var(--_surface));
    --_control: var(--pm-control, light-dark(var(--_surface), var(--_soft)));
    --_danger: var(--pm-danger, light-dark(#bf2f28, #c93a33));
    --_danger-ink: light-dark(#a82822, #ff9d95);
    --_warning: light-dark(#7d5100, #f0c05a);
    --_overlay: rgb(16 19 23 / 0.76);
    --_radius: var(--pm-radius, 12px);
    --_gap: var(--pm-gap, 8px);
    --_small: max(0.8125rem, 13px);
    --_shadow: 0 2px 8px rgb(0 0 0 / 0.12), 0 0 0 1px color-mix(in oklab, var(--_ink) 6%, transparent);
  }
  @media (prefers-contrast: more) {
    :host(pm-room),
    :host([for]) {
      --_muted: var(--_ink);
      --_overlay: #000;
    }
  }
`;
