/**
 * Files between our clients. Every transfer to one peer has a data channel of its own (label `pm:file`, ordered,
 * reliable), so that several run at once and each channel's buffer is its own back-pressure.
 *
 *     sender    {"id", "name", "type", "size"}      the offer, first on every channel of the transfer
 *     receiver  {"got": bytes}                      accepted, or resumed: go on from here
 *     sender    chunks, binary, at most 64 KiB      up to the end of a block (1 MiB, the last one shorter)
 *     sender    {"hash": hex}                       SHA-256 of the block; after the last block, SHA-256 over all of these
 *     receiver  {"got": bytes}                      so much is verified and stored; the sender stays 8 MiB ahead at most
 *     receiver  {"done": true}
 *     either    {"end": code}                       declined, cancelled or failed; the other side closes the channel
 *
 * A channel that closes without `end` was lost with its link: the sender opens another one and offers the same id again.
 */
export const BLOCK = 1_048_576;
/** Larger messages make Chromium no faster, and Firefox slower. */
export const CHUNK = 65_536;
export const MOST_CHUNK = 65_536;
export const WINDOW = 8 * BLOCK;
/** Longest text message, in UTF-16 units. */
const MOST_TEXT = 4_096;

/** Throws: the other side does what no client of ours does. */
export function misused(): never {
  throw new TypeError('misuse of a file channel');
}

export type FileMessage = Readonly<Record<string, unknown>>;

/** @throws for anything but a short JSON object */
export function parse(text: string): FileMessage {
  const message: unknown = text.length > MOST_TEXT ? null : JSON.parse(text);
  return typeof message === 'object' && message ? (message as FileMessage) : misused();
}

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** SHA-256 over the hashes of the blocks: WebCrypto digests nothing piece by piece. */
export async function rootOf(subtle: SubtleCrypto, hashes: readonly ArrayBuffer[]): Promise<string> {
  const all = new Uint8Array(32 * hashes.length);
  hashes.forEach((hash, index) => all.set(new Uint8Array(hash), 32 * index));
  return hex(await subtle.digest('SHA-256', all));
}

/** A stranger's file name as text: no path, nothing invisible or reversing, bounded, its end kept. */
export function fileName(name: string): string {
  const text = name.replace(/[\p{C}\u2028\u2029]/gu, '').replace(/^.*[\\/]|[:*?"<>|]/gs, '');
  return (
    Array.from(text)
      .slice(-120)
      .join('')
      .replace(/^[.\s]+|[.\s]+$/g, '') || 'file'
  );
}
