// A configuration as parsePull sees it: a few registries, an alias, a wildcard and a mapped host.
import type { Routing } from '../../../src/core/oci/route.ts';

const names = new Map([
  ['docker.io', 'docker.io'],
  ['index.docker.io', 'docker.io'],
  ['ghcr.io', 'ghcr.io'],
  ['localhost:5000', 'localhost:5000'],
  ['localhost', 'localhost'],
  ['lab', 'lab.example:5000'],
  ['lab.example:5000', 'lab.example:5000'],
  ['[::1]:5000', '[::1]:5000'],
]);

const mapped = new Map([
  ['gh.example.com', 'ghcr.io'],
  ['odd.example.com:8443', 'localhost:5000'],
]);

export const configured = [...new Set(names.values())];

export const routing: Routing = {
  registry: (host) => names.get(host) ?? (host.endsWith('.pkg.dev') ? host : undefined),
  byHost: (host) => mapped.get(host),
  fallback: 'docker.io',
  configured,
};
