/**
 * What a host has decided for a room: who gets in, and who does not. Hosts themselves always do, and so does whoever
 * still has a place.
 */
import { TokenBucket } from './limits.ts';
import type { Person } from './person.ts';

/** The most people who may wait before one room. */
const MAX_WAITING = 50;
/** The most decisions about persons that one room remembers: the oldest goes first. */
const MAX_REMEMBERED = 1_000;
/** Wrong passwords for one room: so many at once, so many a second after that. */
const WRONG_AT_ONCE = 50;
const WRONG_PER_SECOND = 2;

export type Refusal = 'room-full' | 'room-locked' | 'password-needed' | 'rate-limited' | 'not-admitted';

export interface Guest {
  readonly person: Person;
  readonly username: string;
}

/** A set that forgets its oldest members rather than to grow without end. */
class Remembered extends Set<string> {
  override add(value: string): this {
    super.add(value);
    for (const oldest of this) {
      if (this.size <= MAX_REMEMBERED) break;
      this.delete(oldest);
    }
    return this;
  }
}

export class Rules {
  locked = false;
  /** Whoever comes waits for a host's word. */
  lobby = false;
  /** Digest of what must be presented, in hexadecimal. */
  password: string | null = null;
  /** In order of their coming. */
  readonly waiting = new Map<string, Guest>();
  private readonly admitted = new Remembered();
  private readonly banned = new Remembered();
  private readonly wrong: TokenBucket;

  /** @param kept what another node's `JSON.stringify` of the same room's rules gave, or an empty text */
  constructor(now: number, kept = '') {
    this.wrong = new TokenBucket(WRONG_PER_SECOND, WRONG_AT_ONCE, now);
    if (kept === '') return;
    const { admitted, banned, ...rules } = JSON.parse(kept) as ReturnType<Rules['toJSON']>;
    Object.assign(this, rules);
    for (const key of admitted) this.admitted.add(key);
    for (const each of banned) this.banned.add(each);
  }

  toJSON() {
    const { locked, lobby, password } = this;
    return { locked, lobby, password, admitted: [...this.admitted], banned: [...this.banned] };
  }

  /** Whether a room without anybody in it is worth remembering. */
  get isPlain(): boolean {
    return !this.locked && !this.lobby && this.password === null && this.banned.size === 0;
  }

  /** What everybody may know. */
  get facts(): { locked: boolean; lobby: boolean; password: boolean } {
    return { locked: this.locked, lobby: this.lobby, password: this.password !== null };
  }

  /**
   * Why somebody without a place does not get in now, or null.
   * @param presented digest of what was presented as the password, in hexadecimal
   */
  refuse(person: Person, presented: string | null, now: number): Refusal | 'waiting' | null {
    if (person.role === 'host') return null;
    if (this.banned.has(person.owner) || this.banned.has(person.key)) return 'not-admitted';
    // A host's word to this very person counts more than a rule for everybody.
    if (this.admitted.has(person.key)) return null;
    if (this.password !== null && presented !== this.password) return this.passwordRefusal(presented, now);
    if (this.locked) return 'room-locked';
    if (!this.lobby) return null;
    return this.waiting.size < MAX_WAITING || this.waiting.has(person.key) ? 'waiting' : 'room-full';
  }

  admit(guest: Guest): void {
    this.waiting.delete(guest.person.key);
    this.admitted.add(guest.person.key);
  }

  ban({ owner, key }: Person): void {
    this.waiting.delete(key);
    this.admitted.delete(key);
    this.banned.add(owner).add(key);
  }

  private passwordRefusal(presented: string | null, now: number): Refusal {
    if (presented === null) return 'password-needed';
    return this.wrong.take(now) ? 'password-needed' : 'rate-limited';
  }
}
