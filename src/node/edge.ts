// How clients are connected to a guard before us, believed only from who shows the secret that we share with it.
import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { EdgeSettings } from './config/tls.ts';
import { parseTls, type Tls } from '../core/oci/tls-version.ts';

/** It tells `unknown` for what came past the guard, or while that fails open: the connection may not be the client's. */
export function createEdge({ secret, headers: names }: EdgeSettings): (headers: IncomingHttpHeaders) => Tls {
  const expected = hash('sha256', secret, 'buffer');
  return (headers) => {
    const shown = headers[names.secret];
    // Of equal length once they are hashed, so that the time tells nothing.
    if (typeof shown !== 'string' || !timingSafeEqual(hash('sha256', shown, 'buffer'), expected)) return 'unknown';
    const told = headers[names.protocol];
    return parseTls(typeof told === 'string' ? told : undefined);
  };
}
