/**
 * Sets every connection's encoders by what its receiver wishes, under one budget for all: sound always, the speaker
 * first, and next to nothing for what nobody looks at.
 */
import type { SourceName } from '../../state/call-state.ts';
import type { LinkStats } from '../stats.ts';
import type { PeerMessage } from '../transport.ts';
import { encodingOf, share, targetOf, type Demand, type Encoding } from './allocate.ts';
import { Budget } from './budget.ts';

const VIDEO = ['camera', 'screen'] as const;
type VideoSource = (typeof VIDEO)[number];

/** Milliseconds between two looks at the whole, and between two changes of one encoder that nobody wished for. */
const LOOK = 900;
const STEADY = 3_000;
/** Smaller changes are left alone. */
const NOTABLE = 0.15;
/** A reading older than this says nothing. */
const STALE = 4_000;
/** Looks in a row before it is said what limits the pictures. */
const CERTAIN = 3;
/** What is shown where nobody said: as plain clients do. */
const USUAL_PIXELS = 640 * 360;
const LONGEST_SIDE = 8_192;

export interface UplinkLink {
  readonly stats: LinkStats | null;
  /** @param idle also one that sends something else in the source's stead */
  sender(source: SourceName, idle?: boolean): RTCRtpSender | null;
}

export interface UplinkHooks {
  links(): Iterable<readonly [string, UplinkLink]>;
  /** The newest wish of a peer, as it came. */
  wish(id: string): PeerMessage | undefined;
  /** The track that is sent as this source. */
  track(source: SourceName): MediaStreamTrack | null;
  /** What keeps the pictures that others see below what they wish. */
  limited(by: 'bandwidth' | 'processor' | null): void;
  now(): number;
  warn(message: string, error: unknown): void;
}

interface Setting {
  wanted: object;
  /** The same as text, to be compared. */
  text: string;
  busy?: boolean;
  /** To be switched off, and on again unless it is to stay off. */
  anew?: boolean;
  off?: boolean;
  changed: number;
  demand: string;
}

/** Pixels of a wish; null where it says nothing that can be understood. A stranger's word. */
function pixelsOf(wish: PeerMessage | undefined, source: VideoSource): number | null {
  const said = wish?.[source];
  if (said === null) return 0;
  if (!Array.isArray(said)) return null;
  const [width, height] = (said as unknown[]).map((side) =>
    Number.isFinite(side) ? Math.min(Math.max(side as number, 0), LONGEST_SIDE) : 0,
  );
  return (width ?? 0) * (height ?? 0);
}

async function change(sender: RTCRtpSender, wanted: object): Promise<void> {
  // Good for this task alone: nothing may come between the two calls (WebRTC 1.0, section 5.2).
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings) Object.assign(encoding, wanted);
  await sender.setParameters(parameters);
}

export class Uplink {
  readonly #hooks: UplinkHooks;

  readonly #budget = new Budget();
  readonly #settings = new WeakMap<RTCRtpSender, Setting>();
  /** Bit/s of video that each link may send. */
  #given = new Map<string, number>();
  #looked = -Infinity;
  #limit: { by: 'bandwidth' | 'processor' | null; looks: number } = { by: null, looks: 0 };

  constructor(hooks: UplinkHooks) {
    this.#hooks = hooks;
  }

