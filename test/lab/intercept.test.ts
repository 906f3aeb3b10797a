// Real clients without a mirror, behind an intercepting proxy: what they pull comes from here the second time.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { outwardClients } from './clients/outward.ts';
import { type Intercepted, startIntercepted } from './intercepted.ts';
import { parts } from './lab.ts';
import { need } from './need.ts';
import { run } from './process.ts';
import { hub } from './secure.ts';

const image = 'library/multi:latest';

describe('behind an intercepting proxy', { skip: need(...parts) }, () => {
  let at: Intercepted;

  before(async () => {
    at = await startIntercepted();
  });
  after(() => at?.close());

  for (const client of outwardClients) {
    const skip = need(...client.needs);
    test(`${client.name} pulls, and the second time no layer leaves the registry`, { skip }, async () => {
      const { lab, secure, sampan } = at;
      await client.use(at.way, undefined, await at.directory(), async ({ pull, remove }) => {
        assert.ok((await pull(image)).includes(lab.digests.multi));
        await remove(image);
        await secure.forget();
        assert.ok((await pull(image)).includes(lab.digests.multi));
      });
      assert.deepEqual(await lab.cdn.accesses(), []);
      const asked = await secure.upstream.accesses();
      assert.ok(
        asked.every(({ path }) => !path.includes('/blobs/')),
        JSON.stringify(asked),
      );
      assert.match(sampan.output, new RegExp(`"how":"intercept","address":"127.0.0.1","host":"${hub}"`));
    });
  }

  for (const version of ['-tls1_2', '-tls1_3']) {
    test(`openssl trusts it with ${version}`, async () => {
      const through = ['-proxy', new URL(at.proxy).host, '-connect', `${hub}:443`, '-servername', hub];
      const strict = ['-CAfile', at.authority, '-verify_return_error', '-verify_hostname', hub];
      const args = ['s_client', ...through, ...strict, version, '-alpn', 'h2,http/1.1'];
      const told = await run('openssl', args, { directory: at.lab.directory });
      assert.match(told, /Verify return code: 0 \(ok\)/);
      assert.match(told, /ALPN protocol: http\/1\.1/);
    });
  }
});
