// The configuration that comes from the environment: SAMPAN_STORAGE_LIMIT sets `storage.limit`.
import { parse } from 'yaml';
import { leaves, suggest } from '../../config/keys.ts';
import type { Setting } from '../../config/layer.ts';
import type { Problem } from '../../config/problem.ts';
import { schema } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const paths = new Map(leaves(schema).map((path) => [`SAMPAN_${path.join('_').toUpperCase()}`, path]));

// SAMPAN_CONFIG names the file. Kubernetes sets the others in every pod beside a Service called sampan or sampan-something.
const others =
  /^SAMPAN_(?:CONFIG=|TEST_|(?:[A-Z0-9_]+_)?(?:SERVICE_(?:HOST=|PORT)|PORT(?:_\d+_(?:TCP|UDP|SCTP)|=(?:tcp|udp|sctp):\/\/)))/;

/** Empty variables count as not set. */
export function readEnvironment(environment: Environment): {
  settings: readonly Setting[];
  problems: readonly Problem[];
} {
  const settings: Setting[] = [];
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('SAMPAN_') || !text || others.test(`${name}=${text}`)) continue;
    const path = paths.get(name);
    if (path !== undefined) settings.push({ path, value: readValue(text), where: name });
    else problems.push({ where: name, says: `found an unknown variable; ${suggest(name, [...paths.keys()])}` });
  }
  return { settings, problems };
}

/** YAML; what is none is text, such as [::1]:5050. */
function readValue(text: string): unknown {
  try {
    return parse(text, { schema: 'core', logLevel: 'error', prettyErrors: false, maxAliasCount: 0 });
  } catch {
    return text;
  }
}
