// Pulls from where DNS is poisoned or the way out leads through a proxy: sampan between a client and a registry that only those know.
import assert from 'node:assert/strict';
import { chmod, rm } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { startApp } from '../../src/node/app.ts';
import { readConfig } from '../../src/node/config/config.ts';
import { createLog } from '../../src/node/log/log.ts';
import { believedCertificate } from '../fakes/certificate.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { image } from '../fakes/registry/content.ts';
import { startResolver } from '../fakes/resolver.ts';
import { startSocks } from '../fakes/socks.ts';
import { pullRaw } from './clients/raw.ts';
import { type Lab, parts, startLab, temporary } from './lab.ts';
import { need } from './need.ts';
import { startSampan } from './sampan.ts';
import { type Squid, startSquid } from './squid.ts';

describe('through squid, which alone knows the registry', { skip: need(...parts, 'squid') }, () => {
  let lab: Lab;
  let squid: Squid;
  let directory: string;
  before(async () => {
    lab = await startLab();
    directory = await temporary();
    await chmod(directory, 0o711);
    const login = { user: 'me', password: 'sword/f@sh' };
    squid = await startSquid(directory, { names: { 'registry.test': '127.0.0.1' }, login });
  });
  after(async () => {
    await squid?.stop();
    await lab?.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** The lab's registry by a name that the system does not know. */
  function named() {
    const { port } = new URL(lab.upstream.url);
    return { 'docker.io': { ...lab.registries['docker.io'], endpoints: [`http://registry.test:${port}`] } };
  }

  test('an image is pulled: registry, token service and CDN are all reached through it', async () => {
    const via = `http://me:sword%2Ff%40sh@${squid.address}`;
    const sampan = await startSampan(directory, named(), { via, log: { level: 'debug' } });
    const [digest] = await pullRaw(sampan.url, 'library/multi', 'latest');
    await sampan.stop();
    assert.equal(digest, lab.digests.multi);
    const hosts = new Set((await squid.tunnels()).map((each) => each.replace(/^CONNECT (\S+) 200$/, '$1')));
    const wanted = ['registry.test', '127.0.0.1', '127.0.0.2'].map((host, at) => {
      const url = [lab.upstream.url, lab.tokens.realm, lab.cdn.url][at] ?? '';
      return `${host}:${new URL(url).port}`;
    });
    assert.deepEqual([...hosts].toSorted(), wanted.toSorted());
    assert.ok(!/sword|me:/.test(sampan.output), sampan.output);
  });

  test('with a wrong login nothing is pulled, and the log says why without the login', async () => {
    const via = `http://me:swordfish@${squid.address}`;
    const sampan = await startSampan(directory, named(), { via, log: { level: 'debug' } });
    await assert.rejects(pullRaw(sampan.url, 'library/multi', 'latest'), { status: 503 });
    await sampan.stop();
    const why = `http://${squid.address} gives no connection to registry.test: it refuses the login (407)`;
    assert.ok(sampan.output.includes(why), sampan.output);
    assert.ok(!sampan.output.includes('swordfish'), sampan.output);
  });
});

describe('a whole pull in this process', { skip: need('openssl') }, () => {
  for (const way of ['dns', 'via'] as const) {
    test(`by a name that only ${way === 'dns' ? 'the resolver over HTTPS' : 'a SOCKS5 proxy'} knows`, async (t) => {
      const registry = await startRegistry();
      t.after(() => registry.down());
      const item = image();
      registry.hold('library/a', item, 'latest');
      const [resolver, socks] = [await startResolver(await believedCertificate()), await startSocks()];
      t.after(() => Promise.all([resolver.down(), socks.down()]));
      resolver.entries['registry.test'] = { A: ['127.0.0.1'] };
      socks.names['registry.test'] = '127.0.0.1';

      const data = await temporary();
      const endpoint = `http://registry.test:${new URL(registry.url).port}`;
      const environment = {
        SAMPAN_LISTEN: '127.0.0.1:0',
        SAMPAN_DATA: data,
        SAMPAN_STOP_WITHIN: '0s',
        SAMPAN_REGISTRIES: `docker.io: { endpoints: ["${endpoint}"] }`,
        ...(way === 'dns' ? { SAMPAN_DNS: resolver.url } : { SAMPAN_VIA: `socks5://127.0.0.1:${socks.port}` }),
      };
      const config = await readConfig({ flags: {}, environment, directory: data });
      const app = await startApp(config, createLog('info', { write: () => {} }));
      t.after(async () => {
        await app.close();
        await rm(data, { recursive: true, force: true });
      });
      assert.equal((await pullRaw(`http://${app.address}`, 'library/a', 'latest'))[0], item.digest);
      const asked = way === 'dns' ? resolver.asked : socks.asked;
      assert.ok(asked.every((each) => each.includes(' registry.test')) && asked.length > 0, asked.join());
      assert.deepEqual(way === 'dns' ? socks.asked : resolver.asked, []);
    });
  }
});
