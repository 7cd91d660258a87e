/** RTCDataChannel (WebRTC 1.0 section 6.2). */
import { exception } from '../errors.ts';
import { FakeEventTarget } from '../events.ts';
import type { ChannelTable } from './channel-table.ts';

const BUFFER_LIMIT = 16 * 1024 * 1024;
const MESSAGE_LIMIT = 262144;

type Payload = string | ArrayBuffer;

function copyOf(data: unknown): { payload: Payload; size: number } {
  if (typeof data === 'string') return { payload: data, size: new TextEncoder().encode(data).length };
  if (data instanceof ArrayBuffer) return { payload: data.slice(0), size: data.byteLength };
  if (ArrayBuffer.isView(data)) {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    return { payload: bytes.slice().buffer, size: data.byteLength };
  }
  if (data instanceof Blob) throw exception('NotSupportedError', 'the fake sends no Blobs');
  throw new TypeError('not something a channel sends');
}

export class FakeDataChannel extends FakeEventTarget {
  readonly ordered: boolean;
  readonly maxRetransmits: number | null;
  readonly maxPacketLifeTime: number | null;
  readonly protocol: string;
  readonly negotiated: boolean;
  id: number | null = null;
  readyState: RTCDataChannelState = 'connecting';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  binaryType: BinaryType = 'arraybuffer';
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  onclosing: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onbufferedamountlow: ((event: Event) => void) | null = null;
  /** The same channel at the other end. */
  twin: FakeDataChannel | null = null;
  lastArrival = 0;
  announced = 0;
  /** Messages of a negotiated channel that came before this end was open. */
  private readonly early: Payload[] = [];

  constructor(
    private readonly table: ChannelTable,
    readonly label: string,
    options: RTCDataChannelInit,
  ) {
    super(['open', 'close', 'closing', 'error', 'message', 'bufferedamountlow']);
    this.ordered = options.ordered ?? true;
    this.maxRetransmits = options.maxRetransmits ?? null;
    this.maxPacketLifeTime = options.maxPacketLifeTime ?? null;
    this.protocol = options.protocol ?? '';
    this.negotiated = options.negotiated ?? false;
  }

  get reliable(): boolean {
    return this.maxRetransmits === null && this.maxPacketLifeTime === null;
  }

  send(data: unknown): void {
    if (this.readyState !== 'open') throw exception('InvalidStateError', `the channel is ${this.readyState}`);
    const { payload, size } = copyOf(data);
    if (size > MESSAGE_LIMIT) throw new TypeError(`a message of ${size} bytes is too large`);
    if (this.bufferedAmount + size > BUFFER_LIMIT)
      throw exception('OperationError', 'the send buffer is full');
    this.bufferedAmount += size;
    const sent = (): void => this.departed(size);
    this.table.carry(this, size, this.reliable, () => this.twin?.arrived(payload), sent);
  }

  close(): void {
    if (this.readyState === 'closing' || this.readyState === 'closed') return;
    const before = this.readyState;
    this.readyState = 'closing';
    if (before === 'connecting' || !this.twin) {
      this.later(() => this.finish());
      return;
    }
    this.table.carry(this, 8, true, () => {
      this.twin?.reset();
      this.later(() => this.finish());
    });
  }

  opened(): void {
    if (this.table.peer.closed || this.readyState !== 'connecting') return;
    this.readyState = 'open';
    this.emit('open');
    for (const payload of this.early.splice(0)) this.arrived(payload);
  }

  /** The other end closed the channel (RFC 8831 section 6.7). */
  private reset(): void {
    if (this.readyState === 'closed' || this.table.peer.closed) return;
    if (this.readyState !== 'closing') {
      this.readyState = 'closing';
      this.emit('closing');
    }
    this.later(() => this.finish());
  }

  /** The whole association went away. */
  aborted(): void {
    if (this.readyState === 'closed') return;
    if (this.readyState !== 'closing') {
      this.readyState = 'closing';
      this.emit('closing');
    }
    this.later(() => this.finish());
  }

  connectionClosed(): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.later(() => this.emit('close'));
  }

  private finish(): void {
    if (this.readyState === 'closed') return;
    this.readyState = 'closed';
    this.emit('close');
  }

  private departed(size: number): void {
    const before = this.bufferedAmount;
    this.bufferedAmount -= size;
    if (this.readyState === 'closed') return;
    const threshold = this.bufferedAmountLowThreshold;
    if (before > threshold && this.bufferedAmount <= threshold) this.emit('bufferedamountlow');
  }

  private arrived(payload: Payload): void {
    if (this.table.peer.closed) return;
    if (this.readyState === 'connecting') this.early.push(payload);
    if (this.readyState !== 'open') return;
    const { scheduler, owner } = this.table.peer.scope;
    scheduler.schedule('work', 0, owner, () => {
      if (this.readyState !== 'open') return;
      const blob = this.binaryType === 'blob' && typeof payload !== 'string';
      this.emit(new MessageEvent('message', { data: blob ? new Blob([payload]) : payload }));
    });
  }

  private later(task: () => void): void {
    const { scheduler, owner, delays } = this.table.peer.scope;
    scheduler.soon(owner, delays.compute, task);
  }
}
