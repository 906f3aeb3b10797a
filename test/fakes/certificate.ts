// Certificates of a test's own for TLS on the loopback, that this process then believes.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { run } from '../lab/process.ts';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** For 127.0.0.1 and these names. Needs openssl. */
export async function believedCertificate(...names: readonly string[]): Promise<Certificate> {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-certificate-'));
  const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const alternatives = ['IP:127.0.0.1', ...names.map((name) => `DNS:${name}`)].join(',');
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const about = ['-subj', '/CN=test', '-addext', `subjectAltName=${alternatives}`, '-days', '2', '-out', certFile];
  try {
    await run('openssl', ['req', '-x509', ...curve, ...about], { directory });
    const [key, cert] = [await readFile(keyFile, 'utf8'), await readFile(certFile, 'utf8')];
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), cert]);
    return { key, cert };
  } finally {
    await rm(directory, { recursive: true });
  }
}
