/** Where a recording goes while it runs: a chosen file, else the origin private file system, else memory. */
import type { Platform } from '../../platform.ts';
import { HEADER, reserve } from './webm.ts';

/** Files of ours in the origin private file system, and how long they are kept there, in milliseconds. */
const PREFIX = 'pm-recording-';
const KEPT = 24 * 3_600_000;

export interface Sink {
  /** @returns whether it is on disk now */
  write(data: Blob): Promise<boolean>;
  /** The whole file. */
  close(durationMs: number): Promise<Blob>;
  /** Forgets what was written, unless it is closed. */
  abort(): void;
}

/** A new file in the origin private file system; old ones are swept. */
async function ownFile(platform: Platform, type: string): Promise<FileSystemFileHandle> {
  const folder = await platform.storage!.getDirectory();
  const name = `${PREFIX}${platform.randomId(64)}.${/\w+\/(\w+)/.exec(type)![1]}`;
  for await (const each of folder.values()) {
    if (each.kind === 'directory' || !each.name.startsWith(PREFIX)) continue;
    if (platform.date() - (await each.getFile()).lastModified > KEPT) await folder.removeEntry(each.name);
  }
  return folder.getFileHandle(name, { create: true });
}

/** @throws {DOMException} when the chosen file may not be written */
export async function openSink(
  platform: Platform,
  type: string,
  handle?: FileSystemFileHandle,
): Promise<Sink> {
  const debug = (error: unknown): null => {
    platform.log('debug', 'Recording: no file.', error);
    return null;
  };
  const file = handle ?? (await ownFile(platform, type).catch(debug));
  const out = file && (await file.createWritable());
  /** The file where there is no disk. Its first part has room for the length. */
  const kept: BlobPart[] = [];
  let head: Blob | null = new Blob();
  let position = 0;
  const put = async (part: Blob | Uint8Array<ArrayBuffer>): Promise<void> => {
    if (out) await out.write(part);
    else kept.push(part);
  };
  const begin = async (): Promise<void> => {
    const [bytes, at] = reserve(new Uint8Array(await head!.arrayBuffer()));
    head = null;
    position = at;
    await put(bytes);
  };

  return {
    async write(data) {
      if (!head) await put(data);
      else if ((head = new Blob([head, data])).size > HEADER) await begin();
      return Boolean(out);
    },
    async close(durationMs) {
      if (head) await begin();
      const data = new DataView(new ArrayBuffer(8));
      data.setFloat64(0, durationMs);
      if (!out) {
        if (position) (kept[0] as Uint8Array).set(new Uint8Array(data.buffer), position);
        return new Blob(kept, { type });
      }
      if (position) await out.write({ type: 'write', position, data });
      await out.close();
      return file.getFile();
    },
    abort: () => void out?.abort().catch(debug),
  };
}
