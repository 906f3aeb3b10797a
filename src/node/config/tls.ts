// The keys about TLS of clients: what sampan shows them itself, and who may tell how they came to somebody before it.
import { resolve } from 'node:path';
import * as z from 'zod';
import { edgeHeaderNames, edgeSecretForm, isEdgeSecret } from '../../config/edge.ts';
import { findSecret, type SecretPlaces } from '../../config/credentials.ts';
import { filePath, section, text } from '../../config/fields.ts';
import { type Problem, problemAt } from '../../config/problem.ts';
import { secret } from '../../config/secrets.ts';
import { valueAt, type Written } from '../../config/written.ts';

const minimums = ['TLSv1.2', 'TLSv1.3'] as const;

/** A certificate of one's own, from files. */
export interface OwnTls {
  /** Absolute, both. PEM. */
  readonly certificate: string;
  readonly key: string;
  readonly minimum: (typeof minimums)[number];
}

/** Somebody before us who tells how clients are connected, and whom we know by a secret. */
export interface EdgeSettings {
  readonly secret: string;
  /** Names in lower case. */
  readonly headers: { readonly protocol: string; readonly secret: string };
}

export const tls = section({
  certificate: filePath().optional(),
  key: filePath().optional(),
  minimum: z.enum(minimums, { error: minimums.join(' or ') }).default('TLSv1.2'),
});

export const edge = section({
  secret: secret(text(edgeSecretForm)).optional(),
  secret_file: filePath().optional(),
  secret_env: text('the name of a variable').optional(),
  headers: section(edgeHeaderNames),
}).optional();

/** Relative paths begin at `directory`. */
export function composeTls({ certificate, key, minimum }: z.infer<typeof tls>, directory: string): OwnTls | undefined {
  if (certificate === undefined || key === undefined) return undefined;
  return { certificate: resolve(directory, certificate), key: resolve(directory, key), minimum };
}

export function tlsDisagreements({ tree, where }: Written): readonly Problem[] {
  const { data } = tls.safeParse(valueAt(tree, ['tls']));
  if (data === undefined || (data.certificate === undefined) === (data.key === undefined)) return [];
  const missing = data.key === undefined ? 'key' : 'certificate';
  return [
    problemAt(['tls', missing], `found nothing, expected the path of a file: certificate and key go together`, where),
  ];
}

/** Undefined if nothing is said of one, or something is wrong, which is told without the secret. */
export function composeEdge(
  settings: z.infer<typeof edge> | undefined,
  places: SecretPlaces,
  { tree, where }: Written,
): { readonly edge: EdgeSettings | undefined; readonly problems: readonly Problem[] } {
  const isWritten = (valueAt(tree, ['edge']) ?? undefined) !== undefined;
  if (settings === undefined || !isWritten) return { edge: undefined, problems: [] };
  const found = findSecret('secret', settings.secret, settings.secret_file, settings.secret_env, places);
  const wrong = (says: string) => ({ edge: undefined, problems: [problemAt(['edge'], says, where)] });
  if ('says' in found) return wrong(found.says);
  if (!isEdgeSecret(found.secret)) return wrong(`found a secret of another form, expected ${edgeSecretForm}`);
  if (settings.headers.protocol === settings.headers.secret) return wrong('found one header for both, expected two');
  return { edge: { secret: found.secret, headers: settings.headers }, problems: [] };
}
