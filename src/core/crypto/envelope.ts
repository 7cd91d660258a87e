/**
 * The envelope of encrypted chat: AES-256-GCM (NIST SP 800-38D) under a key from PBKDF2 (RFC 8018) with SHA-256. One for
 * a room; loaded when the first one is to be written or read.
 */
import { PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';

const ROUNDS = 200_000;
/** Bytes of an initialisation vector. */
const IV = 12;
/** Keys that are kept: the present passphrase's and the one without, and what was tried before. */
const KEPT_KEYS = 4;

const utf8 = (text: string) => new TextEncoder().encode(text);
const toBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
/** @throws for anything but base64 */
const fromBase64 = (text: unknown) => Uint8Array.from(atob(text as string), (byte) => byte.charCodeAt(0));

export class Envelope {
  readonly #platform: Platform;
  readonly #subtle: SubtleCrypto;
  readonly #room: string;
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  /**
   * @param room its bare name
   * @throws {PmError} `crypto-unsupported` on a page that is no secure context
   */
  constructor(platform: Platform, room: string) {
    if (!platform.subtle) throw new PmError('crypto-unsupported', 'Encryption needs a secure page.');
    this.#platform = platform;
    this.#subtle = platform.subtle;
    this.#room = room;
  }

  /**
   * @param passphrase empty: a key that whoever knows the room can derive, the server above all
   * @param bound what the envelope holds for alone: `<wire room>|<sender's id>`
   * @returns JSON `{v: 1, alg: 'AES-GCM', iv, content}`, the last two base64
   */
  async seal(text: string, passphrase: string, bound: string): Promise<string> {
    const iv = this.#platform.randomBytes(IV);
    const key = await this.#key(passphrase);
    const content = await this.#subtle.encrypt(
      { name: 'AES-GCM', iv, additionalData: utf8(bound) },
      key,
      utf8(text),
    );
    return JSON.stringify({
      v: 1,
      alg: 'AES-GCM',
      iv: toBase64(iv),
      content: toBase64(new Uint8Array(content)),
    });
  }

  /** The text, and which of the passphrases opened it; null when none did, or when it is no envelope. */
  async open(
    json: string,
    passphrases: Iterable<string>,
    bound: string,
  ): Promise<{ text: string; passphrase: string } | null> {
    let sealed: Record<'iv' | 'content', Uint8Array<ArrayBuffer>>;
    try {
      const { v, alg, iv, content } = JSON.parse(json) as Record<string, unknown>;
      sealed = { iv: fromBase64(iv), content: fromBase64(content) };
      if (v !== 1 || alg !== 'AES-GCM' || sealed.iv.length !== IV) return null;
    } catch {
      return null; // a stranger's word
    }
    for (const passphrase of passphrases) {
      const key = await this.#key(passphrase);
      try {
        const bytes = await this.#subtle.decrypt(
          { name: 'AES-GCM', iv: sealed.iv, additionalData: utf8(bound) },
          key,
          sealed.content,
        );
        return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), passphrase };
      } catch {
        // Under another passphrase, or tampered with: nobody can tell.
      }
    }
    return null;
  }

  #key(passphrase: string): Promise<CryptoKey> {
    let key = this.#keys.get(passphrase);
    if (!key) {
      this.#keys.set(passphrase, (key = this.#derive(passphrase || this.#room)));
      for (const oldest of this.#keys.keys()) {
        if (this.#keys.size <= KEPT_KEYS) break;
        this.#keys.delete(oldest);
      }
    }
    return key;
  }

  async #derive(password: string): Promise<CryptoKey> {
    const subtle = this.#subtle;
    const digest = await subtle.digest('SHA-256', utf8(`salt:${this.#room}`));
    const base = await subtle.importKey('raw', utf8(password), 'PBKDF2', false, ['deriveKey']);
    return subtle.deriveKey(
      { name: 'PBKDF2', hash: 'SHA-256', salt: digest.slice(0, 16), iterations: ROUNDS },
      base,
      { name: 'AES-GCM', length: 256 },
      false,
      ['encrypt', 'decrypt'],
    );
  }
}
