// Certificates for tests, made by openssl in a directory that goes away: each is its own authority.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Pair {
  /** Files in PEM. */
  readonly certificate: string;
  readonly key: string;
  /** What a client trusts who trusts this one. */
  readonly ca: Buffer;
}

export function temporary(t: Pick<TestContext, 'after'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-tls-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** For 127.0.0.1 and localhost, in `directory`. `name`: also the subject, by which tests tell one from another. */
export function makePair(directory: string, name: string): Pair {
  const [certificate, key] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
  const own = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
  const args = ['req', '-x509', ...own, '-keyout', key, '-out', certificate, '-subj', `/CN=${name}`, '-addext', names];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return { certificate, key, ca: readFileSync(certificate) };
}
