/** The length of a WebM file (Matroska, RFC 9559), which MediaRecorder leaves out since it is not known at the start. */

/** Everything before the first cluster is in so many bytes. */
export const HEADER = 1_024;

/** @returns the beginning of the file with room for its length (a big-endian double), and where; 0: nowhere */
export function reserve(bytes: Uint8Array<ArrayBuffer>): readonly [Uint8Array<ArrayBuffer>, number] {
  const text = String.fromCharCode(...bytes.subarray(0, HEADER));
  const known = text.indexOf('D\x89\x88') + 3;
  const info = text.indexOf('\x15I\xa9f') + 4;
  // The size of `Info` takes as many bytes as its first one has leading zeros, and one.
  const body = info + Math.clz32(bytes[info]!) - 23;
  const last = body - 1;
  // No WebM, or a size that would carry.
  if (text.indexOf('\x1aE\xdf\xa3') || info < 4 || bytes[last]! > 0xf3) return [bytes, 0];
  if (known > 2) return [bytes, known];
  const longer = new Uint8Array(bytes.length + 11);
  longer.set(bytes);
  longer[last]! += 11;
  longer.set([0x44, 0x89, 0x88], body);
  longer.set(bytes.subarray(body), body + 11);
  longer.fill(0, body + 3, body + 11);
  return [longer, body + 3];
}
