/** RTCCertificate (WebRTC 1.0 section 4.9): what matters is that one certificate has one fingerprint. */
import type { Scope } from '../scope.ts';

export class FakeCertificate {
  readonly fingerprint: string;
  readonly expires: number;

  constructor(scope: Scope) {
    const bytes = Array.from({ length: 32 }, () => scope.random.text(2, '0123456789ABCDEF'));
    this.fingerprint = bytes.join(':');
    this.expires = scope.scheduler.now + 30 * 24 * 3600 * 1000;
  }

  getFingerprints(): RTCDtlsFingerprint[] {
    return [{ algorithm: 'sha-256', value: this.fingerprint.toLowerCase() }];
  }
}

/** The certificate of a configuration, or a new one; several are more than the fake models. */
export function certificateOf(scope: Scope, configuration: RTCConfiguration): FakeCertificate {
  const [given] = configuration.certificates ?? [];
  if (given === undefined) return new FakeCertificate(scope);
  const certificate: unknown = given;
  if (!(certificate instanceof FakeCertificate)) throw new TypeError('not an RTCCertificate');
  return certificate;
}
