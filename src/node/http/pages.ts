// The paths that are no registry's: is the process well, and what its administrator may see.
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
  /** Whether they may be answered on this listener. */
  readonly adminHere: boolean;
  /** Whether they may be answered to who asks with this Host header: else any web page could read them (DNS rebinding). */
  adminFor(host: string): boolean;
  /** Whether pulls can be answered already, or still. */
  ready(): boolean;
}

/** Undefined if the path belongs to the registry API. `notice`: for who asks. */
export async function findPage(
  path: string,
  host: string,
  parts: PageParts,
  notice: Notice | undefined,
): Promise<Reply | undefined> {
  if (path === '/healthz') return text(200, 'ok');
  if (path === '/readyz') return parts.ready() ? text(200, 'ok') : text(503, 'not ready');
  if (path !== '/' && path !== '/metrics' && !path.startsWith('/_sampan/')) return undefined;
  const why = whyHidden(host, parts);
  if (why !== undefined) return path === '/' && notice !== undefined ? hidden(why, notice) : text(403, why);
  const page = await parts.admin?.(path, notice);
  return page === undefined ? text(404, 'There is no such page.') : pageReply(page);
}

/** Why they are not shown to who asks, if they are not. */
function whyHidden(host: string, parts: PageParts): string | undefined {
  if (!parts.adminHere) return 'This page is only shown on the address that is configured as admin.listen.';
  if (!parts.adminFor(host)) return 'This page is only shown at localhost or a loopback address.';
  return undefined;
}

/** What a person must change is nobody's secret: he who opens the mirror's address in a browser reads it. */
function hidden(why: string, notice: Notice): Reply {
  return pageReply({ status: 403, type: pageType, headers: pageHeaders, body: pageOf(`<p>${why}</p>`, notice) });
}

function text(status: number, body: string): Reply {
  return pageReply({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` });
}

function pageReply({ status, type, headers, body }: Page): Reply {
  return {
    status,
    headers: { ...headers, 'content-type': type, 'cache-control': 'no-store' },
    body: { kind: 'bytes', bytes: Buffer.from(body) },
  };
}
