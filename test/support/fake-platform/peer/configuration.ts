/** "Set a configuration" (WebRTC 1.0 section 4.4.1.6): what is refused at the start, and what may not change later. */
import { exception } from '../errors.ts';

function checkServer(server: RTCIceServer): void {
  const urls = typeof server.urls === 'string' ? [server.urls] : server.urls;
  if (!Array.isArray(urls)) throw new TypeError('an ICE server needs urls');
  if (urls.length === 0) throw exception('SyntaxError', 'an ICE server without urls');
  for (const url of urls) {
    if (!/^(stuns?|turns?):[^/?#]+(\?transport=(udp|tcp))?$/.test(url)) {
      throw exception('SyntaxError', `'${url}' is no ICE server`);
    }
    if (/^turns?:/.test(url) && (server.username === undefined || server.credential === undefined)) {
      throw exception('InvalidAccessError', 'a TURN server needs a username and a credential');
    }
  }
}

export function checkConfiguration(
  next: RTCConfiguration,
  before: RTCConfiguration | null,
  described: boolean,
): void {
  for (const server of next.iceServers ?? []) checkServer(server);
  if (!before) return;
  const refuse = (what: string) => exception('InvalidModificationError', `${what} cannot change`);
  if ((next.bundlePolicy ?? 'balanced') !== (before.bundlePolicy ?? 'balanced')) throw refuse('bundlePolicy');
  if ((next.rtcpMuxPolicy ?? 'require') !== (before.rtcpMuxPolicy ?? 'require'))
    throw refuse('rtcpMuxPolicy');
  const [given, old] = [next.certificates ?? [], before.certificates ?? []];
  // Both browsers take a list that was left out for a change as well.
  if (given.length !== old.length || given.some((each, index) => each !== old[index])) {
    throw refuse('certificates');
  }
  if (described && (next.iceCandidatePoolSize ?? 0) !== (before.iceCandidatePoolSize ?? 0)) {
    throw refuse('iceCandidatePoolSize');
  }
}
