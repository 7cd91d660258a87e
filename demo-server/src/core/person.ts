import type { Role } from '../../../src/core/protocol/schema.ts';

/**
 * Whoever sits: `key` is unique per session or plain socket, `userID` is what others know, `owner` is whom bans and
 * limits go by.
 */
export interface Person {
  readonly key: string;
  readonly userID: string;
  readonly owner: string;
  readonly ext: boolean;
  readonly role: Role;
  /** The embedding site's own id of it. */
  readonly account?: string;
}
