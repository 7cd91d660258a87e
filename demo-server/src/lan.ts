/** What it takes to let a phone on the same network in: addresses, a certificate for them, a code to scan. */
import { hostname, networkInterfaces } from 'node:os';
import { generate as makeCode } from 'lean-qr';
import { generate as makeCertificate } from 'selfsigned';

/** This machine's addresses on its networks, IPv4 first, loopback and link-local left out. */
export function lanAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const ipv4 = outside.filter(({ family }) => family === 'IPv4');
  return [...ipv4, ...outside.filter(({ family }) => family !== 'IPv4')].map(({ address }) => address);
}

/** A fresh certificate for every name and address of this machine, kept in memory alone. */
export async function selfSigned(): Promise<{ cert: string; key: string }> {
  const addresses = ['127.0.0.1', '::1', ...lanAddresses()];
  const names = [...new Set(['localhost', hostname()])];
  const notBefore = new Date(Date.now() - 86_400_000); // phones' clocks differ
  const { cert, private: key } = await makeCertificate([{ name: 'commonName', value: 'Private Meet' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: notBefore,
    notAfterDate: new Date(notBefore.getTime() + 365 * 86_400_000), // some phones refuse more than 825 days
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...addresses.map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
  return { cert, key };
}

/** The text as a QR code for a terminal, two modules per character, black on white in every colour scheme. */
export function qrCode(text: string): string {
  const code = makeCode(text);
  const quiet = 2;
  const lines: string[] = [];
  for (let y = -quiet; y < code.size + quiet; y += 2) {
    let line = '';
    for (let x = -quiet; x < code.size + quiet; x += 1) {
      const upper = code.get(x, y);
      const lower = code.get(x, y + 1);
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }
    lines.push(`\u001b[30;107m${line}\u001b[0m`);
  }
  return lines.join('\n');
}
