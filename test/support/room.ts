/** A room on a fake call, and what people do with it. */
import { fixture, html } from '@open-wc/testing';
import type { PmRoom } from '../../src/index.ts';
import '../../src/index.ts';
import { FakeCall } from './fake-call.ts';

export interface Stage {
  room: PmRoom;
  call: FakeCall;
}

/** Lets every element draw what it was told, however deep. */
export async function drawn(): Promise<void> {
  for (let round = 0; round < 4; round++) await new Promise((resolve) => setTimeout(resolve));
  await new Promise((resolve) => requestAnimationFrame(resolve));
}

/** `markup`: the room's own children. */
export async function stage(
  options: { theme?: 'light' | 'dark'; autojoin?: boolean; prepare?: (call: FakeCall) => void } = {},
  markup: unknown = '',
): Promise<Stage> {
  const call = new FakeCall();
  options.prepare?.(call);
  const box = await fixture<HTMLElement>(html`
    <div>
      <pm-room
        id="standup"
        room="Stand-up"
        display-name="Alex Morgan"
        theme=${options.theme ?? 'light'}
        ?autojoin=${options.autojoin ?? false}
        .call=${call}
        >${markup}</pm-room
      >
    </div>
  `);
  await drawn();
  return { room: box.querySelector('pm-room')!, call };
}

/** A room in which one is, with these people. */
export async function joined(names: readonly string[] = [], theme?: 'light' | 'dark'): Promise<Stage> {
  const there = await stage({ autojoin: true, ...(theme ? { theme } : {}) });
  names.forEach((name, index) => there.call.add(`p${index}`, name));
  await drawn();
  return there;
}

/** Finds through shadow roots: each selector is looked up inside the one before. */
export function deep<T extends Element = HTMLElement>(root: Element, ...selectors: string[]): T {
  let at: Element | null = root;
  for (const selector of selectors) at = (at?.shadowRoot ?? at)?.querySelector(selector) ?? null;
  if (!at) throw new Error(`nothing at ${selectors.join(' > ')}`);
  return at as T;
}

/** Everything that people can read in an element, through shadow roots. */
export function textOf(node: Node): string {
  if (node instanceof Element && getComputedStyle(node).display === 'none') return '';
  if (node instanceof HTMLStyleElement) return '';
  if (node instanceof HTMLSlotElement && node.assignedNodes().length) {
    return node.assignedNodes().map(textOf).join('');
  }
  if (node instanceof Text) return node.data;
  const children = node instanceof Element && node.shadowRoot ? node.shadowRoot.childNodes : node.childNodes;
  return [...children].map(textOf).join(' ').replace(/\s+/g, ' ');
}

/** A stream with a moving picture. */
export function picture(): MediaStream {
  const canvas = document.createElement('canvas');
  canvas.width = 64;
  canvas.height = 36;
  const context = canvas.getContext('2d')!;
  let frame = 0;
  const timer = setInterval(() => {
    context.fillStyle = `hsl(${frame++ * 10} 60% 60%)`;
    context.fillRect(0, 0, 64, 36);
  }, 40);
  const stream = canvas.captureStream(25);
  stream.getTracks()[0]!.addEventListener('ended', () => clearInterval(timer));
  return stream;
}
