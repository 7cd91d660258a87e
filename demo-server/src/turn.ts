import { createHmac } from 'node:crypto';
import type { IceServer } from './core/env.ts';

/**
 * ICE servers for one user. TURN credentials follow coturn's REST scheme (`use-auth-secret`): the user name is the
 * time of expiry with the user's id, the password its HMAC-SHA1, so the TURN server checks them by itself.
 *
 * @param ttl seconds for which the credentials last
 * @param now Unix time in seconds
 */
export function iceServers(
  { urls, secret, ttl }: { urls: readonly string[]; secret: string; ttl: number },
  userID: string,
  now: number,
): IceServer[] {
  const stun = urls.filter((url) => url.startsWith('stun'));
  const turn = urls.filter((url) => url.startsWith('turn'));
  const username = `${Math.floor(now + ttl)}:${userID}`;
  const credential = createHmac('sha1', secret).update(username).digest('base64');
  return [
    ...(stun.length > 0 ? [{ urls: stun }] : []),
    ...(turn.length > 0 && secret !== '' ? [{ urls: turn, username, credential }] : []),
  ];
}
