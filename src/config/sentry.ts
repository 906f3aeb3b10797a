// Where and how often errors are told to Sentry.
import type * as z from 'zod';
import { parseDsn } from '../core/edge/dsn.ts';
import type { SentrySettings } from '../core/edge/sentry.ts';
import { section, text, value } from './fields.ts';
import { secret, withoutLogin } from './secrets.ts';

export const sentryKeys = {
  dsn: secret(value('a DSN, as Sentry shows it: https://<key>@<host>/<number>', parseDsn), withoutLogin).optional(),
  environment: text('a name, such as production').default('production'),
  sample_rate: value('a number from 0 to 1', (found) =>
    typeof found === 'number' && found >= 0 && found <= 1 ? found : undefined,
  ).default(1),
};

export const sentry = section(sentryKeys);

/** Without a DSN nobody is told. */
export function composeSentry({ dsn, environment, sample_rate }: z.infer<typeof sentry>): SentrySettings | undefined {
  return dsn && { dsn, environment, sampleRate: sample_rate };
}
