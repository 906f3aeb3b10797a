// Many logins in one isolate at once: each is shown to its own registry, and opens what it opens there to its owner alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic, challengeIn, key, tokenIn } from '../conformance/door.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { patient, startEdge } from './edge.ts';

const crowd = 200;
const visitors = ['user', 'other', 'nobody'] as const;

test('200 clients of different registries at once, with logins and without, do not mix', async (t) => {
  const registries = await Promise.all(Array.from({ length: 4 }, startRegistry));
  const items = registries.map((registry, at) => {
    const [open, secret] = ['public', 'secret'].map((name) =>
      registry.hold(`same/${name}`, image({ layers: [layerOf(Buffer.alloc(5000, `${name} of ${at}`))] }), 'latest'),
    );
    const logins = { [`user${at}:swordfish`]: ['same/secret'], [`other${at}:swordfish`]: [] };
    registry.levers.token = { expiresIn: 300, private: ['same/secret'], logins, mark: `r${at}` };
    return { open: open!, secret: secret! };
  });
  const names = registries.map((_, at) => `r${at}.example`);
  const settings = {
    key,
    access: 'open',
    catalogue: false,
    hosts: Object.fromEntries(names.map((name) => [`at.${name}`, name])),
    registries: Object.fromEntries(names.map((name, at) => [name, { endpoints: [registries[at]!.url], login: 'own' }])),
  };
  const edge = await startEdge(settings, { before: patient });
  t.after(() => Promise.all([edge.close(), ...registries.map((registry) => registry.down())]));

  await Promise.all(
    Array.from({ length: crowd }, async (_, at) => {
      const which = at % registries.length;
      const visitor = visitors[Math.floor(at / registries.length) % visitors.length]!;
      const host = `at.r${which}.example`;
      const name = visitor === 'nobody' ? 'public' : 'secret';
      const login: Record<string, string> = visitor === 'nobody' ? {} : { authorization: basic(`${visitor}${which}`) };
      const scope = `/token?service=r${which}.example&scope=repository:same/${name}:pull`;
      const authorization = tokenIn(await edge.get(scope, { host, ...login }));
      const { open, secret } = items[which]!;
      const item = visitor === 'nobody' ? open : secret;
      const layer = item.blobs[1]!;
      const manifest = await edge.get(`/v2/same/${name}/manifests/latest`, { host, authorization });
      const blob = await edge.get(`/v2/same/${name}/blobs/${layer.digest}`, { host, authorization });
      if (visitor === 'other') {
        for (const refused of [manifest, blob]) {
          assert.equal(refused.status, 401);
          assert.match(challengeIn(refused), new RegExp(`^Bearer realm="http://${host}/token",service="r${which}`));
        }
      } else {
        assert.deepEqual([manifest.status, manifest.body], [200, item.body]);
        assert.deepEqual([blob.status, blob.body], [200, Buffer.alloc(5000, `${name} of ${which}`)]);
      }
    }),
  );
  for (const [at, { log }] of registries.entries()) {
    const own = new RegExp(`^Bearer r${at}token-\\d+$`);
    const logins = new Set([basic(`user${at}`), basic(`other${at}`)]);
    const shown = log.flatMap(({ path, headers }) =>
      headers.authorization ? [[path, headers.authorization] as const] : [],
    );
    assert.ok(shown.length > crowd / registries.length);
    for (const [path, authorization] of shown) {
      assert.ok(path === '/token' ? logins.has(authorization) : own.test(authorization), `${path}: ${authorization}`);
    }
  }
});
