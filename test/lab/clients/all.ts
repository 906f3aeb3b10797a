// The clients that people pull with.
import { buildah, podman, skopeo } from './containers.ts';
import type { Client } from './client.ts';
import { containerd } from './containerd.ts';
import { docker } from './docker.ts';

export const clients: readonly Client[] = [docker, containerd, podman, buildah, skopeo];
