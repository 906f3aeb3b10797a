// The real app as a face for the tables of conformance, configured from a file.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { startApp } from '../../src/node/app.ts';
import { readConfig } from '../../src/node/config/config.ts';
import { createLog } from '../../src/node/log/log.ts';
import type { Settings } from '../conformance/door.ts';
import type { ReachableFace } from '../conformance/chain.ts';

export interface AppFace extends ReachableFace {
  reload(): Promise<void>;
}

/** `lines`: where its log goes. */
export async function openApp(settings: Settings, lines: string[] = []): Promise<AppFace> {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-door-'));
  await writeFile(
    join(directory, 'sampan.yaml'),
    JSON.stringify({ listen: '127.0.0.1:0', stop_within: '0s', ...settings }),
  );
  const read = () => readConfig({ flags: { config: 'sampan.yaml' }, environment: {}, directory });
  const app = await startApp(await read(), createLog('debug', { write: (line) => lines.push(line) }));
  const port = Number(app.address.split(':').at(-1));
  return {
    origin: `http://127.0.0.1:${port}`,
    async request({ method = 'GET', target, headers = {}, body }) {
      const request = http.request({ host: '127.0.0.1', port, path: target, method, headers, agent: false }).end(body);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) };
    },
    reload: () => app.reload(read),
    async close() {
      await app.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
