// What keeps a request from being looked at, wherever it leads: by way of whom it came, and in which form.
import type { IncomingMessage } from 'node:http';
import { purpose, reject, type Rejection } from './target.ts';

export function whyNotTaken({ method = '', headers }: IncomingMessage, pseudonym: string): Rejection | undefined {
  if (headers.via?.includes(pseudonym) === true) return reject(508, 'this request has been here before');
  if (method === 'CONNECT') return undefined;
  if (method !== 'GET' && method !== 'HEAD') return reject(405, `${purpose}, and plain http is for GET and HEAD`);
  if (headers.expect !== undefined) return reject(417, `${purpose}, and promises nothing beforehand`);
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  return hasBody ? reject(400, `${purpose}, and in plain http takes no body`) : undefined;
}
