// The well-known public registries: where they are asked and where their tokens come from.
import type { Registry } from './registries.ts';

export interface CatalogueEntry extends Registry {
  /** When somebody last looked, and where. `unverified`: known from hearsay, or from documents that may be old. */
  readonly asOf: string;
  readonly source: string;
}

/** What the domain rule of realm.ts allows anyway is pinned too: a pin says what to expect. */
export const catalogue: readonly CatalogueEntry[] = [
  entry('docker.io', '2026-11-20', "docker/docs, allow-list; moby's registry configuration", {
    aliases: ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'],
    endpoints: ['https://registry-1.docker.io'],
    realms: ['https://auth.docker.io/token'],
  }),
  entry('ghcr.io', '2026-11-20', 'docs.github.com, container registry', { realms: ['https://ghcr.io/token'] }),
  entry('quay.io', '2026-11-20', 'realm unverified', { realms: ['https://quay.io/v2/auth'] }),
  entry('gcr.io', '2026-11-20', 'realm unverified', { realms: ['https://gcr.io/v2/token'] }),
  entry('*.gcr.io', '2026-11-20', 'realm unverified', { realms: ['https://{host}/v2/token'] }),
  entry('*.pkg.dev', '2026-11-20', 'realm unverified', { realms: ['https://{host}/v2/token'] }),
  entry('registry.k8s.io', '2026-11-20', 'kubernetes/registry.k8s.io, cmd/archeio: no token, redirects everything'),
  entry('mcr.microsoft.com', '2026-11-20', 'microsoft/containerregistry; that it wants no token is unverified'),
  entry('public.ecr.aws', '2026-11-20', 'realm unverified', { realms: ['https://public.ecr.aws/token/'] }),
  // To whoever shows an old token it names authn.nvidia.com, where nobody gets one without a login: not pinned on purpose.
  entry('nvcr.io', '2026-11-20', 'sapcc/keppel#731, NVIDIA/nvidia-container-toolkit#1945', {
    realms: ['https://nvcr.io/proxy_auth'],
  }),
  entry('registry.gitlab.com', '2026-11-20', 'docs.gitlab.com, token authentication', {
    realms: ['https://gitlab.com/jwt/auth'],
  }),
  entry('docker.elastic.co', '2026-11-20', 'hashicorp/terraform-provider-docker#243 (2020)', {
    realms: ['https://docker-auth.elastic.co/auth'],
  }),
];

function entry(name: string, asOf: string, source: string, more: Partial<Registry> = {}): CatalogueEntry {
  const host = name.startsWith('*') ? '{host}' : name;
  return {
    name,
    aliases: [],
    endpoints: [`https://${host}`],
    mirrors: [],
    realms: [],
    redirects: [],
    ...more,
    asOf,
    source,
  };
}
