// The well-known public registries: where they are asked and where their tokens come from.
import { hostsOf } from './hosts.ts';
import type { Allowed } from './limits.ts';
import type { Registry } from './registries.ts';

export interface CatalogueEntry extends Registry {
  /** When somebody last looked, and where. `unverified`: known from hearsay, or from documents that may be old. */
  readonly asOf: string;
  readonly source: string;
}

/** Where registry.k8s.io has buckets: cmd/archeio/internal/app/buckets.go of 2026-08-06. */
const kubernetesRegions = [
  'af-south-1',
  'ap-east-1',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-south-2',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-central-1',
  'ca-west-1',
  'eu-central-1',
  'eu-central-2',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-3',
  'il-central-1',
  'me-central-1',
  'mx-central-1',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
];

/** What the domain rule of realm.ts allows anyway is pinned too: a pin says what to expect. */
export const catalogue: readonly CatalogueEntry[] = [
  entry('docker.io', '2026-11-20', "docker/docs, allow-list; moby's registry configuration", {
    aliases: ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'],
    endpoints: ['https://registry-1.docker.io'],
    realms: ['https://auth.docker.io/token'],
    // docs.docker.com/docker-hub/usage/pulls (2026-11-20): counted are GETs of manifests, for each IPv4 address, IPv6 /64 or account.
    limits: { freeHeads: true, anonymous: inSixHours(100), account: inSixHours(200) },
    // docker/docs#25108 (2026-05-19); #25304 (2026-06-08) took those of Cloudflare off that list.
    cdns: [
      'production.cloudfront.docker.com',
      'production.cloudflare.docker.com',
      'docker-images-prod.s3.dualstack.us-east-1.amazonaws.com', // seen by others on 2026-07-09; unverified
      'docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com',
    ],
  }),
  entry('ghcr.io', '2026-11-20', 'docs.github.com, container registry', {
    realms: ['https://ghcr.io/token'],
    cdns: ['pkg-containers.githubusercontent.com'],
  }),
  entry('quay.io', '2026-11-20', "realm unverified; Red Hat's documents name cdn and cdn01 to cdn06", {
    realms: ['https://quay.io/v2/auth'],
    cdns: ['*.quay.io'],
  }),
  entry('gcr.io', '2026-11-20', 'realm unverified', { realms: ['https://gcr.io/v2/token'] }),
  entry('*.gcr.io', '2026-11-20', 'realm unverified', { realms: ['https://{host}/v2/token'] }),
  entry('*.pkg.dev', '2026-11-20', 'realm unverified', { realms: ['https://{host}/v2/token'] }),
  // To *.pkg.dev, or for layers to buckets of its own.
  entry('registry.k8s.io', '2026-11-20', 'kubernetes/registry.k8s.io, cmd/archeio: no token, redirects everything', {
    cdns: kubernetesRegions.map((region) => `prod-registry-k8s-io-${region}.s3.dualstack.${region}.amazonaws.com`),
  }),
  entry('mcr.microsoft.com', '2026-11-20', 'microsoft/containerregistry; that it wants no token is unverified', {
    cdns: ['*.data.mcr.microsoft.com'],
  }),
  // The hosts of its layers were seen by others: docker/sbx-releases#525 (2026-08-28).
  entry('public.ecr.aws', '2026-11-20', 'realm, hosts of layers and limit unverified', {
    realms: ['https://public.ecr.aws/token/'],
    limits: { anonymous: { limit: 1, window: 1000 } },
    cdns: ['d2glxqk2uabbnd.cloudfront.net', 'd5l0dvt14r5h8.cloudfront.net'],
  }),
  // To whoever shows an old token it names authn.nvidia.com, where nobody gets one without a login: not pinned on purpose.
  entry('nvcr.io', '2026-11-20', 'sapcc/keppel#731, NVIDIA/nvidia-container-toolkit#1945', {
    realms: ['https://nvcr.io/proxy_auth'],
    cdns: ['layers.nvcr.io'], // unverified
  }),
  entry('registry.gitlab.com', '2026-11-20', 'docs.gitlab.com, token authentication', {
    realms: ['https://gitlab.com/jwt/auth'],
    cdns: ['cdn.registry.gitlab-static.net'], // rpardini/docker-registry-proxy's list; unverified
  }),
  entry('docker.elastic.co', '2026-11-20', 'hashicorp/terraform-provider-docker#243 (2020)', {
    realms: ['https://docker-auth.elastic.co/auth'],
  }),
];

function inSixHours(limit: number): Allowed {
  return { limit, window: 6 * 3_600_000 };
}

function entry(name: string, asOf: string, source: string, more: Partial<Registry> = {}): CatalogueEntry {
  const host = name.startsWith('*') ? '{host}' : name;
  const { cdns = [], realms = [] } = more;
  return {
    name,
    aliases: [],
    endpoints: [`https://${host}`],
    mirrors: [],
    realms,
    redirects: [],
    ...more,
    // Clients go to the token service whatever endpoints the mirror asks.
    cdns: [...cdns, ...hostsOf(realms, name)],
    asOf,
    source,
  };
}
