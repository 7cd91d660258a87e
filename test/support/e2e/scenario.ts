/**
 * One file of tests between browsers: a relay, a site of somebody else, and browser processes that its tests share.
 * A test fails on any console error, page error or unhandled rejection that it does not expect; then screenshots are
 * taken and what the pages logged is told.
 */
import { randomUUID } from 'node:crypto';
import { after, before, test as nodeTest, type TestContext } from 'node:test';
import { full } from '../faults/figures.mjs';
import { startRelayProcess, type RelayProcess } from '../relay.ts';
import { DelayProxy, type ProxyOptions } from './delay-proxy.ts';
import { document, Site, type Pages } from './site.ts';
import {
  Browsers,
  screenshot,
  Visitor,
  type BrowserSource,
  type Kind,
  type VisitOptions,
} from './visitor.ts';

export interface PlaceOptions extends VisitOptions {
  /** Which process of its kind; by default each visitor of a test has a process of its own. */
  readonly process?: number;
  readonly flags?: readonly string[];
}

export interface RoomPageOptions {
  /** Where the page finds the relay; by default straight at it. */
  readonly via?: { readonly url: string; readonly wsUrl: string };
  /** Further attributes of `<pm-room>`. */
  readonly attributes?: string;
  readonly inside?: string;
  readonly around?: string;
}

/** What one test has. */
export class Stage {
  readonly visitors: Visitor[] = [];
  /** A room that nobody else is in. */
  readonly room = `room-${randomUUID().slice(0, 8)}`;
  private readonly closers: (() => Promise<unknown>)[] = [];
  private readonly taken = new Map<Kind, number>();

  constructor(
    readonly relay: RelayProcess,
    readonly site: Pages,
    private readonly browsers: BrowserSource,
    private readonly context: TestContext,
  ) {}

  /** A page of another origin with the two lines of HTML. */
  roomPage({
    via = this.relay,
    attributes = 'autojoin',
    inside = '',
    around = '',
  }: RoomPageOptions = {}): string {
    return this.site.add(
      document(
        `<pm-room room="${this.room}" relay="${via.wsUrl}" ${attributes}>${inside}</pm-room>${around}`,
        `<script type="module" src="${via.url}/pm-elements.js"></script>`,
      ),
    );
  }

  async visit(kind: Kind, url: string, options: PlaceOptions = {}): Promise<Visitor> {
    const next = this.taken.get(kind) ?? 0;
    const { process = next, flags = [], ...rest } = options;
    this.taken.set(kind, Math.max(next, process + 1));
    const browser = await this.browsers.get(kind, process, flags);
    const visitor = await Visitor.open(browser, kind, url, { who: `${kind}-${String(process)}`, ...rest });
    this.visitors.push(visitor);
    return visitor;
  }

  /** To be done when the test is over. */
  later(close: () => Promise<unknown>): void {
    this.closers.push(close);
  }

  async proxy(options: Partial<ProxyOptions> = {}): Promise<DelayProxy> {
    const proxy = await DelayProxy.start({ target: this.relay.url, ...options });
    this.closers.push(() => proxy.close());
    return proxy;
  }

  /** Printed with the test's result. */
  report(text: string): void {
    this.context.diagnostic(text);
  }

  problems(): string[] {
    return this.visitors.flatMap(({ who, problems }) => problems.map((each) => `${who}: ${each}`));
  }

  /** Pictures of every page and the end of every log. */
  async evidence(name: string): Promise<string> {
    const parts = await Promise.all(
      this.visitors.map(async (visitor) => {
        const picture = visitor.page.isClosed() ? '' : await screenshot(visitor, name).catch(() => '');
        const log = visitor.log.slice(-12).map((line) => line.replaceAll(/\?token=\S+/g, '').slice(0, 300));
        return [`${visitor.who} ${picture}`, ...log].join('\n    ');
      }),
    );
    return parts.join('\n  ');
  }

  async close(): Promise<void> {
    await Promise.all(this.visitors.map((visitor) => visitor.close()));
    await Promise.all(this.closers.map((close) => close()));
  }
}

/** How long a test may take, in ms; one that repeats its fault as often as a full run wants needs longer. */
const PATIENCE = full ? 1_800_000 : 300_000;

export type Scenario<S extends Stage = Stage> = (stage: S) => Promise<void>;
export type Declare<S extends Stage = Stage> = (
  name: string,
  scenario: Scenario<S>,
  timeout?: number,
) => void;

/** What the tests of one file share. */
export interface World<S extends Stage = Stage> {
  stage(context: TestContext): S;
  close(): Promise<void>;
}

/**
 * To be called once in a file; the answer declares its tests.
 *
 * @param skip why they cannot run on this machine; '' where they can
 */
export function scenariosIn<S extends Stage>(open: () => Promise<World<S>>, skip = ''): Declare<S> {
  let world: World<S> | undefined;
  before(async () => {
    if (!skip) world = await open();
  });
  after(() => world?.close());
  return (name, scenario, timeout = PATIENCE) => {
    void nodeTest(name, { timeout, skip: skip || false }, async (context) => {
      if (!world) throw new Error('the world of this file did not open');
      const stage = world.stage(context);
      try {
        await scenario(stage);
        const problems = stage.problems();
        if (problems.length) throw new Error(`unexpected in the pages:\n${problems.join('\n')}`);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const failure = new Error(`${message}\n  ${await stage.evidence(name)}`);
        if (error instanceof Error) failure.stack = `${failure.message}\n${error.stack ?? ''}`;
        throw failure;
      } finally {
        await stage.close();
      }
    });
  };
}

/** A relay and a site on loopback, and the machine's browsers. */
export function scenarios(settings: Record<string, string> = {}): Declare {
  return scenariosIn(async () => {
    const browsers = new Browsers();
    const [relay, site] = await Promise.all([
      startRelayProcess({ PM_LOG_LEVEL: 'error', ...settings }),
      Site.start(),
    ]);
    return {
      stage: (context) => new Stage(relay, site, browsers, context),
      async close() {
        await browsers.close();
        await Promise.all([site.close(), relay.close()]);
      },
    };
  });
}
