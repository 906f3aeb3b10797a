// The pages for whoever runs sampan: metrics, status, and where to find them.
import { pageHeaders, pageOf, pageType } from '../../core/edge/page.ts';
import type { Notice } from '../../core/edge/tls.ts';
import type { Metrics } from '../metrics.ts';
import type { Page } from './pages.ts';
import type { Status } from '../status.ts';
import { version } from '../version.ts';

const root = `<p>This is sampan ${version}. Point docker, containerd or podman at this address.</p>
<ul>
<li><a href="/_sampan/status.json">/_sampan/status.json</a>: what is served, held and saved
<li><a href="/metrics">/metrics</a>: the same for Prometheus
<li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>: for whoever watches over the process
</ul>`;

/** Undefined for a path that is none of them. */
export function adminPages(
  metrics: Metrics,
  status: () => Status,
): (path: string, notice: Notice | undefined) => Promise<Page | undefined> {
  return async (path, notice) => {
    switch (path) {
      case '/':
        return { status: 200, type: pageType, headers: pageHeaders, body: pageOf(root, notice) };
      case '/metrics':
        return { status: 200, type: metrics.type, body: await metrics.text() };
      case '/_sampan/status.json':
        return statusPage(status(), notice);
      default:
        return undefined;
    }
  };
}

function statusPage(status: Status, notice: Notice | undefined): Page {
  const { text, found, expected, sunset, link } = notice ?? {};
  const told = notice && { text, found, expected, sunset, link };
  return {
    status: 200,
    type: 'application/json',
    headers: notice?.headers ?? {},
    body: `${JSON.stringify({ ...status, notice: told }, undefined, 2)}\n`,
  };
}
