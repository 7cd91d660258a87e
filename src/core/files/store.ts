/** Where a received file goes as it comes: a file that was chosen, the origin private file system, or memory. */
import { PmError } from '../errors.ts';
import type { Platform } from '../platform.ts';

/** Most that is kept in memory, in bytes, where there is no file system. */
const MOST_IN_MEMORY = 268_435_456;
const FOLDER = 'pm-files';

export interface Store {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  finish(): Promise<Blob>;
  /** Takes back what was written, finished or not. */
  drop(): Promise<void>;
}

async function inFile(handle: FileSystemFileHandle, remove: () => Promise<void>): Promise<Store> {
  const writable = await handle.createWritable();
  return {
    write: (bytes) => writable.write(bytes),
    finish: async () => {
      await writable.close();
      return handle.getFile();
    },
    drop: async () => {
      // Fails on what is closed already.
      await writable.abort().catch(() => undefined);
      await remove();
    },
  };
}

function inMemory(): Store {
  // A Blob for each block: browsers may keep those on disk.
  let parts: Blob[] = [];
  return {
    write: async (bytes) => void parts.push(new Blob([bytes])),
    finish: async () => new Blob(parts),
    drop: async () => void (parts = []),
  };
}

/**
 * A folder for this page alone, in the origin private file system (File System, WHATWG). The page holds a lock of the
 * folder's name for as long as it lives, so that folders without one are leftovers, and are removed.
 */
export async function ownFolder(platform: Platform): Promise<FileSystemDirectoryHandle> {
  const { storage, locks } = platform;
  const root = await (await storage!.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  const own = platform.randomId();
  await new Promise<void>((resolve, reject) => {
    const held = () => {
      resolve();
      return new Promise(() => undefined);
    };
    locks!.request(`${FOLDER} ${own}`, held).catch(reject);
  });
  const clean = async () => {
    for await (const name of root.keys())
      await locks!.request(
        `${FOLDER} ${name}`,
        { ifAvailable: true },
        async (lock) => lock && root.removeEntry(name, { recursive: true }),
      );
  };
  clean().catch((error: unknown) => platform.log('debug', 'Old files are still there.', error));
  return root.getDirectoryHandle(own, { create: true });
}

/** @throws {PmError} `unsupported` when the file is too large for this browser */
export async function openStore(
  folder: Promise<FileSystemDirectoryHandle>,
  name: string,
  size: number,
  handle: FileSystemFileHandle | undefined,
): Promise<Store> {
  const found = folder.catch(() => null);
  if (handle) return inFile(handle, async () => undefined);
  const place = await found;
  if (place) return inFile(await place.getFileHandle(name, { create: true }), () => place.removeEntry(name));
  if (size > MOST_IN_MEMORY) throw new PmError('unsupported', 'Too large for this browser.');
  return inMemory();
}
