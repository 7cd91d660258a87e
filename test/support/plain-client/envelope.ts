/** The chat envelope of Private Meet, as its protocol describes it; see section 5 of the protocol. */
const ITERATIONS = 200_000;
const utf8 = new TextEncoder();

interface Envelope {
  readonly v: number;
  readonly alg: string;
  readonly iv: string;
  readonly content: string;
}

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

/** The key of a room; a blank passphrase stands for the room's id, which the server knows as well. */
export async function roomKey(roomId: string, passphrase: string): Promise<CryptoKey> {
  const password = passphrase.trim() === '' ? roomId : passphrase;
  const digest = await crypto.subtle.digest('SHA-256', utf8.encode(`salt:${roomId}`));
  const material = await crypto.subtle.importKey('raw', utf8.encode(password), 'PBKDF2', false, [
    'deriveKey',
  ]);
  return crypto.subtle.deriveKey(
    { name: 'PBKDF2', hash: 'SHA-256', salt: digest.slice(0, 16), iterations: ITERATIONS },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

const parameters = (iv: Uint8Array<ArrayBuffer>, wireRoom: string, sender: string): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: utf8.encode(`${wireRoom}|${sender}`),
});

export async function seal(
  key: CryptoKey,
  prefix: string,
  wireRoom: string,
  sender: string,
  text: string,
): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt(parameters(iv, wireRoom, sender), key, utf8.encode(text));
  const content = toBase64(new Uint8Array(sealed));
  return `${prefix}:${JSON.stringify({ v: 1, alg: 'AES-GCM', iv: toBase64(iv), content })}`;
}

/** @throws when the message was sealed with another key, for another room or by somebody else */
export async function open(
  key: CryptoKey,
  prefix: string,
  wireRoom: string,
  sender: string,
  message: string,
): Promise<string> {
  const { iv, content } = JSON.parse(message.slice(prefix.length + 1)) as Envelope;
  const opened = await crypto.subtle.decrypt(
    parameters(fromBase64(iv), wireRoom, sender),
    key,
    fromBase64(content),
  );
  return new TextDecoder().decode(opened);
}
