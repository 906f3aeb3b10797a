// What the guard is told, and what it makes of a configuration that is wrong: it may never be the reason for an outage.
import * as z from 'zod';
import { check } from '../config/check.ts';
import { edgeHeaderNames, edgeSecretForm, headerName, isEdgeSecret } from '../config/edge.ts';
import { section, text, value } from '../config/fields.ts';
import { ConfigError, type Problem, problemAt } from '../config/problem.ts';
import { composeSentry, sentry } from '../config/sentry.ts';
import { valueAt, type Written } from '../config/written.ts';
import type { SentrySettings } from '../core/edge/sentry.ts';
import { readVariables, type Variable } from './variables.ts';

export interface GuardConfig {
  /** What a fault of the guard does to the request: it goes to the origin as it came, or it is answered 503. */
  readonly fail: 'open' | 'closed';
  readonly sentry: SentrySettings | undefined;
  /** What to do with each request; or why it is not known. */
  readonly task: GuardTask | ConfigError;
}

export interface GuardTask {
  /** The headers that tell the origin, by what they tell. */
  readonly headers: Readonly<Record<'protocol' | 'cipher' | 'secret', string>>;
  /** What the origin knows the guard by. */
  readonly edgeSecret: string | undefined;
  /** The path at which the guard fails on purpose. */
  readonly drill: string | undefined;
}

const headers = section({ ...edgeHeaderNames, cipher: headerName('x-client-ssl-cipher') });

const schema = section({
  fail: z.enum(['open', 'closed'], { error: 'open or closed' }).default('open'),
  headers,
  edge_secret: value(edgeSecretForm, (found) => (isEdgeSecret(found) ? found : undefined)).optional(),
  drill: text('a path, such as /drill-3f9a')
    .refine((path) => path.startsWith('/'), { error: 'a path, such as /drill-3f9a' })
    .optional(),
  sentry,
});

/** Never throws. */
export function readGuardConfig(variable: Variable): GuardConfig {
  try {
    const written = readVariables(variable, { SENTRY_DSN: ['sentry', 'dsn'], EDGE_SECRET: ['edge_secret'] });
    const { settings, problems } = check(written, { schema, disagreements });
    if (settings === undefined || problems.length > 0) return asFarAsKnown(written, new ConfigError(problems));
    const { fail, edge_secret: edgeSecret, drill } = settings;
    return { fail, sentry: composeSentry(settings.sentry), task: { headers: settings.headers, edgeSecret, drill } };
  } catch (error) {
    const wrong = error instanceof ConfigError ? error : new ConfigError([{ where: undefined, says: String(error) }]);
    return { fail: 'open', sentry: undefined, task: wrong };
  }
}

/** Whoever wrote something that is wrong still means what is right of it. */
function asFarAsKnown({ tree }: Written, wrong: ConfigError): GuardConfig {
  const told = sentry.safeParse(valueAt(tree, ['sentry'])).data;
  return {
    fail: valueAt(tree, ['fail']) === 'closed' ? 'closed' : 'open',
    sentry: told && composeSentry(told),
    task: wrong,
  };
}

/** One header that tells two things would tell the last one. */
function disagreements({ tree, where }: Written): readonly Problem[] {
  const names = Object.values(headers.safeParse(valueAt(tree, ['headers'])).data ?? {});
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return [];
  return [problemAt(['headers'], `found ${twice} twice, expected a name for each of ${names.length}`, where)];
}
