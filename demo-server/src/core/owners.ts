import { LIMITS } from '../../../src/core/protocol/limits.ts';
import { TokenBucket } from './limits.ts';

/** All sockets of one owner together may say so many times what one may. */
const SHARE = 3;

/** Whoever a token names: the site's account, else the token's subject. What its sockets share. */
export interface Owner {
  readonly id: string;
  sockets: number;
  readonly bucket: TokenBucket;
}

export class Owners {
  private readonly owners = new Map<string, Owner>();

  /** Sockets that this one holds now. */
  socketsOf(id: string): number {
    return this.owners.get(id)?.sockets ?? 0;
  }

  enter(id: string, now: number): Owner {
    const { messagesPerSecond, messageBurst } = LIMITS;
    const owner = this.owners.get(id) ?? {
      id,
      sockets: 0,
      bucket: new TokenBucket(messagesPerSecond * SHARE, messageBurst * SHARE, now),
    };
    owner.sockets += 1;
    this.owners.set(id, owner);
    return owner;
  }

  leave(owner: Owner): void {
    owner.sockets -= 1;
    if (owner.sockets === 0) this.owners.delete(owner.id);
  }
}
