/** Images over the file channel: one at a time, text around raw chunks, or text alone as the mobile client does. */
export const CHUNK = 24_576;

export interface Image {
  readonly from: string;
  readonly name: string;
  readonly mime: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Start {
  readonly t: 'img-start';
  readonly id: string;
  readonly name: string;
  readonly mime: string;
  readonly size: number;
  readonly chunkSize: number;
  readonly totalChunks: number;
}
type Text =
  | Start
  | { readonly t: 'img-chunk'; readonly id: string; readonly d: string }
  | { readonly t: 'img-end'; readonly id: string };

export interface Picture {
  readonly name: string;
  readonly mime: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** @param mobile in text alone, as the mobile client sends */
export function sendImage(
  channels: readonly RTCDataChannel[],
  id: string,
  picture: Picture,
  mobile = false,
): void {
  const { name, mime, bytes } = picture;
  const totalChunks = Math.ceil(bytes.length / CHUNK);
  const start: Start = { t: 'img-start', id, name, mime, size: bytes.length, chunkSize: CHUNK, totalChunks };
  for (const channel of channels) {
    channel.send(JSON.stringify(start));
    for (let index = 0; index < totalChunks; index += 1) {
      const chunk = bytes.slice(index * CHUNK, (index + 1) * CHUNK);
      if (mobile) {
        const d = btoa(Array.from(chunk, (byte) => String.fromCharCode(byte)).join(''));
        channel.send(JSON.stringify({ t: 'img-chunk', id, d }));
      } else {
        channel.send(chunk);
      }
    }
    channel.send(JSON.stringify({ t: 'img-end', id }));
  }
}

/** Puts together what one peer sends. */
export class ImageReader {
  private start: Start | null = null;
  private chunks: Uint8Array<ArrayBuffer>[] = [];

  constructor(
    private readonly from: string,
    private readonly done: (image: Image) => void,
  ) {}

  take(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') return this.chunk(new Uint8Array(data));
    const message = JSON.parse(data) as Text;
    if (message.t === 'img-start') {
      this.start = message;
      this.chunks = [];
    } else if (message.t === 'img-chunk') {
      this.chunk(Uint8Array.from(atob(message.d), (char) => char.charCodeAt(0)));
    } else if (message.t === 'img-end') {
      this.finish();
    } else {
      throw new Error(`unknown file message ${data.slice(0, 80)}`);
    }
  }

  private chunk(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.start) throw new Error('a chunk of no image');
    this.chunks.push(bytes);
    // The last chunk completes it already.
    if (this.chunks.length === this.start.totalChunks) this.finish();
  }

  private finish(): void {
    const { start, chunks } = this;
    if (!start) return;
    this.start = null;
    const bytes = new Uint8Array(chunks.reduce((sum, each) => sum + each.length, 0));
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    if (bytes.length !== start.size) throw new Error(`an image of ${bytes.length} bytes, not ${start.size}`);
    this.done({ from: this.from, name: start.name, mime: start.mime, bytes });
  }
}
