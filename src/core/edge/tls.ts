// The notice for those who connect by a version of TLS that will not do for much longer.
import { isOlder, type Tls, type TlsVersion, tlsVersions } from '../oci/tls-version.ts';
import { warningOf } from '../oci/warning.ts';

export interface TlsPolicy {
  /** Whoever connects by an older version is told. */
  readonly minimum: TlsVersion;
  /** Since when older ones are deprecated. Milliseconds since 1970, as all of them. */
  readonly since: number;
  /** From when on they will not do any more. */
  readonly sunset: number | undefined;
  /** An absolute URL that says more. */
  readonly link: string | undefined;
}

export interface Notice {
  /** One sentence. */
  readonly text: string;
  /** `TLS 1.2`: what the client came by, and what it should. */
  readonly found: string;
  readonly expected: string;
  /** `2027-03-01` */
  readonly sunset: string | undefined;
  readonly link: string | undefined;
  /** For replies of the registry API: the value of Warning. */
  readonly warning: string;
  /** For answers of other APIs: Deprecation (RFC 9745), Sunset (RFC 8594), Link. */
  readonly headers: Readonly<Record<string, string>>;
}

export type NoticeFor = (tls: Tls) => Notice | undefined;

/** Made once: it is asked at every request. */
export function noticesOf(policy: TlsPolicy): NoticeFor {
  const affected = tlsVersions.filter((version) => isOlder(version, policy.minimum));
  const notices = new Map<Tls, Notice>(affected.map((version) => [version, noticeOf(policy, version)]));
  return (tls) => notices.get(tls);
}

function noticeOf(policy: TlsPolicy, version: TlsVersion): Notice {
  const { minimum, link } = policy;
  const found = spoken(version);
  const expected = `${spoken(minimum)}${minimum === tlsVersions.at(-1) ? '' : ' or later'}`;
  const sunset = policy.sunset === undefined ? undefined : new Date(policy.sunset).toISOString().slice(0, 10);
  const when = sunset === undefined ? 'soon' : `from ${sunset} on`;
  const text = `sampan: you are connected by ${found}; ${when} this mirror takes nothing but ${expected}`;
  const told = link === undefined ? text : `${text}, see ${link}`;
  return { text: told, found, expected, sunset, link, warning: warningOf(told), headers: headersOf(policy) };
}

function spoken(version: TlsVersion): string {
  return version === 'TLSv1' ? 'TLS 1.0' : version.replace('v', ' ');
}

function headersOf({ since, sunset, link }: TlsPolicy): Readonly<Record<string, string>> {
  const deprecation = `@${Math.floor(since / 1000)}`;
  const dates = { deprecation, ...(sunset !== undefined && { sunset: new Date(sunset).toUTCString() }) };
  if (link === undefined) return dates;
  const links = Object.keys(dates).map((relation) => `<${link}>; rel="${relation}"`);
  return { ...dates, link: links.join(', ') };
}
