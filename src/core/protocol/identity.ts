/**
 * The id under which others know an extended client: the first 16 bytes of SHA-256(session), shaped as a lowercase
 * UUIDv4 (RFC 9562). Derived, so that every relay node computes the same one with nothing stored.
 *
 * @param digest SHA-256 of the session string (UTF-8), at least 16 bytes
 */
export function shapeUserId(digest: Uint8Array): string {
  const bytes = Array.from(digest.subarray(0, 16), (byte, index) => {
    if (index === 6) return (byte & 0x0f) | 0x40;
    if (index === 8) return (byte & 0x3f) | 0x80;
    return byte;
  });
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
