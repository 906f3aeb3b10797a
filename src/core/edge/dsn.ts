// Sentry's DSN: where events go, and the key that lets them in.

export interface Dsn {
  /** Where envelopes are posted. */
  readonly envelopes: string;
  /** The public one. The secret one, which old DSNs have, is used by nobody any more. */
  readonly key: string;
}

/** `https://<key>@<host>/<path, if any>/<number of the project>`; undefined for what is none. */
export function parseDsn(found: unknown): Dsn | undefined {
  if (typeof found !== 'string' || !URL.canParse(found)) return undefined;
  const { protocol, host, username, pathname, search, hash } = new URL(found);
  const [, path, project] = /^(\/.*)?\/(\d+)$/.exec(pathname) ?? [];
  if (!/^https?:$/.test(protocol) || !/^\w+$/.test(username) || project === undefined) return undefined;
  if (search !== '' || hash !== '') return undefined;
  return { envelopes: `${protocol}//${host}${path ?? ''}/api/${project}/envelope/`, key: username };
}
