/** Every file transfer of one presence in a room. Loaded when the first file is sent or offered. */
import { PmError, type PmErrorCode } from '../errors.ts';
import type { Platform } from '../platform.ts';
import type { FileTransfer } from '../state/call-state.ts';
import { Bucket } from '../util/bucket.ts';
import { Incoming } from './incoming.ts';
import { Outgoing } from './outgoing.ts';
import { openStore, ownFolder } from './store.ts';
import { isLive, type TransferHooks } from './transfer.ts';
import { fileName, isCount, misused, parse } from './wire.ts';

/** Offers to or from one peer that nobody has answered yet. */
const MOST_OFFERS = 8;
/** Offers in a second, and at once, that are taken from one peer, repeated ones included. */
const OFFERS = [2, 60] as const;
/** Transfers that are remembered; beyond, the oldest that left nothing is forgotten. */
const MOST_KEPT = 100;
/** Between two reports of progress, in milliseconds. */
const PROGRESS = 200;

export interface FileHooks {
  readonly platform: Platform;
  /** The folder of what came: for as long as the page lives, so that what came in one presence stays in the next. */
  readonly kept: { folder?: Promise<FileSystemDirectoryHandle> };
  readonly files: () => readonly FileTransfer[];
  /** The list is another one. */
  readonly update: (files: readonly FileTransfer[]) => void;
  /** A transfer is new, or in another state. */
  readonly changed: (file: FileTransfer) => void;
  readonly open: (peer: string) => RTCDataChannel | null;
  readonly reachable: (peer: string) => boolean;
  readonly cutOff: (peer: string, why: string) => void;
}

export class Files {
  readonly #hooks: FileHooks;
  readonly #transfers = new Map<string, Incoming | Outgoing>();
  readonly #buckets = new Map<string, Bucket>();
  #stopProgress: (() => void) | null = null;

  constructor(hooks: FileHooks) {
    this.#hooks = hooks;
  }

