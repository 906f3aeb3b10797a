// One sentence for whoever started sampan and got none, decided by the codes of the system's errors.
import { getSystemErrorMessage } from 'node:util';
import type { Config } from '../config/config.ts';
import { formatAddress } from '../config/address.ts';
import { inOneLine } from '../log/log.ts';

export function whyNotStarted(error: unknown, config: Config): string {
  const { code, syscall, errno, address, port, path } = error as Partial<
    NodeJS.ErrnoException & { address: string; port: number }
  >;
  const reason = errno === undefined ? '' : getSystemErrorMessage(errno);
  if (syscall === 'listen' || syscall === 'bind' || syscall === 'getaddrinfo') {
    const where = address === undefined || port === undefined ? config.listen : { host: address, port };
    const hint = code === 'EADDRINUSE' ? '; stop what listens there, or choose another place with --listen' : '';
    return `cannot listen on ${formatAddress(where)}: ${reason}${hint}`;
  }
  if (path !== undefined) return `cannot use the data directory ${config.data}: ${reason} (${path})`;
  return `cannot start: ${inOneLine(error)}`;
}
