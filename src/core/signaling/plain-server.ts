/** A server that does not greet: what it would say, read from the token in its address, which is the identity there. */
import type { Welcome } from '../protocol/index.ts';

export interface PlainWelcome extends Welcome {
  readonly token: string;
  /** Until when it is good, in milliseconds since 1970. */
  readonly until: number;
}

/** What a JWT says, unchecked: that is the server's business. An opaque one says nothing. */
function read(token: string): { readonly sub?: unknown; readonly exp?: unknown } {
  try {
    return JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as object;
  } catch {
    return {};
  }
}

/** @param address of the socket, with the token in its query */
export function plainWelcome(address: string): PlainWelcome {
  const token = new URL(address).searchParams.get('token')!;
  const { sub, exp } = read(token);
  return {
    protocol: 0,
    self: { userID: String(sub), username: '' },
    heartbeatSeconds: 3,
    graceSeconds: 0,
    iceServers: [],
    prefixes: { room: '', e2ee: '', file: '' },
    token,
    until: Number(exp) * 1_000,
  };
}
