// Why a host was not reached, as the proxy tells its client.
import { ForbiddenAddress } from '../../core/upstream/fetch.ts';
import { purpose, reject, type Rejection } from './target.ts';

const late = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT']);
const unknown = new Set(['ENOTFOUND', 'EAI_NODATA', 'EAI_NONAME']);

export function whyNotReached(host: string, error: unknown): Rejection {
  if (error instanceof ForbiddenAddress) {
    const why = `${purpose}, and ${host} leads to an address that is not public`;
    return { ...reject(403, why, `resolve: { "${host}": "<its address>:443" }`), error };
  }
  const { code = '', name } = error as { code?: unknown; name?: unknown };
  const isLate = name === 'TimeoutError' || late.has(String(code));
  if (isLate) return { ...reject(504, `${host} did not answer in time`), error };
  if (unknown.has(String(code))) return { ...reject(502, `${host} is a name that DNS does not know`), error };
  return { ...reject(502, `${host} cannot be reached`), error };
}
