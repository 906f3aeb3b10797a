// The configuration as people may see it: YAML that can be read again but for the secrets.
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { shown } from '../../config/shown.ts';
import { hideSecrets } from '../../core/oci/redact.ts';
import { schema } from './schema.ts';

/** `tree`: all that was written, which is right. `base`: where the relative paths of a key begin. */
export function printed(tree: unknown, base: (key: string) => string): string {
  const whole = shown(schema, tree, ([key], path) => resolve(base(String(key)), path));
  // On one line each, so that none is broken apart: an account's secret may stand in the URL of an endpoint.
  return hideSecrets(stringify(whole, { lineWidth: 0 }));
}
