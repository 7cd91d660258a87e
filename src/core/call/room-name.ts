/** What a page may call a room. */
import { PmError } from '../errors.ts';
import { codePoints, LIMITS } from '../protocol/index.ts';

/** @throws {PmError} `usage` for a name that is blank, too long or not plain text */
export function checkRoom(name: string): string {
  const room = name.trim();
  if (!room) throw new PmError('usage', 'room: a name is required.');
  if (codePoints(room) > LIMITS.roomLength) {
    throw new PmError('usage', `room: at most ${LIMITS.roomLength} characters.`);
  }
  // Control and format characters would let two rooms look alike.
  if (/[\p{Cc}\p{Cs}\p{Co}\u2028\u2029]|[\u202a-\u202e\u2066-\u2069]/u.test(room)) {
    throw new PmError('usage', 'room: only printable characters.');
  }
  return room;
}
