// Whom a connection of ours believes when TLS shows it a certificate.
import { Bounded } from '../core/oci/bounded.ts';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/** To read all authorities of a system takes 20 ms. */
const contexts = new Bounded<SecureContext>(32);

/** The authorities of `ca` (PEM) beside those that this process believes anyway. */
export function believing(ca: string): SecureContext {
  const known = contexts.get(ca);
  if (known !== undefined) return known;
  const context = createSecureContext({ ca: [...getCACertificates('default'), ca] });
  contexts.set(ca, context);
  return context;
}

// What OpenSSL says of a chain that it does not believe, and Node of a name that is not the certificate's.
const unbelieved = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The code of an error that says so. */
export function unbelievedCode(error: unknown): string | undefined {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && unbelieved.has(code) ? code : undefined;
}
