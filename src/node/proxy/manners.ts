// What keeps a request from being looked at, wherever it leads: who asks, by way of whom, and in which form.
import type { IncomingMessage } from 'node:http';
import { type Access, isAdmitted } from '../../core/access/admit.ts';
import { purpose, reject, type Rejection } from './target.ts';

export function whyNotTaken(
  { method = '', headers }: IncomingMessage,
  address: string,
  access: Access,
  pseudonym: string,
): Rejection | undefined {
  if (!isAdmitted(access, { address })) {
    return reject(403, 'this proxy does not serve your address', `access: { networks: ["${address}"] }`);
  }
  if (headers.via?.includes(pseudonym) === true) return reject(508, 'this request has been here before');
  if (method === 'CONNECT') return undefined;
  if (method !== 'GET' && method !== 'HEAD') return reject(405, `${purpose}, and plain http is for GET and HEAD`);
  if (headers.expect !== undefined) return reject(417, `${purpose}, and promises nothing beforehand`);
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  return hasBody ? reject(400, `${purpose}, and in plain http takes no body`) : undefined;
}
