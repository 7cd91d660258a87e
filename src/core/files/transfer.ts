/** What both directions of a transfer have in common: its public face, its channel, its end. */
import type { PmErrorCode } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { FileState, FileTransfer } from '../state/call-state.ts';
import { parse, type FileMessage } from './wire.ts';

export interface TransferHooks {
  readonly platform: Platform;
  readonly subtle: SubtleCrypto;
  /** Opens a channel to the peer; null while there is no way. */
  open(): RTCDataChannel | null;
  /** Whether the peer can be told anything now. */
  reachable(): boolean;
  /** The public face changed; `quiet`: by progress alone. */
  changed(info: FileTransfer, quiet: boolean): void;
  /** The peer breaks the rules. */
  cutOff(why: string): void;
}

/** States from which a transfer goes on. */
const LIVE: readonly FileState[] = ['offered', 'active', 'paused'];
export const isLive = ({ state }: FileTransfer): boolean => LIVE.includes(state);

export abstract class Transfer {
  readonly hooks: TransferHooks;
  info: FileTransfer;
  protected channel: RTCDataChannel | null = null;

  constructor(hooks: TransferHooks, info: FileTransfer) {
    this.hooks = hooks;
    this.info = info;
  }

  get live(): boolean {
    return isLive(this.info);
  }

  /** From now on the transfer goes over this channel. */
  attach(channel: RTCDataChannel): void {
    const before = this.channel;
    this.channel = channel;
    before?.close();
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (channel !== this.channel) return;
      try {
        const message = typeof data === 'string' ? parse(data) : null;
        if (message && 'end' in message) {
          this.#ended(message['end']);
          channel.close();
        } else if (!this.live)
          return; // Sent before our end was heard.
        else if (message) this.read(message);
        else this.chunk(data as ArrayBuffer);
      } catch (error) {
        this.hooks.cutOff(String(error));
      }
    };
    channel.onclose = () => {
      if (channel !== this.channel) return;
      this.channel = null;
      if (!this.live) return;
      if (this.info.state === 'active') this.update({ state: 'paused' });
      this.lost();
    };
  }

  /** Ends it here and tells the other side, which closes the channel. */
  end(state: FileState, code: FileTransfer['code'] = null): void {
    if (!this.live) return;
    this.say({ end: code ?? state });
    this.finish(state, code);
  }

  /** Ends it with its peer or with the call. */
  stop(code: PmErrorCode = 'data-closed'): void {
    this.finish('failed', code);
  }

  /** Ends it without a word. */
  finish(state: FileState, code: FileTransfer['code'] = null, blob: File | null = null): void {
    if (!this.live) return;
    this.update({ state, code, blob });
    this.over();
  }

  say(message: FileMessage): void {
    if (this.channel?.readyState === 'open') this.channel.send(JSON.stringify(message));
  }

  protected warn(error: unknown): void {
    this.hooks.platform.log('warn', 'A file could not be read or stored.', error);
  }

  protected update(patch: Partial<FileTransfer>): void {
    const before = this.info;
    this.info = Object.freeze({ ...before, ...patch });
    this.hooks.changed(this.info, before.state === this.info.state);
  }

  /** A message of the other side, `end` aside. @throws when it breaks the rules */
  protected abstract read(message: FileMessage): void;
  protected abstract chunk(bytes: ArrayBuffer): void;
  /** The channel went without a word. */
  protected abstract lost(): void;
  /** The transfer has ended: what it holds is let go. */
  protected abstract over(): void;

  #ended(why: unknown): void {
    if (why === 'file-refused') this.finish('declined', why);
    else if (why === 'file-corrupt') this.finish('failed', why);
    else this.finish('cancelled');
  }
}
