// What has to be loaded before the first answer, and what has not.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const inside = process.argv[2] === 'inside';

/** Of a process that has all that serves what is here: which clients for HTTP are in it. */
async function clientsLoaded(): Promise<readonly string[]> {
  await Promise.all(
    ['cli/serve', 'serving', 'http/server', 'metrics'].map((file) => import(`../../src/node/${file}.ts`)),
  );
  const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };
  const packages = Object.keys(createRequire(import.meta.url).cache);
  return [...moduleLoadList, ...packages].filter((name) => name.includes('undici'));
}

if (inside) {
  process.stdout.write(JSON.stringify(await clientsLoaded()));
} else {
  test('who serves what is here has loaded no client for HTTP: neither ours nor the one that Node brings', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), 'inside']);
    assert.deepEqual(JSON.parse(stdout), []);
  });
}
