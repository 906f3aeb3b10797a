// Debian's docker-registry as a pull-through cache.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { need } from '../../test/lab/need.ts';
import { freePort, knock, Running } from '../../test/lab/process.ts';
import type { Kind } from './server.ts';

export const registryCache: Kind = {
  name: 'registry',
  peer: true,
  missing: need('docker-registry') || undefined,
  async start(directory, upstream) {
    const port = await freePort('127.0.0.1');
    const file = join(directory, 'registry.json');
    // YAML, as JSON is.
    const configuration = {
      version: '0.1',
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, 'registry') }, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${port}`, secret: 'bench' },
      proxy: { remoteurl: upstream },
    };
    await writeFile(file, JSON.stringify(configuration));
    const running = new Running('docker-registry', ['serve', file], { directory });
    await running.until('connection', () => knock('127.0.0.1', port));
    return { url: `http://127.0.0.1:${port}`, pid: running.pid, stop: () => running.stop() };
  },
};
