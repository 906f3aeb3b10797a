// A registry with a private authority: that is believed where the configuration says so, and nowhere else.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';
import { makeAuthority } from '../../src/node/proxy/certificates.ts';
import { image } from '../fakes/registry/content.ts';
import { startPrivate } from './private.ts';
import { start } from './reloading.ts';

const endpoints = ['https://a.lan'];

async function begin(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-private-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const upstream = await startPrivate(t);
  const item = upstream.registry.hold('app', image(), 'latest');
  const ca = join(directory, 'ca.pem');
  await writeFile(ca, upstream.ca);
  const usual = { resolve: upstream.resolve, access: 'open', catalogue: false };
  return { ...upstream, file: ca, usual, blob: item.blobs[0]?.digest ?? '' };
}

const manifest = (registry: string) => `/v2/app/manifests/latest?ns=${registry}`;

describe('the authority of a registry', () => {
  test('is believed at its endpoint, at its pinned realm and where its redirects may lead', async (t) => {
    const { registry, file, usual, blob, greeted } = await begin(t);
    registry.levers.token = {};
    registry.levers.redirect = 'https://cdn.lan';
    const more = { realms: ['https://auth.lan/token'], redirects: ['https://cdn.lan'] };
    const { status } = await start(t, { ...usual, registries: { 'a.lan': { ca: file, ...more } } });
    assert.equal(await status(manifest('a.lan')), 200);
    assert.equal(await status(`/v2/app/blobs/${blob}?ns=a.lan`), 200);
    assert.deepEqual([...new Set(greeted)], ['a.lan', 'auth.lan', 'cdn.lan']);
  });

  test('is not believed where only the registry itself sends us', async (t) => {
    const { registry, file, usual, blob, greeted } = await begin(t);
    registry.levers.redirect = 'https://elsewhere.lan';
    const { get } = await start(t, { ...usual, registries: { 'a.lan': { ca: file } } });
    const answer = await get(`/v2/app/blobs/${blob}?ns=a.lan`);
    assert.equal(answer.statusCode, 503);
    assert.match(await text(answer), /elsewhere\.lan shows a certificate that is not believed/);
    assert.ok(!greeted.includes('elsewhere.lan'));
  });

  test('is not believed for another registry: not of its own host, and not over a connection that is there', async (t) => {
    const { file, usual, greeted } = await begin(t);
    const { get, status } = await start(t, {
      ...usual,
      registries: { 'a.lan': { ca: file }, 'other.lan': {}, 'third.lan': { endpoints } },
    });
    assert.equal(await status(manifest('a.lan')), 200);
    for (const [name, host] of [
      ['other.lan', 'other.lan'],
      ['third.lan', 'a.lan'],
    ] as const) {
      const answer = await get(manifest(name));
      assert.equal(answer.statusCode, 503);
      assert.match(
        await text(answer),
        new RegExp(`${host} shows a certificate that is not believed \\(UNABLE_TO_VERIFY`),
      );
    }
    assert.ok(greeted.every((name) => name === 'a.lan'));
    assert.equal(await status('/v2/app/manifests/latest?ns=a.lan'), 200);
  });

  test('that is another is told, and counts as soon as the configuration is read anew', async (t) => {
    const { file, ca, usual } = await begin(t);
    const settings = { ...usual, registries: { 'a.lan': { ca: file } } };
    await writeFile(file, makeAuthority(['lan'], Date.now()).certificate);
    const { get, status, reload, lines } = await start(t, settings);
    const answer = await get(manifest('a.lan'));
    assert.equal(answer.statusCode, 503);
    assert.match(await text(answer), /a\.lan shows a certificate that is not believed/);
    await writeFile(file, 'nothing');
    await reload(settings);
    assert.match(lines.at(-1) ?? '', /registries\.a\.lan\.ca: found no certificate in PEM in/);
    await writeFile(file, ca);
    await reload(settings);
    assert.match(lines.at(-1) ?? '', /changed registries\.a\.lan/);
    assert.equal(await status(manifest('a.lan')), 200);
  });
});
