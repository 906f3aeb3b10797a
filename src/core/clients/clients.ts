// The clients that can be told where to pull from.
import { planBuildkit } from './buildkit.ts';
import { planContainerd } from './containerd.ts';
import { planDocker } from './docker.ts';
import { planK3s } from './k3s.ts';
import type { Client } from './plan.ts';
import { planPodman } from './podman.ts';

export const clients = {
  docker: planDocker,
  containerd: planContainerd,
  podman: planPodman,
  buildkit: planBuildkit,
  k3s: planK3s,
} as const satisfies Readonly<Record<string, Client>>;

export type ClientName = keyof typeof clients;
