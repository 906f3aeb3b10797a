// The body of a POST to `/token`: a small form, which says so before it is read.
import { RegistryError } from '../oci/errors.ts';

const formType = 'application/x-www-form-urlencoded';
const largest = 64 * 1024;

/** Throws 415, 411 or 413 for a body that must not be read. */
export function checkForm(contentType: string | undefined, contentLength: string | undefined): void {
  const [type = ''] = (contentType ?? '').split(';', 1);
  if (type.trim().toLowerCase() !== formType) throw wrong(415, 'a token is asked for with a form');
  if (contentLength === undefined) throw wrong(411, 'a form says how long it is');
  if (!(Number(contentLength) <= largest)) throw wrong(413, 'a form has at most 64 KiB');
}

export function brokenForm(cause: unknown): RegistryError {
  return wrong(400, 'the form broke off', cause);
}

function wrong(status: number, message: string, cause?: unknown): RegistryError {
  return new RegistryError('UNSUPPORTED', message, { status, cause });
}
