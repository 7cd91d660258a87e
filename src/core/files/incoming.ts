/** A file on its way from one peer, whose every word about it may be a lie. */
import { toPmError } from '../errors.ts';
import type { FileTransfer } from '../state/call-state.ts';
import type { Store } from './store.ts';
import { Transfer, type TransferHooks } from './transfer.ts';
import { BLOCK, hex, misused, MOST_CHUNK, rootOf, WINDOW, type FileMessage } from './wire.ts';

/**
 * The sender offers a transfer again as soon as the peer can be reached. One that does not, so often in a row that it was
 * looked (ms), has forgotten it: it took us for gone.
 */
const LOOK = 5_000;
const FORGOTTEN = 3;

export class Incoming extends Transfer {
  /** The sender's name for the transfer. */
  readonly wire: string;
  #store: Store | null = null;
  /** Verified blocks are written one after the other. */
  #work: Promise<void> = Promise.resolve();
  #ready = false;
  #whole = false;
  #block: Uint8Array<ArrayBuffer> | null = null;
  #fill = 0;
  #received = 0;
  #verified = 0;
  #stopWaiting = () => {};
  readonly #hashes: ArrayBuffer[] = [];

  constructor(hooks: TransferHooks, info: FileTransfer, wire: string) {
    super(hooks, info);
    this.wire = wire;
  }

  accept(store: Store): void {
    this.#store = store;
    this.update({ state: this.channel ? 'active' : 'paused' });
    this.#begin();
  }

  override attach(channel: RTCDataChannel): void {
    super.attach(channel);
    this.#stopWaiting();
    this.#ready = false;
    if (this.info.state === 'done') this.say({ done: true });
    else if (!this.live) this.say({ end: this.info.code ?? this.info.state });
    else if (this.#store) this.#begin();
  }

  /** Takes back what was stored. */
  async drop(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    await this.hooks.platform.work(Promise.resolve(store?.drop()));
  }

  protected override chunk(buffer: ArrayBuffer): void {
    const bytes = new Uint8Array(buffer);
    const { size } = this.info;
    const ahead = this.#received - this.#verified;
    // Too much, or what nobody asked for.
    if (!this.#ready || !bytes.length || bytes.length > MOST_CHUNK || ahead > WINDOW + BLOCK) misused();
    const block = (this.#block ??= new Uint8Array(Math.min(BLOCK, size - this.#received)));
    if (this.#fill + bytes.length > block.length) return this.end('failed', 'file-corrupt');
    block.set(bytes, this.#fill);
    this.#fill += bytes.length;
    this.#received += bytes.length;
    return this.update({ bytes: this.#received });
  }

  protected override read({ hash }: FileMessage): void {
    if (typeof hash !== 'string' || !this.#ready || this.#whole) return misused();
    const block = this.#block;
    if (block ? this.#fill < block.length : this.#received < this.info.size)
      return this.end('failed', 'file-corrupt');
    this.#block = null;
    this.#fill = 0;
    this.#whole = !block;
    return block ? this.#verify(block, hash) : this.#complete(hash);
  }

  protected override lost(): void {
    this.#ready = false;
    this.#wait(FORGOTTEN);
  }

  #wait(looks: number): void {
    this.#stopWaiting();
    if (!looks) return this.stop();
    this.#stopWaiting = this.hooks.platform.after(LOOK, () =>
      this.#wait(this.hooks.reachable() ? looks - 1 : FORGOTTEN),
    );
  }

  protected override over(): void {
    this.#stopWaiting();
    this.#block = null;
    if (this.info.state === 'done') return;
    this.drop().catch((error: unknown) => this.warn(error));
  }

  /** Says from where on the rest is wanted, once everything that came before is stored. */
  #begin(): void {
    const { channel } = this;
    this.#then(async () => {
      if (!channel || channel !== this.channel) return;
      this.#block = null;
      this.#fill = 0;
      this.#whole = false;
      this.#received = this.#verified;
      this.#ready = true;
      this.update({ state: 'active', bytes: this.#verified });
      this.say({ got: this.#verified });
    });
  }

  #verify(block: Uint8Array<ArrayBuffer>, hash: string): void {
    const digest = this.hooks.subtle.digest('SHA-256', block);
    this.#then(async () => {
      const own = await digest;
      if (hex(own) !== hash) return this.end('failed', 'file-corrupt');
      await this.hooks.platform.work(this.#store!.write(block));
      this.#hashes.push(own);
      this.#verified += block.length;
      // Before the beginning is said anew, the other side would take this for it.
      if (this.#ready) this.say({ got: this.#verified });
    });
  }

  #complete(hash: string): void {
    this.#then(async () => {
      if ((await rootOf(this.hooks.subtle, this.#hashes)) !== hash) return this.end('failed', 'file-corrupt');
      const blob = await this.hooks.platform.work(this.#store!.finish());
      // Never a type that a browser would open as a page: what it says of itself is a stranger's word.
      const file = new File([blob], this.info.name, { type: 'application/octet-stream' });
      this.say({ done: true });
      this.finish('done', null, file);
    });
  }

  #then(step: () => Promise<void>): void {
    this.#work = this.#work
      .then(() => (this.live && this.#store ? step() : undefined))
      .catch((error: unknown) => {
        this.warn(error);
        this.end('failed', toPmError(error, 'unsupported').code);
      });
  }
}
