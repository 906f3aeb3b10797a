// Many clients of a registry that counts: no manifest is fetched twice, and what it does not let through is told as it is.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image, index, layerOf } from '../fakes/registry/content.ts';
import { pullRaw } from './clients/raw.ts';
import { type Distribution, startDistribution } from './distribution.ts';
import { temporary } from './lab.ts';
import { startLimited } from './limited.ts';
import { need } from './need.ts';
import { push } from './push.ts';
import { startSampan } from './sampan.ts';

const tags = Array.from({ length: 10 }, (_, at) => `v${at}`);
const clients = 20;

describe('a registry that counts GETs of manifests', { skip: need('docker-registry') }, () => {
  let directory: string;
  let registry: Distribution;
  before(async () => {
    directory = await temporary();
    registry = await startDistribution(directory, join(directory, 'storage'));
    for (const [at, tag] of tags.entries()) {
      const single = image({ layers: [layerOf(randomBytes(at, 50_000))] });
      await push(registry.url, 'library/single', single, tag);
      await push(registry.url, 'library/multi', index([single]), tag);
    }
    await push(registry.url, 'library/other', image(), 'latest');
  });
  after(async () => {
    await registry?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function behind(t: TestContext, limit: number) {
    const limited = await startLimited(registry.url, limit);
    const sampan = await startSampan(directory, { 'docker.io': { endpoints: [limited.url] } });
    t.after(async () => {
      await sampan.stop();
      await limited.close();
    });
    return { limited, sampan };
  }

  for (const [what, repository, limit] of [
    ['10 tags of one platform', 'library/single', 10],
    ['10 tags of two levels', 'library/multi', 20],
  ] as const) {
    test(`lets 20 clients pull ${what} 200 times for ${limit} of them`, async (t) => {
      const { limited, sampan } = await behind(t, limit);
      const pullAll = async (client: number) => {
        // Each begins with another one.
        for (let at = 0; at < tags.length; at++) {
          await pullRaw(sampan.url, repository, tags[(client + at) % tags.length]!);
        }
      };
      await Promise.all(Array.from({ length: clients }, (_, client) => pullAll(client)));
      assert.deepEqual(limited.counted, { passed: limit, refused: 0 });

      const [told] = ((await (await fetch(`${sampan.url}/_sampan/status.json`)).json()) as Status).budgets;
      assert.deepEqual(
        [told?.account, told?.limit, told?.remaining, told?.source],
        ['anonymous', limit, 0, '203.0.113.7'],
      );
      const metrics = await (await fetch(`${sampan.url}/metrics`)).text();
      assert.match(metrics, /^sampan_upstream_budget_remaining\{registry="docker.io",credential="anonymous"\} 0$/m);

      // Nothing is left: who wants something new hears so, without the registry's being asked in vain.
      const refused = await fetch(`${sampan.url}/v2/library/other/manifests/latest`);
      assert.equal(refused.status, 429);
      assert.ok(Number(refused.headers.get('retry-after')) > 0);
      assert.match(await refused.text(), /it counts the requests of 203\.0\.113\.7/);
      assert.deepEqual(limited.counted, { passed: limit, refused: 0 });
    });
  }
});

interface Status {
  readonly budgets: readonly {
    readonly account: string;
    readonly limit: number;
    readonly remaining: number;
    readonly source: string;
  }[];
}
