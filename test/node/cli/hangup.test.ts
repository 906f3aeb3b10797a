// SIGHUP as a terminal sends it when it is closed: sampan ends, and ends well.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { need } from '../../lab/need.ts';
import { freePort, knock } from '../../lab/process.ts';
import { Database } from '../../../src/node/store/sqlite.ts';

const launcher = fileURLToPath(new URL('../../../bin/sampan', import.meta.url));
const skip = process.platform === 'linux' ? need('script') : 'script is another program here';

test('whoever closes the terminal stops it, and the store is closed', { skip }, async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'sampan-terminal-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const port = await freePort('127.0.0.1');
  const command = `exec '${launcher}' serve --data '${data}' --listen 127.0.0.1:${port}`;
  const script = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(() => script.kill('SIGKILL'));
  await until(() => knock('127.0.0.1', port));
  script.kill('SIGKILL');
  await until(() => assert.rejects(knock('127.0.0.1', port), { code: 'ECONNREFUSED' }));
  await until(async () => {
    const book = new Database(join(data, 'book.sqlite'));
    const row = book.prepare('SELECT clean FROM stop').get();
    book.close();
    assert.equal(row?.['clean'], 1);
  });
});

/** Asks again until it does not throw: the test's own limit ends it. */
async function until(ask: () => Promise<unknown>): Promise<void> {
  while (
    !(await ask().then(
      () => true,
      () => false,
    ))
  ) {
    await setTimeout(20);
  }
}
