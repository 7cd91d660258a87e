/** Tests in a lab of their own: one for each file, with a browser in each home, a relay and a site on the public side. */
import type { TestContext } from 'node:test';
import {
  scenariosIn,
  Stage,
  type Declare,
  type PlaceOptions,
  type RoomPageOptions,
} from '../e2e/scenario.ts';
import type { Pages } from '../e2e/site.ts';
import type { Visitor } from '../e2e/visitor.ts';
import type { RelayProcess } from '../relay.ts';
import type { Home } from './home.ts';
import { Lab } from './lab.ts';
import type { NatKind } from './nat.ts';
import { whyNoNetwork } from './programs.mjs';

export class LabStage extends Stage {
  constructor(
    readonly lab: Lab,
    relay: RelayProcess,
    site: Pages,
    context: TestContext,
  ) {
    const homes = lab.names;
    // A visitor's process is the browser of a home; homes are all there are.
    super(relay, site, { get: (_kind, index = 0, flags) => lab.browser(homes[index] ?? '', flags) }, context);
    this.later(async () => {
      for (const name of homes) {
        lab.home(name).mend();
        lab.home(name).impair();
      }
    });
  }

  home(name: string): Home {
    return this.lab.home(name);
  }

  /** Somebody at home opens the page of the room. */
  visitFrom(home: string, page: RoomPageOptions = {}, options: PlaceOptions = {}): Promise<Visitor> {
    return this.visit('chromium', this.roomPage(page), {
      process: this.lab.names.indexOf(home),
      who: home,
      ...options,
    });
  }
}

/** To be called once in a file; the answer declares its tests, which are skipped where no network can be made. */
export function labScenarios(homes: Readonly<Record<string, NatKind>>): Declare<LabStage> {
  return scenariosIn(async () => {
    const lab = await Lab.up(homes);
    try {
      const [relay, pages] = await Promise.all([lab.startRelay(), lab.startPages()]);
      return {
        stage: (context) => new LabStage(lab, relay, pages, context),
        close: () => lab.close(),
      };
    } catch (error) {
      await lab.close();
      throw error;
    }
  }, whyNoNetwork());
}
