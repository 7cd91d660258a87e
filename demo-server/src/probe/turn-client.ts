/**
 * The part of a TURN client (RFC 8489, RFC 8656) that asks for an address and for permission to reach others, over UDP.
 * It sends nothing to anybody but the server.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

const COOKIE = 0x2112a442;
const METHOD = { allocate: 0x003, refresh: 0x004, createPermission: 0x008 } as const;
const SUCCESS = 0x100;
const FAILURE = 0x110;
const ATTRIBUTE = {
  username: 0x0006,
  integrity: 0x0008,
  error: 0x0009,
  lifetime: 0x000d,
  peer: 0x0012,
  realm: 0x0014,
  nonce: 0x0015,
  family: 0x0017,
  transport: 0x0019,
} as const;
const UDP = Buffer.from([17, 0, 0, 0]);
const IPV6 = Buffer.from([2, 0, 0, 0]);

/** Milliseconds before a request is sent again, and so often. */
const AGAIN = 500;
const TIMES = 6;

/** What the server says: 0, or its error code (401 Unauthorized, 403 Forbidden, 440 or 443 for a wrong family…). */
export type Verdict = number;

type Attributes = Map<number, Buffer>;
type Given = readonly (readonly [number, Buffer])[];

/** An IPv4 address as 4 bytes, an IPv6 one as 16. */
export function bytesOf(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes every form of it as groups of hexadecimal digits.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const middle = Array<number>(tail === undefined ? 0 : 8 - first.length - last.length).fill(0);
  const bytes = Buffer.alloc(16);
  [...first, ...middle, ...last].forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  return bytes;
}

function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  padded.writeUInt16BE(type, 0);
  padded.writeUInt16BE(value.length, 2);
  value.copy(padded, 4);
  return padded;
}

function header(type: number, length: number, id: Buffer): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(length, 2);
  bytes.writeUInt32BE(COOKIE, 4);
  id.copy(bytes, 8);
  return bytes;
}

function parse(bytes: Buffer): { type: number; id: Buffer; attributes: Attributes } | null {
  if (bytes.length < 20 || bytes.readUInt32BE(4) !== COOKIE) return null;
  const attributes: Attributes = new Map();
  for (let at = 20; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 2);
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { type: bytes.readUInt16BE(0), id: bytes.subarray(8, 20), attributes };
}

function verdictOf(type: number, attributes: Attributes): Verdict {
  if ((type & FAILURE) !== FAILURE) return 0;
  const code = attributes.get(ATTRIBUTE.error);
  return code ? (code[2]! & 7) * 100 + code[3]! : 500;
}

export class TurnClient {
  private readonly socket: Socket;
  private realm = '';
  private nonce = Buffer.alloc(0);

  constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly username: string,
    private readonly password: string,
  ) {
    this.socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4').unref(); // what is asked keeps the process, not what listens
  }

  /**
   * Asks for an address.
   * @throws {Error} when the server does not answer
   */
  async allocate(family: 4 | 6 = 4): Promise<Verdict> {
    const given: Given = [
      [ATTRIBUTE.transport, UDP],
      ...(family === 6 ? ([[ATTRIBUTE.family, IPV6]] as const) : []),
    ];
    const first = await this.ask(METHOD.allocate, given, false);
    if (first !== 401) return first;
    return this.ask(METHOD.allocate, given, true);
  }

  /** Asks for permission to exchange datagrams with an address. */
  async permit(address: string): Promise<Verdict> {
    const bytes = bytesOf(address);
    const key = Buffer.concat([header(0, 0, this.id).subarray(4, 8), this.id]);
    const value = Buffer.alloc(4 + bytes.length);
    value[1] = bytes.length === 4 ? 1 : 2;
    value.writeUInt16BE(9 ^ (COOKIE >>> 16), 2);
    bytes.forEach((byte, index) => (value[4 + index] = byte ^ key[index]!));
    return this.ask(METHOD.createPermission, [[ATTRIBUTE.peer, value]], true);
  }

  /** Gives the address back. */
  async close(): Promise<void> {
    if (this.realm !== '') await this.ask(METHOD.refresh, [[ATTRIBUTE.lifetime, Buffer.alloc(4)]], true);
    this.socket.close();
  }

  /** Of the request that is made next: an IPv6 address is written with it. */
  private id = randomBytes(12);

  private async ask(method: number, given: Given, signed: boolean): Promise<Verdict> {
    const { id } = this;
    const { type, attributes } = await this.exchange(this.request(method, given, signed), id);
    this.id = randomBytes(12);
    this.realm = String(attributes.get(ATTRIBUTE.realm) ?? this.realm);
    this.nonce = Buffer.from(attributes.get(ATTRIBUTE.nonce) ?? this.nonce);
    const verdict = verdictOf(type, attributes);
    // A nonce that was too old: the same again with the new one. An address written with the old id would be another.
    return verdict === 438 && method !== METHOD.createPermission ? this.ask(method, given, signed) : verdict;
  }

  private request(method: number, given: Given, signed: boolean): Buffer {
    const credentials: Given = signed
      ? [
          [ATTRIBUTE.username, Buffer.from(this.username)],
          [ATTRIBUTE.realm, Buffer.from(this.realm)],
          [ATTRIBUTE.nonce, this.nonce],
        ]
      : [];
    const body = Buffer.concat([...given, ...credentials].map(([type, value]) => attribute(type, value)));
    if (!signed) return Buffer.concat([header(method, body.length, this.id), body]);
    // The length covers the integrity attribute, the digest what stands before it.
    const text = Buffer.concat([header(method, body.length + 24, this.id), body]);
    const key = createHash('md5').update(`${this.username}:${this.realm}:${this.password}`).digest();
    return Buffer.concat([
      text,
      attribute(ATTRIBUTE.integrity, createHmac('sha1', key).update(text).digest()),
    ]);
  }

  private exchange(bytes: Buffer, id: Buffer): Promise<{ type: number; attributes: Attributes }> {
    return new Promise((resolve, reject) => {
      let sent = 0;
      const end = () => {
        clearInterval(timer);
        this.socket.off('message', hear);
        this.socket.off('error', fail);
      };
      const fail = (error: Error) => {
        end();
        reject(error);
      };
      const hear = (answer: Buffer) => {
        const parsed = parse(answer);
        if (!parsed?.id.equals(id) || (parsed.type & SUCCESS) === 0) return;
        end();
        resolve(parsed);
      };
      const send = () => {
        sent += 1;
        if (sent > TIMES) return fail(new Error(`${this.host}:${this.port} does not answer`));
        this.socket.send(bytes, this.port, this.host);
      };
      const timer = setInterval(send, AGAIN);
      this.socket.on('message', hear);
      this.socket.on('error', fail);
      send();
    });
  }
}
