// What is deployed: small, free of Node, and the version that it says it is.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { version } from '../../src/worker/version.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const quiet = { CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true' };

for (const [entry, environment, most] of [
  ['mirror', '', 150_000],
  ['guard', 'guard', 50_000],
] as const) {
  test(`the bundle of the ${entry} has less than ${most / 1000} KB gzipped, and nothing of Node`, async (t) => {
    const out = await mkdtemp(join(tmpdir(), 'sampan-worker-'));
    t.after(() => rm(out, { recursive: true, force: true }));
    const wrangler = join(root, 'node_modules/.bin/wrangler');
    const args = ['deploy', '--dry-run', '--env', environment, '--outdir', out];
    await run(wrangler, args, { cwd: root, env: { ...process.env, ...quiet } });
    const bundle = await readFile(join(out, `${entry}.js`));
    const size = gzipSync(bundle).length;
    t.diagnostic(`${(size / 1000).toFixed(1)} KB gzipped`);
    assert.ok(size < most, `${size} bytes`);
    assert.doesNotMatch(bundle.toString(), /["']node:|unenv|\brequire\(/);
  });
}

test('it is of the version that the package is', async () => {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.equal(version, manifest.version);
});
