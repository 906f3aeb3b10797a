// Real clients pull by https from sampan's own listener, whose certificate they have been told to trust.
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setDefaultCACertificates } from 'node:tls';
import { makePair, type Pair } from '../node/pair.ts';
import { clients } from './clients/all.ts';
import { docker } from './clients/docker.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';
import { type Sampan, startSampan } from './sampan.ts';

describe('a pull by https', { skip: need(...parts, 'openssl') }, () => {
  let lab: Lab;
  let pair: Pair;
  let trust: string;
  let others: string;

  before(async () => {
    lab = await startLab();
    pair = makePair(lab.directory, 'sampan');
    trust = join(lab.directory, 'trust');
    await mkdir(trust);
    await copyFile(pair.certificate, join(trust, 'ca.crt'));
    others = join(lab.directory, 'others');
    await mkdir(others);
    await copyFile(makePair(lab.directory, 'other').certificate, join(others, 'ca.crt'));
    setDefaultCACertificates([pair.ca]);
  });
  after(() => lab?.close());

  for (const client of clients) {
    describe(`with ${client.name}`, { skip: need(...client.needs) }, () => {
      let sampan: Sampan;
      before(async () => {
        const tls = { certificate: pair.certificate, key: pair.key };
        sampan = await startSampan(lab.directory, lab.registries, { tls });
      });
      after(() => sampan?.stop());

      test('gets the image, and says nothing in plain HTTP', async () => {
        const directory = await mkdtemp(join(lab.directory, `${client.name}-`));
        const mirror = { address: new URL(sampan.url).host, prefix: 'docker.io/', trust };
        const { digests } = await client.pull('library/multi:latest', mirror, directory);
        assert.ok(digests.includes(lab.digests.multi));
        const status = await fetch(`${sampan.url}/_sampan/status.json`);
        const { pulls } = (await status.json()) as { pulls: { total: number; byTls: Record<string, number> } };
        assert.ok(pulls.total > 0);
        assert.equal(pulls.byTls['TLSv1.3'], pulls.total);
      });

      // dockerd trusts whatever is on the loopback.
      if (client !== docker) {
        test('gets nothing from a sampan that it has not been told to trust', async () => {
          const directory = await mkdtemp(join(lab.directory, `${client.name}-`));
          const mirror = { address: new URL(sampan.url).host, prefix: 'docker.io/', trust: others };
          await assert.rejects(client.pull('library/multi:latest', mirror, directory));
        });
      }
    });
  }
});
