/** The icons in use: 24 px grid, drawn in outline, round caps, one idea each, a slash for "off". */
import { html, type TemplateResult } from 'lit';

const paths = {
  mic: 'M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3',
  camera: 'M5 6.5h8a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM15 11l6-3v8l-6-3',
  leave: 'M3 15.5v-2C3 6.5 21 6.5 21 13.5v2l-5-1v-3q-4-1.5-8 0v3z',
  warning: 'M12 4L2.5 20h19zM12 10v4M12 17v.1',
};

export function icon(name: keyof typeof paths, off?: boolean): TemplateResult {
  return html`<svg viewBox="0 0 24 24" aria-hidden="true">
    <path d="${paths[name]}${off ? 'M4 4l16 16' : ''}"></path>
  </svg>`;
}
