/** A file on its way to one peer. Two blocks of it are in memory at most. */
import type { PmErrorCode } from '../errors.ts';
import type { FileTransfer } from '../state/call-state.ts';
import { Transfer, type TransferHooks } from './transfer.ts';
import { BLOCK, CHUNK, hex, isCount, misused, rootOf, WINDOW, type FileMessage } from './wire.ts';

/** How long to wait before the way to the peer is tried again, in milliseconds. */
const RETRY = 500;
/** Bytes in the channel's buffer from which on no more are added, and below which more are. */
const HIGH = 262_144;

export class Outgoing extends Transfer {
  readonly #file: Blob;
  /** Of the blocks, shared by all transfers of this file. */
  readonly #hashes: Promise<ArrayBuffer>[];
  /** Verified over there; -1 before the other side has said where to begin. */
  #got = -1;
  #sent = 0;
  #wake: (() => void) | null = null;
  #stopRetry: (() => void) | null = null;

  constructor(hooks: TransferHooks, info: FileTransfer, file: Blob, hashes: Promise<ArrayBuffer>[]) {
    super(hooks, info);
    this.#file = file;
    this.#hashes = hashes;
  }

  /** Offers the file, for the first time or again. @returns false when there is no way to the peer */
  offer(channel = this.hooks.open()): boolean {
    if (!channel) return false;
    const { id, name, type, size } = this.info;
    const hello = () => {
      this.say({ id, name, type, size });
      // Ended while there was no way to say so.
      if (!this.live) this.say({ end: this.info.code ?? this.info.state });
    };
    this.#got = -1;
    this.attach(channel);
    channel.bufferedAmountLowThreshold = HIGH / 2;
    channel.onbufferedamountlow = () => this.#wake?.();
    if (channel.readyState === 'open') hello();
    else channel.onopen = hello;
    return true;
  }

  protected override read({ got, done }: FileMessage): void {
    const { size } = this.info;
    const channel = this.channel!;
    if (done === true && this.#sent === size) {
      this.finish('done');
      return channel.close();
    }
    // A place in the file, at the end of a block that was sent.
    if (!isCount(got) || (got % BLOCK && got !== size) || got > this.#sent) return misused();
    const first = this.#got < 0;
    this.#got = got;
    this.#wake?.();
    if (!first) return;
    this.update({ state: 'active', bytes: (this.#sent = got) });
    this.#pump(channel, got).catch((error: unknown) => {
      this.warn(error);
      this.end('failed', 'file-corrupt');
    });
  }

  protected override chunk(): void {
    misused();
  }

  protected override lost(): void {
    this.#wake?.();
    this.#stopRetry?.();
    this.#stopRetry = this.hooks.platform.after(RETRY, () => {
      if (!this.offer()) this.lost();
    });
  }

  override stop(code?: PmErrorCode): void {
    super.stop(code);
    this.#stopRetry?.();
  }

  protected override over(): void {
    if (this.channel) this.#wake?.();
    else this.lost();
  }

  async #pump(channel: RTCDataChannel, from: number): Promise<void> {
    const { subtle } = this.hooks;
    const { size } = this.info;
    const going = () => channel.readyState === 'open' && this.live;
    let next = this.#block(from);
    for (let start = from; start < size; start += BLOCK) {
      const bytes = await next;
      const hash = (this.#hashes[start / BLOCK] ??= subtle.digest('SHA-256', bytes));
      // The next one is read while this one leaves.
      next = this.#block(start + BLOCK);
      next.catch(() => undefined);
      for (let at = 0; at < bytes.length; at += CHUNK) {
        while (going() && (channel.bufferedAmount >= HIGH || this.#sent >= this.#got + WINDOW)) {
          this.update({ bytes: this.#sent - channel.bufferedAmount });
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
        if (!going()) return;
        channel.send(bytes.subarray(at, at + CHUNK));
        this.#sent = start + Math.min(at + CHUNK, bytes.length);
      }
      const text = hex(await hash);
      if (going()) this.say({ hash: text });
    }
    const hash = await rootOf(subtle, await Promise.all(this.#hashes));
    if (going()) this.say({ hash });
  }

  async #block(from: number): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.hooks.platform.work(this.#file.slice(from, from + BLOCK).arrayBuffer()));
  }
}