  /** Offers a file. @returns the ids of the transfers, one for each peer that could be asked */
  send(file: Blob, peers: readonly string[]): readonly string[] {
    if (!(file instanceof Blob)) throw new PmError('usage', 'A file is a Blob.');
    const hashes: Promise<ArrayBuffer>[] = [];
    const name = fileName(file instanceof File ? file.name : '');
    if (peers.some((peer) => this.#open(peer, false) >= MOST_OFFERS))
      throw new PmError('rate-limited', 'Too many offers.');
    const ids: string[] = [];
    for (const peer of peers) {
      const info = this.#info(peer, name, file.type, file.size, true);
      const transfer = new Outgoing(this.#for(peer), info, file, hashes);
      const channel = this.#hooks.open(peer);
      if (!channel) continue;
      this.#transfers.set(info.id, transfer);
      this.#changed(info, false);
      transfer.offer(channel);
      ids.push(info.id);
    }
    if (!ids.length) throw new PmError('data-closed', 'Nobody there.');
    return ids;
  }

  /** @throws {PmError} `usage` for an id that is not offered to us, `unsupported` when it cannot be stored */
  async accept(id: string, handle?: FileSystemFileHandle): Promise<void> {
    const transfer = this.#offered(id);
    const { platform, kept } = this.#hooks;
    kept.folder ??= platform.work(ownFolder(platform));
    const store = await platform.work(openStore(kept.folder, id, transfer.info.size, handle));
    // Withdrawn, or accepted twice, meanwhile.
    if (transfer.info.state === 'offered') transfer.accept(store);
    else await store.drop();
  }

  decline(id: string): void {
    this.#offered(id).end('declined', 'file-refused');
  }

  /** Ends a transfer; of one that has ended, forgets what it left. */
  async cancel(id: string): Promise<void> {
    const transfer = this.#transfers.get(id);
    if (transfer?.live) return transfer.end('cancelled');
    this.#hooks.update(this.#hooks.files().filter((each) => each.id !== id));
    if (transfer instanceof Incoming) await transfer.drop();
    this.#transfers.delete(id);
  }

  /** A peer opened a channel for a file. */
  take(peer: string, channel: RTCDataChannel): void {
    const { platform } = this.#hooks;
    let bucket = this.#buckets.get(peer);
    if (!bucket) this.#buckets.set(peer, (bucket = new Bucket(...OFFERS, () => platform.now())));
    if (!bucket.take()) return this.#cutOff(peer, 'too many offers');
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      try {
        this.#onOffer(peer, channel, data);
      } catch (error) {
        this.#cutOff(peer, String(error));
      }
    };
    return undefined;
  }

  /** Ends everything with one peer, who left unless there is a code, or with all. */
  end(peer = '', code?: PmErrorCode): void {
    if (!code) this.#buckets.delete(peer);
    for (const transfer of this.#transfers.values())
      if (!peer || transfer.info.peer === peer) transfer.stop(code);
  }

  #onOffer(peer: string, channel: RTCDataChannel, data: unknown): void {
    const { id, name, type, size } = parse(data as string);
    if (
      typeof id !== 'string' ||
      id.length > 64 ||
      typeof name !== 'string' ||
      typeof type !== 'string' ||
      !isCount(size)
    )
      return misused();
    const known = [...this.#transfers.values()].find(
      (each) => each instanceof Incoming && each.info.peer === peer && each.wire === id,
    );
    if (known) {
      return known.info.size === size ? known.attach(channel) : misused();
    }
    if (this.#open(peer, true) >= MOST_OFFERS) {
      channel.send(JSON.stringify({ end: 'file-refused' }));
      return undefined;
    }
    const kind = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.exec(type)?.[0] ?? '';
    const info = this.#info(peer, fileName(name), kind, size, false);
    const transfer = new Incoming(this.#for(peer), info, id);
    this.#transfers.set(info.id, transfer);
    transfer.attach(channel);
    return this.#changed(info, false);
  }

  #info(peer: string, name: string, type: string, size: number, outgoing: boolean): FileTransfer {
    const id = this.#hooks.platform.randomId();
    return { id, peer, name, type, size, outgoing, state: 'offered', bytes: 0, blob: null, code: null };
  }

  #offered(id: string): Incoming {
    const transfer = this.#transfers.get(id);
    if (transfer instanceof Incoming && transfer.info.state === 'offered') return transfer;
    throw new PmError('usage', 'No such offer.');
  }

  /** How many offers between us and a peer wait for an answer. */
  #open(peer: string, incoming: boolean): number {
    return [...this.#transfers.values()].filter(
      (each) =>
        each.info.peer === peer && each.info.state === 'offered' && each instanceof Incoming === incoming,
    ).length;
  }

  #for(peer: string): TransferHooks {
    const { platform, open } = this.#hooks;
    const { subtle } = platform;
    if (!subtle) throw new PmError('crypto-unsupported', 'Files need a secure page.');
    return {
      platform,
      subtle,
      open: () => open(peer),
      reachable: () => this.#hooks.reachable(peer),
      cutOff: (why) => this.#cutOff(peer, why),
      changed: (info, quiet) => this.#changed(info, quiet),
    };
  }

  #cutOff(peer: string, why: string): void {
    this.#hooks.cutOff(peer, why);
    this.end(peer, 'peer-misbehaved');
  }

  #changed(info: FileTransfer, quiet: boolean): void {
    if (quiet) {
      this.#stopProgress ??= this.#hooks.platform.after(PROGRESS, () => this.#publish());
      return;
    }
    this.#publish(info);
    this.#hooks.changed(info);
  }

  /** Writes every transfer's present face into the list. */
  #publish(news?: FileTransfer): void {
    this.#stopProgress?.();
    this.#stopProgress = null;
    const list = this.#hooks.files().map((each) => this.#transfers.get(each.id)?.info ?? each);
    if (news && !list.some(({ id }) => id === news.id)) list.push(news);
    while (list.length > MOST_KEPT) {
      const index = list.findIndex((each) => !isLive(each) && !each.blob);
      if (index < 0) break;
      this.#transfers.delete(list.splice(index, 1)[0]!.id);
    }
    this.#hooks.update(Object.freeze(list));
  }
}
