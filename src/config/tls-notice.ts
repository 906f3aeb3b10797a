// Whom to tell, and what, before old versions of TLS are switched off.
import * as z from 'zod';
import type { TlsPolicy } from '../core/edge/tls.ts';
import { section, value } from './fields.ts';
import { type Problem, problemAt } from './problem.ts';
import { valueAt, type Written } from './written.ts';

const minimums = ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
/** So that what is warned of stays short enough for clients to read it. */
const longestLink = 1000;

/** Of RFC 8996, by which versions were first deprecated: where no day is told, one of long ago says that it is done. */
const usualSince = Date.UTC(2021, 2, 1);

const date = value('a date, such as 2027-03-01', (found) => {
  if (typeof found !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(found)) return undefined;
  const ms = Date.parse(found);
  // Of 2027-02-30 some make a day in March.
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== found ? undefined : ms;
});

const link = value(`an https URL of at most ${longestLink} characters`, (found) => {
  const url = typeof found === 'string' && URL.canParse(found) ? new URL(found) : undefined;
  const isPlain = url?.protocol === 'https:' && url.username === '' && url.password === '';
  return isPlain && url.href.length <= longestLink ? url.href : undefined;
});

export const tlsNotice = section({
  minimum: z.enum(minimums, { error: `one of ${minimums.join(', ')}` }).optional(),
  since: date.optional(),
  sunset: date.optional(),
  link: link.optional(),
});

/** Without a minimum nobody is told. */
export function composeTlsNotice({
  minimum,
  since,
  sunset,
  link: url,
}: z.infer<typeof tlsNotice>): TlsPolicy | undefined {
  // RFC 9745, section 4: never after the sunset.
  return minimum && { minimum, since: since ?? Math.min(usualSince, sunset ?? usualSince), sunset, link: url };
}

export function noticeDisagreements({ tree, where }: Written): readonly Problem[] {
  const { data } = tlsNotice.safeParse(valueAt(tree, ['tls_notice']));
  if (data === undefined) return [];
  const { minimum, since, sunset, link: url } = data;
  if (minimum === undefined && (since ?? sunset ?? url) !== undefined) {
    return [problemAt(['tls_notice'], `expected a minimum too, one of ${minimums.join(', ')}`, where)];
  }
  if (since === undefined || sunset === undefined || since <= sunset) return [];
  return [problemAt(['tls_notice', 'sunset'], 'found a date before since, expected a later one', where)];
}
