// `sampan serve` that is told to stop while Sentry has not answered yet waits for it, and only then ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { image } from '../../fakes/registry/content.ts';
import { startRegistry } from '../../fakes/registry/registry.ts';
import { startSentry } from '../../fakes/sentry.ts';
import { temporary } from '../pair.ts';

const launcher = fileURLToPath(new URL('../../../bin/sampan', import.meta.url));

/** Nothing of what comes from a registry can be looked at, which nobody expects. */
const broken = `import crypto from 'node:crypto';
  import { syncBuiltinESMExports } from 'node:module';
  crypto.createHash = () => { throw new TypeError('a bug of the test'); };
  syncBuiltinESMExports();`;

test('who stops it while Sentry has not answered yet waits for that', async (t) => {
  const [hub, sentry, data] = [await startRegistry(), await startSentry(), temporary(t)];
  t.after(() => Promise.all([hub.down(), sentry.close()]));
  hub.hold('library/alpine', image(), 'latest');
  sentry.answer = 'never';
  const env = {
    PATH: process.env['PATH'],
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(broken)}`,
    SAMPAN_SENTRY_DSN: sentry.dsn,
    SAMPAN_CATALOGUE: 'false',
    SAMPAN_REGISTRIES: JSON.stringify({ 'docker.io': { endpoints: [hub.url] } }),
  };
  const args = ['serve', '--data', data, '--listen', '127.0.0.1:0'];
  const child = spawn(launcher, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit').then(([code]) => `ended with ${String(code)}`);
  t.after(() => child.kill('SIGKILL'));
  const [first] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { address } = JSON.parse(first) as { address: string };

  assert.ok(existsSync(join(data, 'book.sqlite-wal')));
  assert.equal((await fetch(`http://${address}/v2/library/alpine/manifests/latest`)).status, 500);
  await sentry.until(1);
  child.kill('SIGTERM');
  // SQLite takes this away when the book is closed. Then there is nothing left to do but to wait for Sentry.
  while (existsSync(join(data, 'book.sqlite-wal'))) await setTimeout(5);
  assert.equal(await Promise.race([exit, setTimeout(200, 'waits')]), 'waits');
  sentry.hangUp();
  assert.equal(await exit, 'ended with 0');
});
