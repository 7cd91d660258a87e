/** Somebody with a page of ours, which may be replaced by another one after it crashed. */
import type { Call } from '../../../src/core/index.ts';
import type { FakePlatform } from '../fake-platform/index.ts';
import type { Person } from './plan.ts';

export class Actor {
  /** The page at hand: what the world knows it by. */
  page = '';
  call!: Call;
  /** Is to be in the room, as far as the person is concerned. */
  present = false;
  frozen = false;
  /** The page is there, and so is its call. */
  alive = false;
  readonly wishes = { mic: true, camera: true };
  pages = 0;

  constructor(
    readonly person: Person,
    readonly platformOf: (page: string) => FakePlatform,
  ) {}

  get name(): string {
    return this.person.name;
  }

  get platform(): FakePlatform {
    return this.platformOf(this.page);
  }

  /** What the others know it by, while it is in the room. */
  get id(): string {
    return this.call.snapshot.participants[0]?.id ?? '';
  }

  /** In the room by its own account. */
  get inside(): boolean {
    const { phase } = this.call.snapshot;
    return this.alive && (phase === 'joined' || phase === 'reconnecting');
  }

  /** Can be clicked at. */
  get awake(): boolean {
    return this.alive && !this.frozen;
  }
}