  /** Something changed: a wish, a source, a reading. */
  update(): void {
    const links = [...this.#hooks.links()];
    const demands = links.flatMap(([id, link]) => this.#demandsOf(id, link));
    const looking = demands.filter(({ demand }) => demand.pixels > 0);
    const wanted = looking.reduce((sum, { demand }) => sum + targetOf(demand), 0);
    const look = this.#hooks.now() - this.#looked >= LOOK;
    if (look) {
      this.#looked = this.#hooks.now();
      this.#budget.look(this.#readings(links), this.#given, wanted, this.#looked);
    }
    const budget = this.#budget.bits;
    const shares = share(
      demands.map(({ demand }) => demand),
      budget,
    );
    this.#given = new Map();
    demands.forEach(({ id, sender, demand }, index) => {
      this.#given.set(id, (this.#given.get(id) ?? 0) + shares[index]!);
      this.#encode(sender, demand, shares[index]!);
    });
    for (const [, link] of links) {
      const sound = link.sender('mic');
      if (sound) this.#set(sound, { priority: 'high', networkPriority: 'high' }, '');
    }
    if (look) this.#judge(links, wanted > budget * 1.2);
  }

  /**
   * While nothing comes through no pictures are made: a receiver that gets old ones late believes that the path is slow,
   * and Chromium's shows everything some seconds late from then on. They go on with a whole one, as those of an encoder
   * do that was off: the next one would be of no use without those that were lost, and Chromium asks for a whole one
   * after 3 s. Another track does not bring one.
   * @param off nothing comes through; else something does again
   */
  pause(link: UplinkLink, off: boolean): void {
    for (const source of VIDEO) {
      // One whose source ended, or that shows black instead, may get another before this is over.
      const sender = link.sender(source, true);
      if (!sender) continue;
      const setting = this.#settingOf(sender);
      setting.anew = true;
      setting.off = off;
      void this.#apply(sender, setting);
    }
  }

  #demandsOf(id: string, link: UplinkLink): { id: string; sender: RTCRtpSender; demand: Demand }[] {
    const wish = this.#hooks.wish(id);
    return VIDEO.flatMap((source) => {
      const track = this.#hooks.track(source);
      const sender = link.sender(source);
      if (!track || !sender) return [];
      const { width = 640, height = 360 } = track.getSettings();
      const captured = width * height;
      const pixels = pixelsOf(wish, source) ?? Math.min(captured, USUAL_PIXELS);
      return {
        id,
        sender,
        demand: { pixels, captured, screen: source === 'screen', first: wish?.['first'] !== false },
      };
    });
  }

  #readings(links: readonly (readonly [string, UplinkLink])[]): Map<string, LinkStats> {
    const newest = Math.max(...links.map(([, { stats }]) => stats?.at ?? 0));
    return new Map(
      links.flatMap(([id, { stats }]) => (stats && newest - stats.at < STALE ? [[id, stats] as const] : [])),
    );
  }

  #encode(sender: RTCRtpSender, demand: Demand, bitrate: number): void {
    const setting = this.#settings.get(sender);
    const before = (setting?.wanted ?? null) as Encoding | null;
    const next = encodingOf(demand, bitrate, before);
    const key = `${demand.pixels} ${demand.first}`;
    if (before && setting?.demand === key) {
      const change = next.maxBitrate / before.maxBitrate - 1;
      const recent = this.#hooks.now() - setting.changed < STEADY;
      if (Math.abs(change) < NOTABLE || (change > 0 && recent)) return;
    }
    this.#set(sender, next, key);
  }

  /** One call after the other for each sender, and only the newest wish: overtaken ones are skipped. */
  #set(sender: RTCRtpSender, wanted: object, demand: string): void {
    const setting = this.#settingOf(sender);
    setting.demand = demand;
    const text = JSON.stringify(wanted);
    if (setting.text === text) return;
    setting.wanted = wanted;
    setting.text = text;
    setting.changed = this.#hooks.now();
    void this.#apply(sender, setting);
  }

  #settingOf(sender: RTCRtpSender): Setting {
    let setting = this.#settings.get(sender);
    if (!setting) {
      setting = { wanted: {}, text: '', changed: 0, demand: '' };
      this.#settings.set(sender, setting);
    }
    return setting;
  }

  async #apply(sender: RTCRtpSender, setting: Setting): Promise<void> {
    if (setting.busy) return;
    setting.busy = true;
    try {
      for (let done: object | null = null; done !== setting.wanted || setting.anew;) {
        done = setting.wanted;
        if (setting.anew) {
          setting.anew = false;
          await change(sender, { active: false });
        }
        if (!setting.off) await change(sender, { active: true, ...done });
      }
    } catch (error) {
      // Tried again at the next look; a sender whose connection was closed meanwhile is looked at no more.
      this.#settings.delete(sender);
      // In Chromium a description that is being applied comes between the two calls all the same, and anywhere the end
      // of the connection may: worth no word.
      if (!/^Invalid(Modification|State)Error$/.test((error as DOMException).name))
        this.#hooks.warn('An encoder could not be set.', error);
    } finally {
      setting.busy = false;
    }
  }

  /** Says what limits the pictures, once it has been so for some looks. */
  #judge(links: readonly (readonly [string, UplinkLink])[], tight: boolean): void {
    const processor = links.some(([, { stats }]) =>
      stats?.outbound.some(({ limitedBy }) => limitedBy === 'processor'),
    );
    const by = processor ? 'processor' : tight ? 'bandwidth' : null;
    const looks = by === this.#limit.by ? this.#limit.looks + 1 : 1;
    this.#limit = { by, looks };
    if (looks === CERTAIN) this.#hooks.limited(by);
  }
}
