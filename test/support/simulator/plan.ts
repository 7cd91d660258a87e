/** What happens in one run, drawn from its seed alone: who is there, how the network is, and what befalls them when. */
import { DEFAULT_DELAYS, Random, type Delays, type Flavour } from '../fake-platform/index.ts';

export const STEP_KINDS = [
  'join',
  'lobby',
  'leave',
  'page closed',
  'crash',
  'new page',
  'mic',
  'camera',
  'screen',
  'screen ended',
  'screen refused',
  'chat',
  'file',
  'file cancelled',
  'glare',
  'ICE restart',
  'path cut',
  'data lost',
  'data never opens',
  'network lost',
  'socket lost',
  'half-open socket',
  'relay down',
  'relay restart',
  'freeze',
  'slow signals',
  'lost signals',
  'device lost',
  'device refused',
  'page event',
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export interface Step {
  /** Virtual milliseconds since the run began. */
  readonly at: number;
  readonly kind: StepKind;
  /** Draws that the step uses as it needs them: whom it befalls, with whom, how long it lasts, which variant. */
  readonly who: number;
  readonly other: number;
  readonly ms: number;
  readonly coin: boolean;
}

export interface Person {
  readonly name: string;
  readonly flavour: Flavour;
  /** Comes with a plain client, under this id; '' with ours. */
  readonly plain: string;
}

export interface Plan {
  readonly seed: number;
  readonly people: readonly Person[];
  readonly delays: Delays;
  readonly graceSeconds: number;
  /** Our relay, or a server as the original's. */
  readonly server: 'relay' | 'plain';
  readonly steps: readonly Step[];
  /** How long the last troubles go on by themselves before everything is mended, in ms. */
  readonly lull: number;
}

/** How often each kind is drawn, relative to the others. */
const WEIGHTS: Readonly<Record<StepKind, number>> = {
  join: 8,
  lobby: 2,
  leave: 4,
  'page closed': 2,
  crash: 2,
  'new page': 2,
  mic: 4,
  camera: 5,
  screen: 6,
  'screen ended': 2,
  'screen refused': 1,
  chat: 6,
  file: 4,
  'file cancelled': 2,
  glare: 9,
  'ICE restart': 4,
  'path cut': 6,
  'data lost': 3,
  'data never opens': 2,
  'network lost': 4,
  'socket lost': 5,
  'half-open socket': 4,
  'relay down': 4,
  'relay restart': 3,
  freeze: 4,
  'slow signals': 4,
  'lost signals': 3,
  'device lost': 2,
  'device refused': 1,
  'page event': 2,
};
const BAG: readonly StepKind[] = STEP_KINDS.flatMap((kind) => Array<StepKind>(WEIGHTS[kind]).fill(kind));

const NAMES = ['maya', 'jonas', 'priya', 'oskar', 'lena'] as const;
/** Most rooms are small: a race needs two, sometimes a third. */
const SIZES = [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5] as const;
/** Share of the rooms in which somebody has a plain client. */
const MIXED = 0.25;
const LOW = '00000000-0000-4000-8000-000000000001';
const HIGH = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
/** Most things that happen to a run after its people began to join. */
const BUDGET = 12;

/** Lengths of faults in ms: over before anybody notices, noticed, beyond the browsers' own patience. */
function duration(random: Random): number {
  const [low, high] = random.pick([
    [5, 400],
    [5, 400],
    [300, 4_000],
    [300, 4_000],
    [3_000, 14_000],
    [14_000, 40_000],
  ] as const);
  return Math.round(random.between(low, high));
}

/** The time until the next thing: most faults come upon another one, or races would be rare. */
function gap(random: Random): number {
  const [low, high] = random.pick([
    [0, 0],
    [0, 40],
    [0, 40],
    [0, 500],
    [0, 500],
    [0, 4_000],
    [4_000, 20_000],
  ] as const);
  return random.between(low, high);
}

function delays(random: Random): Delays {
  const weather: Partial<Delays> = random.pick<Partial<Delays>>([
    {},
    {},
    // A near relay, a far one, a slow machine.
    { socket: [0.2, 4], path: [0.2, 4], check: [0.5, 8], dtls: [1, 6] },
    { socket: [40, 250], socketOpen: [80, 500], fetch: [80, 500] },
    { sdp: [1, 120], gather: [1, 200], replaceTrack: [1, 60], compute: [0.5, 40], capture: [5, 1_500] },
  ]);
  return { ...DEFAULT_DELAYS, ...weather };
}

/** Makes some rooms mixed ones: the last to be named has a plain client, of the smallest or the largest id. */
function mix(people: Person[], seed: number): Plan['server'] {
  // Drawn by itself: every other room is as it would be without mixed ones.
  const random = new Random(seed ^ 0x91a14);
  if (!random.chance(MIXED)) return 'relay';
  const last = people.length - 1;
  people[last] = { ...people[last]!, plain: random.pick([LOW, HIGH]) };
  return random.pick(['relay', 'plain']);
}

export function plan(seed: number): Plan {
  // Not the generator of the world itself: leaving a step out must not change the people.
  const random = new Random(seed ^ 0x51a7e5);
  const people: Person[] = NAMES.slice(0, random.pick(SIZES)).map((name) => ({
    name,
    flavour: random.pick<Flavour>(['chromium', 'firefox']),
    plain: '',
  }));
  const server = mix(people, seed);
  const draw = (at: number, kind: StepKind): Step => ({
    at: Math.round(at * 10) / 10,
    kind,
    who: random.integer(0, 59),
    other: random.integer(0, 59),
    ms: duration(random),
    coin: random.chance(0.5),
  });
  const steps: Step[] = [];
  let at = 0;
  for (const _ of people) {
    steps.push(draw(at, 'join'));
    at += gap(random) / 4;
  }
  if (random.chance(0.6)) at += random.between(200, 1_500);
  for (let count = random.integer(2, BUDGET); count > 0; count -= 1) {
    steps.push(draw(at, random.pick(BAG)));
    at += gap(random);
  }
  return {
    seed,
    people,
    delays: delays(random),
    graceSeconds: random.pick([2, 6, 12]),
    server,
    steps,
    // Mended at once, no long cut would last as long as it was meant to.
    lull: random.chance(0.2) ? random.between(5_000, 45_000) : 0,
  };
}
