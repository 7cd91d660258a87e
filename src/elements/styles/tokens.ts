/**
 * Design tokens, declared where a theme begins: on the room, and on an element that stands outside of it. Everything
 * inside a room inherits, so that a page may set any `--pm-*` on `pm-room` alone.
 *
 * `--_*` is the theme surface: what a page sets on any ancestor (`--pm-accent`, …), read with its default. It is never
 * declared under its public name, since our own declaration would beat what we inherit. A colour is
 * light-dark(light, dark): a theme is nothing but `color-scheme`, and two themes can stand side by side.
 */
import { css } from 'lit';

export const tokens = css`
  :host(pm-room),
  :host([for]) {
    --_accent: var(--pm-accent, light-dark(#1a5c9e, #8abdf0));
    --_stage: var(--pm-stage, light-dark(#eceef1, #0e1013));
    --_surface: var(--pm-surface, light-dark(#fff, #191c20));
    --_ink: var(--pm-ink, light-dark(#15191e, #f1f3f5));
    --_radius: var(--pm-radius, 12px);

    --pm-control: light-dark(var(--_surface), color-mix(in oklab, var(--_ink) 8%, var(--_surface)));
    --pm-field: color-mix(in oklab, var(--_ink) 5%, var(--_surface));
    --pm-line-strong: color-mix(in oklab, var(--_ink) 52%, var(--_surface));
    --pm-ink-muted: color-mix(in oklab, var(--_ink) 70%, var(--_surface));

    --pm-on-accent: oklch(from var(--_accent) calc((0.565 - l) * 1000) 0 h);
    --pm-accent-ink: light-dark(
      oklch(from var(--_accent) min(l, 0.5) c h),
      oklch(from var(--_accent) max(l, 0.78) c h)
    );
    --pm-danger: light-dark(#bf2f28, #c93a33);
    --pm-on-danger: #fff;
    --pm-danger-ink: light-dark(#a82822, #ff9d95);
    --pm-danger-soft: light-dark(
      color-mix(in oklab, var(--pm-danger-ink) 11%, var(--_surface)),
      color-mix(in oklab, var(--pm-danger-ink) 19%, var(--_surface))
    );
    --pm-warning-ink: light-dark(#7d5100, #f0c05a);
    --pm-speaking: light-dark(#17864f, #43cf8c);
    --pm-focus: var(--pm-accent-ink);
    --pm-hover: color-mix(in oklab, var(--_ink) 7%, transparent);
    --pm-active: color-mix(in oklab, var(--_ink) 13%, transparent);

    --pm-overlay: rgb(16 19 23 / 0.76);
    --pm-on-overlay: #fff;
    --pm-overlay-danger: #ffb3ac;

    --pm-text-s: max(0.8125rem, 13px);
    --pm-text-m: max(0.875rem, 14px);
    --pm-text-l: max(1rem, 16px);
    --pm-radius-s: calc(var(--_radius) * 0.66);
    --pm-radius-l: calc(var(--_radius) * 1.34);
    --pm-target: 44px;
    --pm-shadow-1:
      0 1px 2px light-dark(rgb(20 26 33 / 0.09), rgb(0 0 0 / 0.4)),
      0 0 0 1px light-dark(rgb(20 26 33 / 0.05), rgb(255 255 255 / 0.05));
    --pm-shadow-2:
      0 12px 32px -6px light-dark(rgb(20 26 33 / 0.2), rgb(0 0 0 / 0.6)),
      0 0 0 1px light-dark(rgb(20 26 33 / 0.06), rgb(255 255 255 / 0.08));
    --pm-fast: 120ms;
    --pm-slow: 320ms;
    --pm-ease: cubic-bezier(0.3, 0, 0.1, 1);
  }
  @media (prefers-reduced-motion: reduce) {
    :host(pm-room),
    :host([for]) {
      --pm-fast: 1ms;
      --pm-slow: 1ms;
    }
  }
  @media (prefers-contrast: more) {
    :host(pm-room),
    :host([for]) {
      --pm-ink-muted: var(--_ink);
      --pm-overlay: rgb(0 0 0 / 0.92);
    }
  }
`;
