/** The icons in use: 24 px grid, drawn in outline, round caps, one idea each, a slash for "off". */
import { html, type TemplateResult } from 'lit';

const STAND = 'M12 18v3';
const SLASH = 'M4 4l16 16';

const paths = {
  mic: `M9 6a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM5.5 11.5a6.5 6.5 0 0 0 13 0${STAND}`,
  'mic-off': `${SLASH}M15 10V6a3 3 0 0 0-5.6-1.5M9 9v2a3 3 0 0 0 4.3 2.7M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2M18.5 11.5c0 .9-.2 1.8-.5 2.5${STAND}`,
  camera:
    'M5.5 6.5H13A2.5 2.5 0 0 1 15.5 9v6a2.5 2.5 0 0 1-2.5 2.5H5.5A2.5 2.5 0 0 1 3 15V9a2.5 2.5 0 0 1 2.5-2.5zM15.5 10.9l4.2-2.5a.9.9 0 0 1 1.3.8v5.6a.9.9 0 0 1-1.3.8l-4.2-2.5',
  'camera-off': `${SLASH}M10.5 6.5H13A2.5 2.5 0 0 1 15.5 9v1.9l4.2-2.5a.9.9 0 0 1 1.3.8v5.6a.9.9 0 0 1-.9.9M6.2 6.5h-.7A2.5 2.5 0 0 0 3 9v6a2.5 2.5 0 0 0 2.5 2.5H13a2.5 2.5 0 0 0 2.3-1.6`,
  leave:
    'M3.3 14.7c-.6-.6-.8-1.4-.5-2.1C4 9.5 7.7 8 12 8s8 1.5 9.2 4.6c.3.7.1 1.5-.5 2.1l-.9.9a1.6 1.6 0 0 1-1.8.3l-2-1a1.6 1.6 0 0 1-.9-1.4v-1.2a13 13 0 0 0-6.2 0v1.2c0 .6-.3 1.1-.9 1.4l-2 1a1.6 1.6 0 0 1-1.8-.3z',
  warning:
    'M10.3 4.6L2.9 17.3a2 2 0 0 0 1.7 3h14.8a2 2 0 0 0 1.7-3L13.7 4.6a2 2 0 0 0-3.4 0zM12 9.5v4M12 16.7v.1',
  info: 'M21 12a9 9 0 0 1-18 0 9 9 0 0 1 18 0zM12 11.5v5M12 8v.1',
  close: 'M6 6l12 12M18 6L6 18',
};

export type IconName = keyof typeof paths;

export function icon(name: IconName): TemplateResult {
  return html`<svg viewBox="0 0 24 24" aria-hidden="true"><path d=${paths[name]}></path></svg>`;
}
