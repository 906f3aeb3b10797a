// A real app whose configuration a test gives anew.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { type App, startApp } from '../../src/node/app.ts';
import { readConfig } from '../../src/node/config/config.ts';
import { createLog } from '../../src/node/log/log.ts';

export interface Running {
  readonly app: App;
  readonly lines: readonly string[];
  reload(settings: Settings): Promise<void>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<http.IncomingMessage>;
  status(path: string, headers?: Readonly<Record<string, string>>): Promise<number | undefined>;
}

export type Settings = Readonly<Record<string, unknown>>;

export async function start(t: TestContext, settings: Settings): Promise<Running> {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-reload-'));
  const lines: string[] = [];
  const usual = { listen: '127.0.0.1:0', data: directory, stop_within: '0s', pull_ahead: 'off' };
  const read = (own: Settings) => {
    const entries = Object.entries({ ...usual, ...own });
    const environment = entries.map(([key, value]) => [`SAMPAN_${key.toUpperCase()}`, JSON.stringify(value)]);
    return readConfig({ flags: {}, environment: Object.fromEntries(environment), directory });
  };
  const config = await read(settings);
  const app = await startApp(config, createLog(config.log.level, { write: (line) => lines.push(line) }));
  // One connection at a time, kept alive.
  const agent = new http.Agent({ keepAlive: true });
  t.after(async () => {
    agent.destroy();
    await app.close();
    await rm(directory, { recursive: true, force: true });
  });
  const get: Running['get'] = async (path, headers = {}) => {
    const request = http.get(`http://${app.address}${path}`, { agent, headers });
    return ((await once(request, 'response')) as [http.IncomingMessage])[0];
  };
  async function status(path: string, headers?: Readonly<Record<string, string>>): Promise<number | undefined> {
    const response = await get(path, headers);
    await buffer(response);
    return response.statusCode;
  }
  return { app, lines, reload: (own) => app.reload(() => read(own)), get, status };
}
