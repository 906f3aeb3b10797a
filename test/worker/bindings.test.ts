// What Cloudflare lends the Worker counts under its own name; under another one it would be missed in silence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOf, type Lent, rateLimit, startEdge } from './edge.ts';

const bucket = { type: 'r2', name: 'blobs' } as const;
const variable = { type: 'json', value: { limit: 5 } } as const;

for (const [what, bound, said] of [
  ['a rate limit under another name', { LIMITS: rateLimit(5) }, [/LIMITS: found a rate limit, .* as LIMIT/]],
  ['a bucket under another name', { BUCKET: bucket }, [/BUCKET: found a bucket .* .* as BLOBS/]],
  ['a bucket as LIMIT', { LIMIT: bucket }, [/LIMIT: found something else than a rate limit/]],
  ['a variable as LIMIT', { LIMIT: variable }, [/LIMIT: found something else than a rate limit/]],
  ['a variable as BLOBS', { BLOBS: variable }, [/BLOBS: found something else than a bucket/]],
  ['each as the other', { LIMIT: bucket, BLOBS: rateLimit(5) }, [/LIMIT: found something/, /BLOBS: found something/]],
] as const satisfies readonly (readonly [string, Lent['bound'], readonly RegExp[]])[]) {
  test(`${what} is an error of the configuration, told among the others`, async (t) => {
    const edge = await startEdge({ access: 'open', data: '/x' }, { bound });
    t.after(() => edge.close());
    assert.equal((await edge.get('/')).status, 503);
    const refused = await edge.get('/v2/');
    assert.deepEqual([refused.status, errorOf(refused).code], [503, 'UNAVAILABLE']);
    for (const each of [...said, /data: found a key/]) await edge.logged(each);
  });
}

test('what is bound as it should be is none, and neither are variables of other names', async (t) => {
  const edge = await startEdge(
    { access: 'open' },
    {
      bucket: true,
      limit: 100,
      bound: {
        OTHER: variable,
        ITSELF: { type: 'worker', worker: 'sampan' },
        NOTHING: { type: 'json', value: null },
      },
    },
  );
  t.after(() => edge.close());
  assert.equal((await edge.get('/v2/')).status, 200);
});
