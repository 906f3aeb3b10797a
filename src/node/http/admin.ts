// The pages for whoever runs sampan: metrics, status, and where to find them.
import type { Metrics } from '../metrics.ts';
import type { Page } from './pages.ts';
import type { Status } from '../status.ts';
import { version } from '../version.ts';

const root = `sampan ${version}, a mirror of container registries.

/v2/                    the registry API: point docker, containerd or podman here
/_sampan/status.json    what is served, held and saved
/metrics                the same for Prometheus
/healthz  /readyz       for whoever watches over the process
`;

/** Undefined for a path that is none of them. */
export function adminPages(metrics: Metrics, status: () => Status): (path: string) => Promise<Page | undefined> {
  return async (path) => {
    switch (path) {
      case '/':
        return { status: 200, type: 'text/plain; charset=utf-8', body: root };
      case '/metrics':
        return { status: 200, type: metrics.type, body: await metrics.text() };
      case '/_sampan/status.json':
        return { status: 200, type: 'application/json', body: `${JSON.stringify(status(), undefined, 2)}\n` };
      default:
        return undefined;
    }
  };
}
