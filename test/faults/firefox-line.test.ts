/**
 * The same faults of the line for Firefox, which no namespace can hold while it is driven by a socket: all of its media
 * goes by a TURN server, and a proxy of ours in front of that is the bad line. Its way to the relay is another proxy.
 */
import { scenariosIn, Stage, type World } from '../support/e2e/scenario.ts';
import { Site } from '../support/e2e/site.ts';
import { Browsers, type Visitor } from '../support/e2e/visitor.ts';
import { comesBackFromCut, cuts, full, NETWORK, rounds } from '../support/faults/fault.ts';
import { livesThrough } from '../support/faults/line.ts';
import { noisyCamera } from '../support/lab/noise.ts';
import { whyNoTurn } from '../support/lab/programs.mjs';
import { startTurn, TURN_SECRET } from '../support/lab/turn.ts';
import { UdpProxy, type Line } from '../support/lab/udp-proxy.ts';
import { startRelayProcess } from '../support/relay.ts';

const WHERE = 'Firefox with Chromium, UDP proxy';

class ProxiedStage extends Stage {
  constructor(
    readonly turn: UdpProxy,
    ...rest: ConstructorParameters<typeof Stage>
  ) {
    super(...rest);
    this.later(async () => void Object.assign(turn.line, { ...GOOD }));
  }

  /** Firefox, all of whose media passes the proxy, with Chromium, which may do as it likes. */
  async call(
    via: { url: string; wsUrl: string } | null,
    flags: readonly string[],
    allow: readonly RegExp[] = NETWORK,
  ): Promise<Visitor[]> {
    const attributes = 'ice-policy="relay" autojoin';
    return [
      await this.visit('firefox', this.roomPage({ attributes, ...(via && { via }) }), { allow }),
      await this.visit('chromium', this.roomPage(), { allow, flags }),
    ];
  }
}

const GOOD: Line = { blocked: false, lossPercent: 0, upKbit: 0, downKbit: 0, delayMs: 0 };

async function open(): Promise<World<ProxiedStage>> {
  const turn = await startTurn();
  const proxy = await UdpProxy.start(turn);
  const settings = { PM_TURN_URLS: proxy.turnUrl, PM_TURN_SECRET: TURN_SECRET, PM_LOG_LEVEL: 'error' };
  const [relay, site] = await Promise.all([startRelayProcess(settings), Site.start()]);
  const browsers = new Browsers();
  return {
    stage: (context) => new ProxiedStage(proxy, relay, site, browsers, context),
    async close() {
      await browsers.close();
      proxy.close();
      await Promise.all([relay.close(), site.close(), turn.close()]);
    },
  };
}

/** What Firefox says where a path is dead for longer than it tries one. */
const GIVEN_UP = /WebRTC: ICE failed/;

const test = scenariosIn(open, whyNoTurn());

for (const [seconds, times] of cuts.filter(([each]) => full || each === 8)) {
  test(`Firefox: the path is cut for ${String(seconds)} s`, async (stage) => {
    const relay = await stage.proxy();
    const broken = (is: boolean): void => {
      stage.turn.line.blocked = is;
      relay.refusing = is;
    };
    await comesBackFromCut(
      stage,
      await stage.call(relay, [], seconds > 20 ? [...NETWORK, GIVEN_UP] : NETWORK),
      {
        seconds,
        times,
        where: WHERE,
        cut() {
          broken(true);
          // Sockets of before seem to be open for good, and new ones do not open.
          relay.freeze();
        },
        mend: () => broken(false),
      },
    );
  });
}

/**
 * Firefox's own fake camera needs less than a thin line has; what it gets is more. Noise, but not where a path is cut: a
 * whole picture of it takes 3 s at the rate with which browsers begin on a path.
 */
const lines: [fault: string, line: (kbit: number) => Partial<Line>, thinFor: number | null][] = [
  ['20 % loss', () => ({ lossPercent: 20 }), null],
  ['300 kbit/s both ways', (downKbit) => ({ upKbit: 300, downKbit }), 0],
];

for (const [fault, line, thinFor] of lines) {
  test(`Firefox: ${fault}`, async (stage) => {
    const people = await stage.call(null, [noisyCamera()]);
    for (let round = 0; round < rounds(7); round++) {
      await livesThrough(stage, people, {
        fault,
        where: WHERE,
        thinFor,
        worsen: (kbit) => void Object.assign(stage.turn.line, GOOD, line(kbit)),
        restore: () => void Object.assign(stage.turn.line, GOOD),
      });
    }
  });
}
