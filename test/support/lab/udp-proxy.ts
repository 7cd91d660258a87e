/**
 * A bad line without any privilege: a UDP proxy on loopback in front of a TURN server. A page that takes it for its
 * TURN server and allows relayed paths alone (`ice-policy="relay"`) sends all of its media through here.
 */
import { createSocket, type Socket } from 'node:dgram';

export interface Line {
  /** Nothing passes, and nobody is told. */
  blocked: boolean;
  /** 0 to 100, each way. */
  lossPercent: number;
  /** kbit/s; 0 for no limit. Up is from the browser. */
  upKbit: number;
  downKbit: number;
  /** One way. */
  delayMs: number;
}

/** Most that waits in the queue of a limited line, in ms; what would wait longer is dropped. */
const QUEUE_MS = 300;
/** Bytes of a datagram's headers. */
const HEADERS = 28;

export class UdpProxy {
  readonly line: Line = { blocked: false, lossPercent: 0, upKbit: 0, downKbit: 0, delayMs: 0 };
  /** Datagrams, both ways. */
  readonly count = { passed: 0, lost: 0 };
  private readonly backs = new Map<string, Socket>();
  private readonly busyUntil = { up: 0, down: 0 };
  private closed = false;

  private constructor(
    private readonly front: Socket,
    private readonly target: { readonly address: string; readonly port: number },
  ) {
    front.on('message', (data, { address, port }) => {
      const back = this.back(address, port);
      this.pass('up', data.length, () => back.send(data, this.target.port, this.target.address));
    });
  }

  static async start(target: { readonly address: string; readonly port: number }): Promise<UdpProxy> {
    const front = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      front.once('error', reject).bind(0, '127.0.0.1', resolve);
    });
    return new UdpProxy(front, target);
  }

  get port(): number {
    return this.front.address().port;
  }

  get turnUrl(): string {
    return `turn:127.0.0.1:${String(this.port)}?transport=udp`;
  }

  /** The socket that stands for one client towards the server. */
  private back(address: string, port: number): Socket {
    const key = `${address}:${String(port)}`;
    let back = this.backs.get(key);
    if (!back) {
      back = createSocket('udp4');
      // The server may be gone for a moment, which a proxy has no word for.
      back.on('error', () => {});
      back.on('message', (data) =>
        this.pass('down', data.length, () => this.front.send(data, port, address)),
      );
      this.backs.set(key, back);
    }
    return back;
  }

  private pass(direction: 'up' | 'down', bytes: number, deliver: () => void): void {
    const { blocked, lossPercent, delayMs, upKbit, downKbit } = this.line;
    const now = performance.now();
    const kbit = direction === 'up' ? upKbit : downKbit;
    const start = Math.max(now, this.busyUntil[direction]);
    if (blocked || Math.random() * 100 < lossPercent || (kbit && start - now > QUEUE_MS)) {
      this.count.lost += 1;
      return;
    }
    const sent = kbit ? start + ((bytes + HEADERS) * 8) / kbit : now;
    if (kbit) this.busyUntil[direction] = sent;
    this.count.passed += 1;
    const wait = sent + delayMs - now;
    // A cut line delivers nothing that was under way.
    const arrive = (): void => void (!this.closed && !this.line.blocked && deliver());
    if (wait < 1) arrive();
    else setTimeout(arrive, wait);
  }

  close(): void {
    this.closed = true;
    this.front.close();
    for (const back of this.backs.values()) back.close();
  }
}
