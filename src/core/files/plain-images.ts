/**
 * Pictures to and from original clients, over the one data channel that they know: a text `img-start`, chunks as bytes
 * (or, from a phone, as base64 in a text `img-chunk`), a text `img-end`; one picture at a time. Loaded with the first
 * such channel.
 */
import { PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { Bucket } from '../util/bucket.ts';

/** What is shown: nothing that could carry a script, such as SVG. */
const TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
/** Largest picture either way, in bytes. */
const MAX_SIZE = 10_485_760;
const CHUNK = 24_576;
/** Bytes that may wait in the channel's own buffer. */
const BUFFERED = 65_536;
/** Longest text, in UTF-16 units, and longest name. */
const MAX_TEXT = 65_536;
const MAX_NAME = 200;
/** Pictures in a second, and at once, that are taken from one peer. */
const PER_SECOND = 1;
const BURST = 20;

export interface ImageHooks {
  readonly platform: Platform;
  /** A picture is here, whole, or has been sent; `from` undefined: by oneself. */
  readonly show: (image: Blob, name: string, from?: string) => void;
  readonly cutOff: (peer: string, why: string) => void;
}

interface Incoming {
  readonly id: unknown;
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes that came. */
  at: number;
}

interface Peer {
  readonly channel: RTCDataChannel;
  readonly bucket: Bucket;
  incoming: Incoming | null;
  /** Settles when what is being sent has been. */
  sending: Promise<unknown>;
}

export class PlainImages {
  readonly #hooks: ImageHooks;
  readonly #peers = new Map<string, Peer>();

  constructor(hooks: ImageHooks) {
    this.#hooks = hooks;
  }

  /** The channel with a peer: the peer's, or one of ours. */
  take(id: string, channel: RTCDataChannel): void {
    const { platform } = this.#hooks;
    const bucket = new Bucket(PER_SECOND, BURST, () => platform.now());
    const peer: Peer = { channel, bucket, incoming: null, sending: Promise.resolve() };
    this.#peers.set(id, peer);
    channel.onmessage = ({ data }) => this.#receive(id, peer, data);
  }

  #receive(from: string, peer: Peer, data: unknown): void {
    const { platform, show, cutOff } = this.#hooks;
    const before = peer.incoming;
    peer.incoming = null;
    try {
      const picture = (peer.incoming = read(peer, before, data));
      // The last chunk completes it; no end is waited for.
      if (picture?.at !== picture?.bytes.length || !picture) return;
      peer.incoming = null;
      show(new Blob([picture.bytes], { type: picture.type }), picture.name, from);
    } catch (error) {
      if (error instanceof RangeError) cutOff(from, error.message);
      else platform.log('warn', 'A picture was dropped.', error);
    }
  }

  /**
   * Sends a PNG, JPEG, WebP or GIF of up to 10 MiB, which then is in one's own chat as well. Resolves once every channel
   * has taken it, to false where nobody takes this file.
   * @param to a participant; absent: everybody with an original client
   * @throws {PmError} `data-closed` when a channel closes meanwhile
   */
  async send(file: Blob, to?: string): Promise<boolean> {
    const peers = [...this.#peers].filter(
      ([id, { channel }]) => (to ?? id) === id && channel.readyState === 'open',
    );
    if (!peers.length || !TYPES.includes(file.type) || !file.size || file.size > MAX_SIZE) return false;
    const name = file instanceof File ? file.name : '';
    await Promise.all(
      peers.map(([, peer]) => {
        const sent = peer.sending.then(() => this.#send(peer.channel, file, name));
        peer.sending = sent.catch(() => undefined);
        return sent;
      }),
    );
    this.#hooks.show(file, name);
    return true;
  }

  async #send(channel: RTCDataChannel, file: Blob, name: string): Promise<void> {
    const { platform } = this.#hooks;
    const { size, type: mime } = file;
    const bytes = new Uint8Array(await platform.work(file.arrayBuffer()));
    const id = platform.randomId();
    const say = async (data: string | Uint8Array<ArrayBuffer>) => {
      while (channel.readyState === 'open' && channel.bufferedAmount > BUFFERED) {
        await new Promise((resolve) => {
          channel.bufferedAmountLowThreshold = BUFFERED / 2;
          channel.onbufferedamountlow = channel.onclose = resolve;
        });
      }
      if (channel.readyState !== 'open') throw new PmError('data-closed', 'A channel closed.');
      channel.send(data as string); // typed as one of two overloads
    };
    const totalChunks = Math.ceil(size / CHUNK);
    await say(JSON.stringify({ t: 'img-start', id, name, mime, size, chunkSize: CHUNK, totalChunks }));
    for (let at = 0; at < size; at += CHUNK) await say(bytes.slice(at, at + CHUNK));
    await say(JSON.stringify({ t: 'img-end', id }));
  }
}

/**
 * The picture that is on its way after `data` came.
 * @throws {RangeError} for what no client of good will sends
 */
function read({ bucket }: Peer, incoming: Incoming | null, data: unknown): Incoming | null {
  let chunk = data;
  if (typeof data === 'string') {
    if (data.length > MAX_TEXT) throw new RangeError('too long');
    const { t, id, name, mime: type, size, d } = JSON.parse(data) as Record<string, string>;
    if (t === 'img-start') {
      if (!bucket.take()) throw new RangeError('too many pictures');
      if (!TYPES.includes(type!) || !(Number(size) > 0 && Number(size) <= MAX_SIZE))
        throw new TypeError(type);
      return {
        id,
        name: String(name).slice(0, MAX_NAME),
        type: type!,
        bytes: new Uint8Array(Number(size)),
        at: 0,
      };
    }
    if (incoming?.id !== id || t !== 'img-chunk') return t === 'img-end' ? null : incoming;
    chunk = Uint8Array.from(atob(d!), (char) => char.charCodeAt(0)).buffer;
  }
  if (incoming && chunk instanceof ArrayBuffer) {
    // Throws a RangeError for more than was said to come.
    incoming.bytes.set(new Uint8Array(chunk), incoming.at);
    incoming.at += chunk.byteLength;
  }
  return incoming;
}
