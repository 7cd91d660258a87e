import type { Reason } from '../../../src/core/protocol/schema.ts';

const MAX_FRAMES = 64;
const MAX_SIZE = 256 * 1024;
const MAX_LEFT = 256;

/** What a member misses while its socket is away, bounded: the oldest goes first. */
export class Backlog {
  /** Signals and messages, oldest first. */
  readonly frames: { from: string | null; text: string }[] = [];
  /** Who left for good meanwhile, and why: absence from a list alone closes no connection. */
  readonly left = new Map<string, Reason>();
  /** In UTF-16 units, which are bytes for nearly everything that signalling carries. */
  private size = 0;

  /** @param from whose connection the frame belongs to; null for a message, which outlives its sender's stay */
  add(from: string | null, text: string): void {
    this.frames.push({ from, text });
    this.size += text.length;
    while (this.frames.length > MAX_FRAMES || this.size > MAX_SIZE)
      this.size -= this.frames.shift()?.text.length ?? 0;
  }

  /** Somebody is gone: signals of a connection that ended would only confuse. */
  forget(userID: string, reason: Reason): void {
    const kept = this.frames.filter((frame) => frame.from !== userID);
    this.frames.splice(0, this.frames.length, ...kept);
    this.size = kept.reduce((sum, { text }) => sum + text.length, 0);
    this.left.delete(userID);
    this.left.set(userID, reason);
    for (const oldest of this.left.keys()) {
      if (this.left.size <= MAX_LEFT) break;
      this.left.delete(oldest);
    }
  }
}
