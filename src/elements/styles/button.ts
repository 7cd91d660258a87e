/** Buttons: 44 px targets; hover and press are ink laid over whatever fill there is. */
import { css } from 'lit';

export const button = css`
  .btn {
    appearance: none;
    position: relative;
    display: inline-flex;
    flex: none;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-inline-size: var(--pm-target);
    min-block-size: var(--pm-target);
    margin: 0;
    padding: 0 10px;
    border: 1px solid transparent; /* drawn in forced colours alone */
    border-radius: var(--_radius);
    background: var(--pm-control);
    box-shadow: var(--pm-shadow-1);
    color: var(--_ink);
    font: inherit;
    font-weight: 500;
    cursor: pointer;
    transition: scale var(--pm-fast);
  }
  .btn::before {
    content: '';
    position: absolute;
    inset: -1px;
    border-radius: inherit;
    transition: background var(--pm-fast);
  }
  .btn > * {
    position: relative;
  }
  .btn:hover::before {
    background: var(--pm-hover);
  }
  .btn:active::before {
    background: var(--pm-active);
  }
  .btn:active {
    scale: 0.97;
  }
  .text {
    padding-inline: 16px;
  }
  .field {
    background: var(--pm-field);
    box-shadow: none;
  }
  .quiet {
    background: none;
    box-shadow: none;
  }
  .primary {
    background: var(--_accent);
    color: var(--pm-on-accent);
    box-shadow: none;
    font-weight: 600;
  }
  .danger {
    background: var(--pm-danger);
    color: var(--pm-on-danger);
    box-shadow: none;
    font-weight: 600;
  }
  .btn[aria-busy='true'] {
    cursor: progress;
  }
  .btn[aria-disabled='true'] {
    background: var(--pm-field);
    color: var(--pm-ink-muted);
    box-shadow: none;
    cursor: default;
    scale: none;
  }
  .btn[aria-disabled='true']::before {
    background: none;
  }
`;
