// The servers that are compared, direct first: each started anew for each measurement.
import { need } from '../../test/lab/need.ts';
import { startSampan } from '../../test/lab/sampan.ts';
import { nginx, nginxSlice } from './nginx.ts';
import { registryCache } from './registry-cache.ts';
import type { Kind } from './server.ts';

const direct: Kind = {
  name: 'direct',
  peer: false,
  missing: need('docker-registry') || undefined,
  start: async (_, upstream) => ({ url: upstream, pid: undefined, stop: async () => {} }),
};

const sampan: Kind = {
  name: 'sampan',
  peer: false,
  missing: undefined,
  start: (directory, upstream) =>
    startSampan(directory, { 'docker.io': { endpoints: [upstream] } }, { log: { level: 'error' }, stop_within: '1s' }),
};

export const kinds: readonly Kind[] = [direct, sampan, registryCache, nginx, nginxSlice];
