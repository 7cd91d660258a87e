/**
 * People in browsers: separate browser processes, a page for each person with the measuring tools inside, and a
 * record of everything that went wrong in it.
 */
import { buildSync } from 'esbuild';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, LaunchOptions, Page } from 'puppeteer-core';
import { launchChromium, launchFirefox } from '../browsers.mjs';
import type { PageOptions, RoomSummary, SeenEvent } from './page/index.ts';
import { until } from './until.ts';

export type Kind = 'chromium' | 'firefox';

/** Fewer pictures a second than the fake camera's twenty: several calls share the machine's processors. */
export const FEW_FRAMES = '--use-fake-device-for-media-stream=fps=10';

let compiled: string | undefined;

/** The page's tools as one classic script. */
function toolkitScript(options: PageOptions): string {
  compiled ??= buildSync({
    entryPoints: [new URL('page/index.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  }).outputFiles[0]?.text;
  return `var e2eOptions = ${JSON.stringify(options)};\n${compiled ?? ''}`;
}

export interface BrowserSource {
  /** The `index`-th process of a kind; different `flags` are different processes. */
  get(kind: Kind, index?: number, flags?: readonly string[]): Promise<Browser>;
}

/** Browser processes of one test file, started when first asked for and reused. */
export class Browsers implements BrowserSource {
  private readonly started = new Map<string, Promise<Browser>>();

  get(kind: Kind, index = 0, flags: readonly string[] = []): Promise<Browser> {
    const key = [kind, index, ...flags].join(' ');
    let browser = this.started.get(key);
    if (!browser) {
      const options: LaunchOptions = { protocolTimeout: 120_000 };
      browser =
        kind === 'chromium'
          ? launchChromium({ ...options, args: [FEW_FRAMES, ...flags] })
          : launchFirefox(options);
      this.started.set(key, browser);
    }
    return browser;
  }

  async close(): Promise<void> {
    const all = [...this.started.values()];
    this.started.clear();
    await Promise.allSettled(all.map(async (each) => (await each).close()));
  }
}

export interface VisitOptions extends PageOptions {
  /** Expected console errors and page errors; any other one fails the test. */
  readonly allow?: readonly RegExp[];
  /** Shown in messages. */
  readonly who?: string;
  readonly viewport?: { width: number; height: number };
  /** More scripts to run before the page's own. */
  readonly scripts?: readonly string[];
}

/** One person's page. */
export class Visitor {
  readonly problems: string[] = [];
  readonly log: string[] = [];

  private constructor(
    readonly kind: Kind,
    readonly who: string,
    readonly page: Page,
    private readonly context: BrowserContext,
    private readonly allow: readonly RegExp[],
  ) {}

  static async open(browser: Browser, kind: Kind, url: string, options: VisitOptions = {}): Promise<Visitor> {
    const {
      allow = [],
      who = kind,
      viewport = { width: 960, height: 600 },
      scripts = [],
      ...pageOptions
    } = options;
    const context = await browser.createBrowserContext();
    // A window of its own: tabs that share one are hidden in turn, and a hidden tab stops its video.
    const page = await context.newPage({ type: 'window' });
    const visitor = new Visitor(kind, who, page, context, allow);
    visitor.watch();
    await page.setViewport(viewport);
    for (const script of [toolkitScript(pageOptions), ...scripts]) await page.evaluateOnNewDocument(script);
    await page.goto(url, { waitUntil: 'load', timeout: 60_000 });
    return visitor;
  }

  private watch(): void {
    const problem = (text: string): void => {
      this.log.push(text);
      if (!this.allow.some((each) => each.test(text))) this.problems.push(text);
    };
    this.page.on('pageerror', (error) =>
      problem(`page error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    );
    this.page.on('console', (message) => {
      const text = `console ${message.type()}: ${message.text()} ${message.location().url ?? ''}`.trim();
      if (message.type() === 'error') problem(text);
      else this.log.push(text);
    });
    this.page.on('requestfailed', (request) =>
      this.log.push(`request failed: ${request.url()} ${request.failure()?.errorText ?? ''}`),
    );
  }

  /** Runs in the page. */
  run<Args extends unknown[], Result>(
    fn: (...args: Args) => Result,
    ...args: Args
  ): Promise<Awaited<Result>> {
    return this.page.evaluate(fn as (...given: unknown[]) => Result, ...args);
  }

  summary(selector = 'pm-room'): Promise<RoomSummary> {
    return this.run((given) => e2e.summary(given), selector);
  }

  /** Waits for one of the states of the room element; another end (`failed`, `left`) is told at once. */
  async state(wanted: string | readonly string[], selector = 'pm-room', timeout = 30_000): Promise<void> {
    const states = typeof wanted === 'string' ? [wanted] : wanted;
    let last = '';
    await until(
      `${this.who}: ${selector} to be ${states.join(' or ')}`,
      async () => {
        last = (await this.summary(selector)).state;
        return states.includes(last);
      },
      { timeout },
    ).catch(async (error: unknown) => {
      const events = await this.events().catch(() => []);
      throw new Error(`${this.who}: ${selector} stayed ${last}; events ${JSON.stringify(events)}`, {
        cause: error,
      });
    });
  }

  events(name?: string): Promise<SeenEvent[]> {
    return this.run((given) => e2e.events.filter((each) => !given || each.name === given), name ?? '');
  }

  /** Clicks the first visible element that matches, wherever in the shadow roots. */
  async click(selector: string): Promise<void> {
    const element = await until(`${this.who}: ${selector} to click`, () => this.page.$(`pierce/${selector}`));
    await element.click();
    await element.dispose();
  }

  async close(): Promise<void> {
    await this.page.close().catch(() => {});
    await this.context.close().catch(() => {});
  }
}

let screenshots: string | undefined;

/** Where pictures of failing tests go: a new folder below the system's temporary one. */
export async function screenshot(visitor: Visitor, name: string): Promise<string> {
  screenshots ??= mkdtempSync(join(tmpdir(), 'pm-e2e-'));
  const path = join(
    screenshots,
    `${name.replaceAll(/[^\w-]+/g, '_').slice(0, 80)}-${visitor.who}.png`,
  ) as `${string}.png`;
  await visitor.page.screenshot({ path, captureBeyondViewport: false });
  return path;
}
