// An endpoint with an account's secret in its URL: which of its answers count as given to anybody, and that nobody is shown it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecret } from '../../../src/core/access/secret.ts';
import { anonymous, ours, oursOfPublic } from '../../../src/core/access/caller.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { parseTag } from '../../../src/core/oci/reference.ts';
import { bench, manifestDigest, repository, send, sendManifest, serve, signal } from './bench.ts';

const secret = createSecret(new Uint8Array(16).fill(3));
const latest = { repository, target: parseTag('latest') };

for (const [says, isPublic] of [
  ['sampan; hit', true],
  ['sampan; hit; detail=stale', true],
  ['sampan; fwd=miss; stored', true],
  ['sampan; fwd=miss, proxy.example; fwd=uri-miss', true],
  ['sampan; fwd=bypass', false],
  ['sampan; fwd=bypass; detail=kept', false],
  ['sampan; fwd=bypass, proxy.example; hit', false],
  ['proxy.example; hit', false],
  [undefined, false],
] as const) {
  test(`one that says ${says ?? 'nothing of where it is from'} counts as ${isPublic ? 'public' : 'that account’s'}`, async () => {
    const origin = await serve((request, response) =>
      sendManifest(request, response, says === undefined ? {} : { 'cache-status': says }),
    );
    const { upstream } = bench({ endpoints: [`${origin.url}/${secret}/docker.io`] });
    for (const as of [anonymous, oursOfPublic, { authorization: 'Bearer of-a-client' }]) {
      for (const ask of [upstream.resolve, upstream.manifest]) {
        const answer = ask(latest, as, signal);
        if (isPublic) assert.ok(await answer);
        else await assert.rejects(answer, { code: 'DENIED' });
      }
    }
    assert.ok(await upstream.manifest(latest, ours, signal), 'what we ask in our own name proves nothing');
  });
}

test('one that is limited in what it asks for anybody has not said that it is not public: another one is asked', async () => {
  const limited = await serve((request, response) =>
    sendManifest(request, response, { 'cache-status': 'sampan; fwd=bypass; detail=limited' }),
  );
  const endpoint = `${limited.url}/${secret}/docker.io`;
  await assert.rejects(bench({ endpoints: [endpoint] }).upstream.resolve(latest, anonymous, signal), { status: 429 });
  assert.ok(await bench({ endpoints: [endpoint] }).upstream.manifest(latest, ours, signal));
  const other = await serve(sendManifest);
  assert.ok(await bench({ endpoints: [endpoint, other.url] }).upstream.resolve(latest, anonymous, signal));
});

test('its challenge, which has the secret in it, is not passed on', async () => {
  const origin = await serve((_request, response) => {
    const challenge = `Bearer realm="${origin.url}/${secret}/token",service="docker.io",scope="repository:a/b:pull"`;
    send(response, 401, { 'www-authenticate': challenge });
  });
  const { upstream } = bench({ endpoints: [`${origin.url}/${secret}/docker.io`] });
  await assert.rejects(upstream.manifest(latest, { authorization: 'Bearer of-a-client' }, signal), (error) => {
    assert.ok(error instanceof RegistryError);
    assert.deepEqual([error.status, error.headers], [401, {}]);
    return true;
  });
});

test('a mirror’s bytes do not count either, if they are for that account', async () => {
  const origin = await serve((request, response) =>
    sendManifest(request, response, { 'cache-status': 'sampan; fwd=bypass' }),
  );
  const down = await serve((_request, response) => response.destroy());
  const { upstream } = bench({ endpoints: [down.url], mirrors: [`${origin.url}/${secret}/docker.io`] });
  await assert.rejects(upstream.manifest({ repository, target: manifestDigest }, anonymous, signal), { status: 503 });
});
