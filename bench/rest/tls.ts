// The same blob over TLS, with the same certificate.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Bench, Scenario } from '../bench.ts';
import { need } from '../../test/lab/need.ts';
import { run } from '../../test/lab/process.ts';
import { cache, type Certificate, files, sampan } from './kinds.ts';
import { throughput } from './throughput.ts';

export const tls: Scenario = async (bench) => {
  const missing = need('openssl');
  if (missing !== false) {
    bench.say(`left out tls: ${missing}`);
    return [];
  }
  const certificate = await makeCertificate(bench);
  const found = [];
  for (const clients of [1, 8]) {
    const figures = await throughput(bench, {
      name: `over TLS, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
      kinds: [sampan, cache, files],
      clients,
      times: clients === 1 ? 4 : 1,
      rounds: bench.quick ? 1 : 3,
      tls: certificate,
      rate: { against: 'nginx', goal: { of: 'ratio', least: 0.8 }, also: { against: 'registry' } },
      cpu: { against: 'nginx' },
    });
    found.push(...figures);
  }
  return found;
};

/** This process trusts it from now on: it asks whether the servers are there. */
async function makeCertificate({ directory }: Bench): Promise<Certificate> {
  const [certificate, key] = [join(directory, 'bench.pem'), join(directory, 'bench-key.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const name = ['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', certificate, ...name], { directory });
  setDefaultCACertificates([...getCACertificates('default'), await readFile(certificate, 'utf8')]);
  return { certificate, key };
}
