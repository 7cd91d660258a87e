/**
 * Watches what arrives at a page, ten times a second, by every receiver's statistics: so a gap in sound or picture is
 * seen as long as it was, whatever the call says of itself.
 */
import type { Visitor } from '../e2e/visitor.ts';
import { until } from '../e2e/until.ts';

/** One look at one receiver; counters since its connection began. */
interface Look {
  /** Which connection of the page, in order of making. */
  readonly connection: number;
  readonly kind: string;
  /** Packets of sound, or decoded pictures. */
  readonly arrived: number;
  readonly bytes: number;
  readonly lost: number;
  readonly samples: number;
  readonly concealed: number;
}

export interface Sample {
  /** By `Date.now()`, which all browsers and the test share. */
  readonly at: number;
  readonly looks: readonly Look[];
}

declare global {
  // eslint-disable-next-line no-var
  var monitored: Sample[];
}

/** How often a page looks, in ms. */
const EVERY = 100;
/** Silence or a still picture for as long counts as an interruption, in ms… */
const INTERRUPTION = 1_000;
/** … if the page, which may get no processor for a while, looked so often in vain. */
const VAIN_LOOKS = 5;

const watchMedia = (every: number): void => {
  const started = 'monitored' in globalThis;
  globalThis.monitored = [];
  if (started) return;
  const look = async (pc: RTCPeerConnection, connection: number): Promise<Look[]> => {
    const receivers = pc.getReceivers().filter(({ track }) => track.readyState === 'live');
    const reports = await Promise.all(receivers.map(async (each) => [...(await each.getStats()).values()]));
    return reports.flat().flatMap((report: RTCInboundRtpStreamStats): Look[] => {
      if (report.type !== 'inbound-rtp') return [];
      const sound = report.kind === 'audio';
      const { packetsReceived = 0, framesDecoded = 0, packetsLost = 0 } = report;
      const { bytesReceived = 0 } = report;
      const { totalSamplesReceived = 0, concealedSamples = 0 } = report;
      return [
        {
          connection,
          kind: report.kind,
          arrived: sound ? packetsReceived : framesDecoded,
          bytes: bytesReceived,
          lost: packetsLost,
          samples: totalSamplesReceived,
          concealed: concealedSamples,
        },
      ];
    });
  };
  void (async () => {
    for (;;) {
      const at = Date.now();
      const live = e2e.peerConnections
        .map((pc, index) => ({ pc, index }))
        .filter(({ pc }) => pc.signalingState !== 'closed');
      const looks = await Promise.all(live.map(({ pc, index }) => look(pc, index).catch(() => [])));
      globalThis.monitored.push({ at, looks: looks.flat() });
      await e2e.pause(Math.max(0, at + every - Date.now()));
    }
  })();
};

/** How a stream of sound or pictures went on, over all connections of a page. */
export interface Flow {
  /** When something new was seen, in order, and how many looks were in vain before. */
  readonly news: readonly { readonly at: number; readonly vain: number }[];
  /** Looks in vain since the last news. */
  readonly vain: number;
  /** How many packets or pictures in all. */
  readonly arrived: number;
  readonly bytes: number;
  readonly lost: number;
  /** Share of the sound that had to be made up, in %; 0 for pictures. */
  readonly concealed: number;
}

function flow(samples: readonly Sample[], kind: 'audio' | 'video'): Flow {
  const seen: { at: number; vain: number }[] = [];
  let vain = 0;
  const sum = { arrived: 0, bytes: 0, lost: 0, samples: 0, concealed: 0 };
  const before = new Map<number, Look>();
  for (const [index, sample] of samples.entries()) {
    let news = 0;
    for (const now of sample.looks.filter((each) => each.kind === kind)) {
      const last = before.get(now.connection);
      before.set(now.connection, now);
      // What a connection carried before the watch began is no news; one that was made since begins at nothing.
      if (!last && index === 0) continue;
      news += Math.max(0, now.arrived - (last?.arrived ?? 0));
      sum.bytes += Math.max(0, now.bytes - (last?.bytes ?? 0));
      sum.lost += Math.max(0, now.lost - (last?.lost ?? 0));
      sum.samples += now.samples - (last?.samples ?? 0);
      sum.concealed += now.concealed - (last?.concealed ?? 0);
    }
    sum.arrived += news;
    if (news) seen.push({ at: sample.at, vain });
    vain = news ? 0 : vain + 1;
  }
  const concealed = sum.samples > 0 ? (100 * sum.concealed) / sum.samples : 0;
  const { arrived, bytes, lost } = sum;
  return { news: seen, vain, arrived, bytes, lost, concealed };
}

/** When the last interruption after `since` ended, in ms after it; 0 without any, null while one lasts. */
function backAfter({ news, vain }: Flow, since: number, now: number): number | null {
  let last = since;
  let back = 0;
  for (const each of news.filter(({ at }) => at >= since - INTERRUPTION)) {
    if (each.at - last > INTERRUPTION && each.vain >= VAIN_LOOKS) back = each.at - since;
    last = Math.max(last, each.at);
  }
  return now - last > INTERRUPTION && vain >= VAIN_LOOKS ? null : Math.max(0, back);
}

export class Monitor {
  private constructor(private readonly visitor: Visitor) {}

  /** Begins to watch, or begins anew. */
  static async start(visitor: Visitor): Promise<Monitor> {
    await visitor.run(watchMedia, EVERY);
    return new Monitor(visitor);
  }

  samples(): Promise<Sample[]> {
    return this.visitor.run(() => globalThis.monitored);
  }

  /** How it went since the start, or within a time by `Date.now()`. */
  async flow(kind: 'audio' | 'video', from = 0, to = Infinity): Promise<Flow> {
    return flow(
      (await this.samples()).filter(({ at }) => at >= from && at <= to),
      kind,
    );
  }

  /**
   * Waits until sound and picture have flowed for a while again, and answers when they came back: ms after `since`,
   * the later of the two; null when they did not within `timeout` ms.
   */
  async back(since: number, { timeout = 60_000, steady = 3_000, video = true } = {}): Promise<number | null> {
    const look = async (): Promise<{ back: number } | null> => {
      const samples = await this.samples();
      const now = samples.at(-1)?.at ?? since;
      const kinds = video ? (['audio', 'video'] as const) : (['audio'] as const);
      const times = kinds.map((kind) => backAfter(flow(samples, kind), since, now));
      if (times.includes(null)) return null;
      const latest = Math.max(...times.map(Number));
      return now - since - latest >= steady ? { back: latest } : null;
    };
    return until('media is back', look, { timeout, every: 250 })
      .then(({ back }) => back)
      .catch(() => null);
  }
}
