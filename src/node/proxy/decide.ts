// What becomes of a request to the proxy, as a value: whoever acts on it is elsewhere.
import type { Belonging } from '../../core/upstream/hosts.ts';
import { purpose, reject, type Rejection, type Target } from './target.ts';

export type Decision =
  /** Bytes go to the host and back, and are not looked at. `registry`: whose host it is, if it is anybody's. */
  | { readonly kind: 'tunnel'; readonly registry: string | undefined }
  /** TLS ends here, and the mirror answers as that registry. */
  | { readonly kind: 'intercept'; readonly registry: string }
  /** One plain request goes to the host, and its answer back. */
  | { readonly kind: 'forward'; readonly registry: string | undefined }
  | Rejection;

export interface Rules {
  readonly find: (host: string) => Belonging | undefined;
  /** Whether this registry is answered by the mirror in place of itself, at this host of its. */
  readonly intercepts: (registry: string, host: string) => boolean;
}

export function decide({ host, path }: Target, { find, intercepts }: Rules): Decision {
  const belonging = find(host);
  if (belonging === undefined) {
    return reject(403, `${purpose}, and ${host} is none that it knows`, `proxy: { allow: ["${host}"] }`);
  }
  const { registry, isRegistry } = belonging;
  if (path !== undefined) return { kind: 'forward', registry };
  return isRegistry && registry !== undefined && intercepts(registry, host)
    ? { kind: 'intercept', registry }
    : { kind: 'tunnel', registry };
}
