// A request as it stands before the door: what of it is an account's secret is taken off before anybody reads the rest.
import { looksSecret } from '../access/secret.ts';
import { hideSecrets } from '../oci/redact.ts';
import { isRegistryName } from '../oci/reference.ts';

/** As a face reads it. */
export interface Knock {
  /** The request-target as it came. */
  readonly target: string;
  /** The Host header. */
  readonly host: string | undefined;
  /** As the client sees it: whoever ends TLS before us says so. */
  readonly scheme: 'http' | 'https';
}

export interface Arrival {
  /** In origin form, without a secret. */
  readonly target: string;
  readonly host: string | undefined;
  /** Without the query and without secrets: fit for the log. */
  readonly path: string;
  /** What stood where a secret is looked for: as the first label of the host, or as the first component of the path. */
  readonly secret: string | undefined;
  /** A path of ours, relative, as this client must ask for it. */
  readonly back: (path: string) => string;
  /** Where this client gets tokens; with its secret. Undefined without a Host header. */
  readonly realm: () => string | undefined;
}

const absoluteForm = /^https?:\/\/([^/?#]*)/i;
/** `/v2/<secret>/…` of clients that put a repository's name after `/v2/`, `/<secret>/…` of those that are given a URL. */
const firstComponent = /^(\/v2)?\/([^/?#]+)(?=[/?#]|$)/;

export function arrive({ target, host: header, scheme }: Knock): Arrival {
  const [absolute = '', authority] = absoluteForm.exec(target) ?? [];
  const host = authority ?? header;
  const asked = target.slice(absolute.length);
  const inHost = labelOf(host);
  const [, root = '', component = ''] = firstComponent.exec(asked) ?? [];
  const inPath = looksSecret(component) ? component : undefined;
  const rest = inPath === undefined ? asked : asked.replace(firstComponent, '$1');
  const whole = rest.startsWith('/') ? rest : `/${rest}`;
  return {
    target: whole,
    host: inHost === undefined ? host : host?.slice(inHost.length + 1),
    path: hideSecrets(whole.replace(/[?#].*$/s, '')),
    secret: inPath ?? inHost,
    back: (path) => (inPath === undefined ? path : `${root}/${inPath}${path.slice(root.length)}`),
    realm: () =>
      host === undefined || !isRegistryName(host.toLowerCase())
        ? undefined
        : `${scheme}://${host}${inPath === undefined ? '' : `/${inPath}`}/token`,
  };
}

function labelOf(host = ''): string | undefined {
  const dot = host.indexOf('.');
  if (dot < 0) return undefined;
  const label = host.slice(0, dot);
  return looksSecret(label) ? label : undefined;
}
