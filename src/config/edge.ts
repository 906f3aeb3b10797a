// What a guard and the origin behind it must be told alike: the secret that they share, and the headers between them.
import { value } from './fields.ts';
import { secret } from './secrets.ts';

/** Never one that means something by itself (Host, Expect, Cookie): to set it would break the request. */
const aHeaderName = () =>
  value('the name of a header that begins with X-, such as X-Client-SSL-Protocol', (found) =>
    typeof found === 'string' && /^x(?:-[a-z0-9]+)+$/i.test(found) ? found.toLowerCase() : undefined,
  );

export const headerName = (usual: string) => aHeaderName().default(usual);

/** Those that an origin reads, by what they tell. */
export const edgeHeaderNames = {
  protocol: headerName('x-client-ssl-protocol'),
  // What stands there and is no name may be the secret itself.
  secret: secret(aHeaderName(), (name) => name).default('x-edge-secret'),
};

export const edgeSecretForm = '32 to 200 characters without spaces that nobody can guess';

export function isEdgeSecret(found: unknown): found is string {
  return typeof found === 'string' && /^[!-~]{32,200}$/.test(found);
}
