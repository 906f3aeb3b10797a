// The paths that are no registry's: is the process well, and what its administrator may see.
import type { Account } from '../../core/access/accounts.ts';
import { basicChallenge } from '../../core/door/identity.ts';
import { pageHeaders, pageOf, pageType } from '../../core/edge/page.ts';
import type { Notice } from '../../core/edge/tls.ts';
import type { Reply } from '../../core/mirror/reply.ts';

export interface Page {
  readonly status: number;
  /** Its media type. */
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface PageParts {
  /** Pages that tell private names and habits: `/`, `/metrics` and what is under `/_sampan/`. Undefined: there is no such page. */
  readonly admin?: (path: string, notice: Notice | undefined) => Promise<Page | undefined>;
  /** Whether they may be answered on this listener to who shows no login. */
  readonly adminHere: boolean;
  /** Whether they may be answered to who asks with this Host header: else any web page could read them (DNS rebinding). */
  adminFor(host: string): boolean;
  /** Whether a client at that address is on this machine. */
  isLocal(address: string): boolean;
  /** Whether pulls can be answered already, or still. */
  ready(): boolean;
}

/** Who asks for a page. */
export interface Reader {
  /** The Host header. */
  readonly host: string;
  /** What he is told of his version of TLS. */
  readonly notice: Notice | undefined;
  /** He is on this machine, and nobody passes on for him what he asks. */
  readonly isHere: () => boolean;
  readonly scheme: 'http' | 'https';
  /** Whose login he shows; throws a RegistryError for one that is nobody's. Undefined: no account is an administrator's. */
  readonly logIn: (() => Promise<Account | undefined>) | undefined;
}

/** Undefined if the path belongs to the registry API. Throws a RegistryError. */
export function findPage(path: string, reader: Reader, parts: PageParts): Reply | Promise<Reply> | undefined {
  if (path === '/healthz') return text(200, 'ok');
  if (path === '/readyz') return parts.ready() ? text(200, 'ok') : text(503, 'not ready');
  return path === '/' || path === '/metrics' || path.startsWith('/_sampan/')
    ? adminPage(path, reader, parts)
    : undefined;
}

async function adminPage(path: string, reader: Reader, parts: PageParts): Promise<Reply> {
  const { notice } = reader;
  const refused = await whyHidden(reader, parts);
  if (refused !== undefined) {
    return path === '/' && notice !== undefined
      ? hidden(refused, notice)
      : text(refused.status, refused.why, refused.headers);
  }
  const page = await parts.admin?.(path, notice);
  return page === undefined ? text(404, 'There is no such page.') : pageReply(page);
}

interface Refused {
  readonly status: 401 | 403;
  readonly why: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why they are not shown to who asks, if they are not. Whoever logs in may ask by any name: who led him here does not know his login. */
async function whyHidden(reader: Reader, parts: PageParts): Promise<Refused | undefined> {
  const { host, scheme, logIn } = reader;
  const isHere = reader.isHere();
  if (isHere && parts.adminHere && parts.adminFor(host)) return undefined;
  if (logIn === undefined) return { status: 403, why: whereElse(parts.adminHere) };
  // He is not asked for what others on the way would read.
  if (!isHere && scheme !== 'https') {
    return { status: 403, why: 'This page is shown to administrators, who log in by https.' };
  }
  const account = await logIn();
  if (account === undefined) {
    const headers = { 'www-authenticate': basicChallenge };
    return { status: 401, why: 'This page is shown to administrators, who log in.', headers };
  }
  return account.admin === true ? undefined : { status: 403, why: 'This account is no administrator’s.' };
}

function whereElse(adminHere: boolean): string {
  return adminHere
    ? 'This page is only shown on this machine, at localhost or a loopback address.'
    : 'This page is only shown on the address that is configured as admin.listen.';
}

/** What a person must change is nobody's secret: he who opens the mirror's address in a browser reads it. */
function hidden({ status, why, headers }: Refused, notice: Notice): Reply {
  const all = { ...pageHeaders, ...headers };
  return pageReply({ status, type: pageType, headers: all, body: pageOf(`<p>${why}</p>`, notice) });
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return pageReply({ status, type: 'text/plain; charset=utf-8', headers, body: `${body}\n` });
}

/** A browser sends a login that it remembers whoever led it here: no other site reads what comes back, as whatever it embeds it. */
const forNoOtherSite = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' };

function pageReply({ status, type, headers, body }: Page): Reply {
  return {
    status,
    headers: { ...headers, ...forNoOtherSite, 'content-type': type, 'cache-control': 'no-store' },
    body: { kind: 'bytes', bytes: Buffer.from(body) },
  };
}
