// The versions of TLS, in the words of OpenSSL, nginx and Cloudflare.

/** The oldest first. */
export const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

export type TlsVersion = (typeof tlsVersions)[number];

/** By what a client is connected. none: without TLS. unknown: nobody says, or in other words. */
export type Tls = TlsVersion | 'none' | 'unknown';

export function parseTls(told: string | null | undefined): Tls {
  return told === 'none' ? told : (tlsVersions.find((version) => version === told) ?? 'unknown');
}

/** False where the version is not known, or there is none. */
export function isOlder(tls: Tls, than: TlsVersion): boolean {
  return tls !== 'none' && tls !== 'unknown' && tlsVersions.indexOf(tls) < tlsVersions.indexOf(than);
}
