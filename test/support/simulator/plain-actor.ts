/** Somebody with a plain client. */
import { fakeToken } from '../fake-room.ts';
import type { PlainClient } from '../plain-client/client.ts';
import { fakePlainClient } from '../plain-client/fake.ts';
import type { Person } from './plan.ts';
import type { Stage } from './stage.ts';

/** Milliseconds between a leave, or a page that ends, and the next join: nobody is quicker by hand. */
const REJOIN = 700;

export class PlainActor {
  page = '';
  client!: PlainClient;
  present = false;
  frozen = false;
  alive = false;
  /** It lost its socket and never joins again by itself: the person leaves and comes back. */
  dropped = false;
  screen = false;
  private pages = 0;
  private leftAt = -Infinity;

  constructor(
    readonly stage: Stage,
    readonly person: Person,
    readonly id: string,
  ) {}

  get name(): string {
    return this.person.name;
  }

  /** Not in the room, and able to join. */
  get outside(): boolean {
    return !this.present && !this.frozen && this.stage.world.now - this.leftAt >= REJOIN;
  }

  get awake(): boolean {
    return this.alive && !this.frozen;
  }

  openPage(): void {
    const { world } = this.stage;
    this.pages += 1;
    this.page = this.pages === 1 ? this.name : `${this.name}/${String(this.pages)}`;
    this.alive = true;
    this.present = this.frozen = this.dropped = this.screen = false;
    this.stage.pages.add(this.page);
    const claims = { sub: this.id, username: this.name, exp: Number.MAX_SAFE_INTEGER };
    const client = fakePlainClient(world, {
      name: this.page,
      token: fakeToken(claims),
    });
    this.client = client;
    this.stage.plainClients.set(client, false);
    client.changed = () => {
      if (client.userId === '' || client.connected) return;
      this.stage.plainClients.set(client, true);
      if (client === this.client) this.dropped = true;
    };
  }

  enter(): void {
    this.present = true;
    const { client } = this;
    if (client.connected) client.join();
    // It is on its way back to the server, and joins there.
    else if (client.userId !== '') this.dropped = true;
    else
      // Where the server cannot be reached the person closes the page.
      client.enter().catch(() => {
        if (client === this.client && this.alive) this.close();
      });
  }

  leave(): void {
    this.present = this.dropped = false;
    this.leftAt = this.stage.world.now;
    this.client.leave();
  }

  close(): void {
    this.client.end();
    this.crash();
  }

  /** Without a word. */
  crash(): void {
    this.alive = this.present = false;
    this.leftAt = this.stage.world.now;
    // What was under way in the page ends with it.
    this.stage.world.crash(this.page, 'tab');
  }

  /** Whoever is in the room no more, although the page looks like it, leaves and joins. @returns whether it has to */
  recover(): boolean {
    if (!this.present || !this.dropped) return false;
    if (this.awake && this.client.connected) {
      const { client } = this;
      this.dropped = false;
      client.leave();
      this.stage.world.scheduler.schedule('work', REJOIN, this.page, () => {
        if (client === this.client && this.present && this.awake) client.join();
      });
    }
    return true;
  }
}
