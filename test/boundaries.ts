// Who may import whom: the table of DESIGN.md, section 3, for the test that holds the import lines against it.

/** Folders and files below `src/`. A row speaks for all that lies below it, unless a longer one does. Its own folder is always allowed. */
export interface Row {
  readonly may: readonly string[];
  /** May be named in `import type` only. */
  readonly types?: readonly string[];
  readonly never?: readonly string[];
  /** Modules of the runtime and npm packages. Core has neither. */
  readonly outside?: 'node:' | 'node: and packages' | 'packages';
}

const nodeAny = 'node: and packages';
export const table: Readonly<Record<string, Row>> = {
  'core/index.ts': { may: ['core'] },
  'core/oci': { may: [] },
  'core/access': { may: ['core/oci'] },
  'core/edge': { may: ['core/oci', 'core/upstream/fetch.ts'] },
  'core/clients': { may: ['core/oci'] },
  'core/mirror': { may: ['core/oci', 'core/access'] },
  'core/door': { may: ['core/oci', 'core/access', 'core/mirror'], types: ['core/upstream'] },
  'core/upstream': {
    may: ['core/oci'],
    types: ['core/mirror/ports.ts', 'core/mirror/reply.ts', 'core/mirror/events.ts', 'core/access'],
  },
  config: { may: ['core'], outside: 'packages' },
  node: {
    may: ['core', 'config'],
    types: ['node/store'],
    never: ['node/app.ts', 'node/cli', 'node/http', 'node/proxy', 'node/store'],
    outside: nodeAny,
  },
  'node/dial': {
    may: ['core', 'node/config/address.ts', 'node/config/via.ts', 'node/pseudonym.ts', 'node/trust.ts'],
    outside: nodeAny,
  },
  'node/config': { may: ['core', 'config', 'node/log'], outside: nodeAny },
  'node/log': { may: ['core'], outside: nodeAny },
  'node/http': {
    may: ['core', 'node/buffer-pool.ts', 'node/version.ts'],
    types: ['node/metrics.ts', 'node/status.ts'],
    outside: nodeAny,
  },
  'node/store': { may: ['core', 'node/buffer-pool.ts'], outside: nodeAny },
  'node/proxy': {
    may: ['core', 'node/http', 'node/buffer-pool.ts', 'node/error-code.ts', 'node/trust.ts'],
    types: ['node/dial'],
    outside: nodeAny,
  },
  'node/clients': { may: ['core', 'node/whole-file.ts'], outside: nodeAny },
  'node/cli': {
    may: [
      'core',
      'config',
      'node/app.ts',
      'node/certificate.ts',
      'node/clients',
      'node/config',
      'node/log',
      'node/mac.ts',
      'node/sentry.ts',
      'node/proxy/authority.ts',
      'node/proxy/trust-store.ts',
      'node/service',
      'node/version.ts',
    ],
    outside: nodeAny,
  },
  'node/service': { may: ['core', 'config', 'node/config', 'node/whole-file.ts'], outside: nodeAny },
  'node/forward-proxy.ts': {
    may: ['core', 'node/config', 'node/proxy', 'node/pseudonym.ts'],
    types: ['node/serving.ts'],
    outside: nodeAny,
  },
  'node/app.ts': { may: ['core', 'config', 'node'], outside: nodeAny },
  worker: { may: ['core', 'config'], outside: 'packages' },
  dashboard: { may: [] },
};
