// What the guard is told, and what it makes of a configuration that is wrong: it may never be the reason for an outage.
import * as z from 'zod';
import { check } from '../config/check.ts';
import { edgeHeaderNames, edgeSecretForm, headerName, isEdgeSecret } from '../config/edge.ts';
import { section, text, value } from '../config/fields.ts';
import { secret } from '../config/secrets.ts';
import { ConfigError, type Problem, problemAt } from '../config/problem.ts';
import { composeSentry, sentry } from '../config/sentry.ts';
import { valueAt, type Written } from '../config/written.ts';
import type { SentrySettings } from '../core/edge/sentry.ts';
import { readVariables, type Variable } from './variables.ts';

export interface GuardConfig {
  /** What a fault of the guard does to the request: it goes to the origin as it came, or it is answered 503. */
  readonly fail: 'open' | 'closed';
  readonly sentry: SentrySettings | undefined;
  /** What is wrong under `sentry`. It keeps Sentry from being told, and nothing else. */
  readonly untold: ConfigError | undefined;
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
  edge_secret: secret(value(edgeSecretForm, (found) => (isEdgeSecret(found) ? found : undefined))).optional(),
  drill: text('a path, such as /drill-3f9a')
    .refine((path) => path.startsWith('/'), { error: 'a path, such as /drill-3f9a' })
    .optional(),
});

/** Never throws. */
export function readGuardConfig(variable: Variable): GuardConfig {
  try {
    const written = readVariables(variable, { SENTRY_DSN: ['sentry', 'dsn'], EDGE_SECRET: ['edge_secret'] });
    return { ...readSentry(written), ...readTask(written) };
  } catch (error) {
    const wrong = error instanceof ConfigError ? error : new ConfigError([{ where: undefined, says: String(error) }]);
    return { fail: 'open', sentry: undefined, untold: undefined, task: wrong };
  }
}

function readSentry({ tree, where }: Written): Pick<GuardConfig, 'sentry' | 'untold'> {
  const alone = { tree: { sentry: valueAt(tree, ['sentry']) }, where };
  const { settings, problems } = check(alone, { schema: z.object({ sentry }), disagreements: () => [] });
  if (settings === undefined) return { sentry: undefined, untold: new ConfigError(problems) };
  return { sentry: composeSentry(settings.sentry), untold: undefined };
}

/** Whoever wrote something that is wrong still means what is right of it. */
function readTask(written: Written): Pick<GuardConfig, 'fail' | 'task'> {
  const rest = { ...written, tree: withoutSentry(written.tree) };
  const { settings, problems } = check(rest, { schema, disagreements });
  if (settings === undefined || problems.length > 0) {
    const fail = valueAt(written.tree, ['fail']) === 'closed' ? 'closed' : 'open';
    return { fail, task: new ConfigError(problems) };
  }
  const { fail, edge_secret: edgeSecret, drill } = settings;
  return { fail, task: { headers: settings.headers, edgeSecret, drill } };
}

/** What is no map stays as it is, to be complained of. */
function withoutSentry(tree: unknown): unknown {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).filter(([key]) => key !== 'sentry'));
}

/** One header that tells two things would tell the last one. */
function disagreements({ tree, where }: Written): readonly Problem[] {
  const names = Object.values(headers.safeParse(valueAt(tree, ['headers'])).data ?? {});
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return [];
  return [problemAt(['headers'], `found ${twice} twice, expected a name for each of ${names.length}`, where)];
}
