/** A page's own data by topic, between the pages of a room. Loaded when it is first used. */
import { PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { MediaTransport } from '../transport/transport.ts';
import { Bucket } from '../util/bucket.ts';
import { dataClosed, Pipe } from './pipe.ts';
import type { CallEvents, SendDataOptions } from './types.ts';

/** Longest message either way, topic included, in bytes. */
const MAX_DATA = 65_536;
/** What fits one packet of every path: a message in two packets is lost twice as often. */
const MAX_FAST = 1_100;
/** Longest topic, in UTF-8 bytes. */
const MAX_TOPIC = 64;
const FAST = 'pm:fast';
/** Messages in a second, and at once, that are taken from one peer; after a cut everything held comes at once. */
const PER_SECOND = 2_000;
const BURST = 10_000;

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

const isTopic = (topic: unknown): topic is string =>
  typeof topic === 'string' && !topic.startsWith('pm:') && topic !== '' && utf8(topic).length <= MAX_TOPIC;

/** JSON goes as the text `[topic, value]`, bytes as the topic's length in one byte, the topic, the bytes. */
function encode(topic: string, data: unknown): string | Uint8Array<ArrayBuffer> {
  if (!(data instanceof ArrayBuffer || ArrayBuffer.isView(data))) {
    const json = JSON.stringify(data) as string | undefined;
    if (json === undefined) throw new TypeError('no JSON');
    return `[${JSON.stringify(topic)},${json}]`;
  }
  const name = utf8(topic);
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  const frame = new Uint8Array(1 + name.length + bytes.length);
  frame[0] = name.length;
  frame.set(name, 1);
  frame.set(bytes, 1 + name.length);
  return frame;
}

/** @throws for what `encode` does not make */
function decode(frame: string | ArrayBuffer): [topic: string, data: unknown] {
  if (sizeOf(frame) > MAX_DATA) throw new RangeError('too much data');
  let message: unknown[];
  if (typeof frame === 'string') message = JSON.parse(frame) as unknown[];
  else {
    const bytes = new Uint8Array(frame);
    const start = 1 + bytes[0]!;
    message = [new TextDecoder().decode(bytes.subarray(1, start)), bytes.slice(start)];
  }
  const [topic, data] = message;
  if (!isTopic(topic)) throw new TypeError('no topic');
  return [topic, data];
}

const sizeOf = (frame: string | ArrayBuffer | Uint8Array): number =>
  typeof frame === 'string' ? utf8(frame).length : frame.byteLength;

export interface PageDataHooks {
  readonly platform: Platform;
  readonly transport: MediaTransport;
  /** Everybody else in the room. */
  readonly others: () => readonly string[];
  readonly heard: (detail: CallEvents['data']) => void;
}

export class PageData {
  readonly #hooks: PageDataHooks;
  /** By label and participant. */
  readonly #pipes = new Map<string, Pipe>();
  readonly #inbound = new Map<string, RTCDataChannel>();

  constructor(hooks: PageDataHooks) {
    this.#hooks = hooks;
  }

  /** @throws {PmError} see `CallLike.sendData` */
  async send(topic: string, data: unknown, { to, unreliable = false }: SendDataOptions): Promise<void> {
    if (!isTopic(topic)) throw new PmError('usage', 'A topic has 1 to 64 bytes and no "pm:" in front.');
    let frame: ReturnType<typeof encode>;
    try {
      frame = encode(topic, data);
    } catch (error) {
      throw new PmError('usage', 'Data is JSON or bytes.', error);
    }
    if (sizeOf(frame) > (unreliable ? MAX_FAST : MAX_DATA)) throw new PmError('usage', 'Too much data.');
    const results = await Promise.allSettled(
      (to === undefined ? this.#hooks.others() : [to]).map(async (id) => {
        const pipe = this.#pipe(id, unreliable);
        if (pipe) return pipe.push(unreliable ? topic : {}, frame);
        // Whoever is not connected yet, or is no client of ours, is nobody of everybody.
        if (to !== undefined) throw dataClosed();
        return undefined;
      }),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** A peer opened a way to us. */
  take(id: string, channel: RTCDataChannel): void {
    const { platform, transport, heard } = this.#hooks;
    const key = `${channel.label} ${id}`;
    this.#inbound.get(key)?.close();
    this.#inbound.set(key, channel);
    const bucket = new Bucket(PER_SECOND, BURST, () => platform.now());
    channel.onclose = () => this.#inbound.get(key) === channel && this.#inbound.delete(key);
    channel.onmessage = ({ data: frame }: MessageEvent<string | ArrayBuffer>) => {
      let message: ReturnType<typeof decode>;
      try {
        if (!bucket.take()) throw new RangeError('too many messages');
        message = decode(frame);
      } catch (error) {
        return transport.cutOff(id, String(error));
      }
      return heard({ topic: message[0], data: message[1], from: id });
    };
  }

  #pipe(id: string, fast: boolean): Pipe | null {
    const label = fast ? FAST : 'pm:data';
    const key = `${label} ${id}`;
    const known = this.#pipes.get(key);
    if (known) return known;
    const init = fast ? { ordered: false, maxRetransmits: 0 } : {};
    const channel = this.#hooks.transport.openChannel(id, label, init);
    if (!channel) return null;
    const pipe = new Pipe(
      channel,
      this.#hooks.platform,
      () => this.#pipes.get(key) === pipe && this.#pipes.delete(key),
    );
    this.#pipes.set(key, pipe);
    return pipe;
  }
}
