// The body of a request for a token.
import type { IncomingMessage } from 'node:http';
import { brokenForm, checkForm } from '../../core/door/form.ts';

/** Throws a RegistryError. */
export async function readForm(request: IncomingMessage): Promise<string> {
  const { 'content-type': type, 'content-length': length } = request.headers;
  checkForm(type, length);
  try {
    return Buffer.concat((await request.toArray()) as Buffer[]).toString();
  } catch (cause) {
    throw brokenForm(cause);
  }
}
