// @ts-check
/**
 * What the network lab needs of the machine, and why it cannot run where it cannot: tests that need it are skipped
 * with this reason, aloud. Debian's packages are named, so that `npm test` can install them.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @typedef {{program: string, package: string}} Need */

/** Networks of our own: namespaces, NAT, shaping. `unshare`, `nsenter` and `setpriv` come with every Debian. */
export const networkPrograms = /** @type {Need[]} */ ([
  { program: 'ip', package: 'iproute2' },
  { program: 'tc', package: 'iproute2' },
  { program: 'nft', package: 'nftables' },
  { program: 'unshare', package: 'util-linux' },
  { program: 'nsenter', package: 'util-linux' },
  { program: 'setpriv', package: 'util-linux' },
]);
/** A TURN server; enough for the tests which run on loopback, without any privilege. */
export const turnPrograms = /** @type {Need[]} */ ([{ program: 'turnserver', package: 'coturn' }]);
/** What several relays are one through. */
export const redisPrograms = /** @type {Need[]} */ ([{ program: 'redis-server', package: 'redis-server' }]);
/** Proxies before the relay, with the files that ship for them. */
export const proxyPrograms = /** @type {Need[]} */ ([
  { program: 'nginx', package: 'nginx-light' },
  { program: 'caddy', package: 'caddy' },
]);

/** Servers live in /usr/sbin, which is on nobody's PATH but root's. */
const folders = () => [
  ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean),
  '/usr/sbin',
  '/sbin',
  '/usr/local/sbin',
];

/** Path of a program, or '' without it. */
export function findProgram(/** @type {string} */ name) {
  return (
    folders()
      .map((folder) => join(folder, name))
      .find((file) => existsSync(file)) ?? ''
  );
}

const absent = (/** @type {Need[]} */ needs) => needs.filter(({ program }) => !findProgram(program));

/** Debian's packages that are not there yet. */
export function missingPackages() {
  return [
    ...new Set(
      absent([...networkPrograms, ...turnPrograms, ...redisPrograms, ...proxyPrograms]).map(
        (need) => need.package,
      ),
    ),
  ];
}

function why(/** @type {Need[]} */ needs) {
  const gone = absent(needs);
  if (!gone.length) return '';
  const packages = [...new Set(gone.map((need) => need.package))].join(' ');
  return `not installed: ${gone.map(({ program }) => program).join(', ')} (on Debian: apt-get install ${packages})`;
}

/** Why no Redis can be started here; '' where it can. */
export const whyNoRedis = () => why(redisPrograms);

/** Why this proxy cannot be started here; '' where it can. */
export const whyNoProxy = (/** @type {string} */ name) =>
  why(proxyPrograms.filter(({ program }) => program === name));

/** Why no TURN server can be started here; '' where it can. */
export const whyNoTurn = () => why(turnPrograms);

/** @type {string | undefined} */
let tried;

/** Why no network can be made here; '' where it can. Found out by making a small one, once. */
export function whyNoNetwork() {
  tried ??= tryNetwork();
  return tried;
}

function tryNetwork() {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux alone';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const reason = why([...networkPrograms, ...turnPrograms]);
  if (reason) return reason;
  const script = `ip link set lo up
tc qdisc add dev lo root tbf rate 300kbit burst 4000 latency 300ms
nft 'table ip probe { chain c { type nat hook postrouting priority srcnat; oifname "lo" masquerade fully-random; }; }'
nft 'add chain ip probe d { type filter hook forward priority 0; }'
nft 'add rule ip probe d numgen random mod 100 < 20 drop'`;
  try {
    execFileSync('unshare', ['--net', 'sh', '-e'], { input: script, stdio: ['pipe', 'ignore', 'pipe'] });
    return '';
  } catch (error) {
    const told = String(/** @type {{stderr?: Buffer}} */ (error).stderr ?? error);
    return `this kernel or container allows no network of our own: ${told.trim().split('\n')[0]}`;
  }
}
