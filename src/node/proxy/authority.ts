// The authority that intercepted connections are shown to be signed by: made once, kept below the data directory, never overwritten.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isErrorCode } from '../error-code.ts';
import { asOwnerOf } from './as-owner.ts';
import { domainsOf, type KeyAndCertificate, makeAuthority } from './certificates.ts';

export interface Authority extends KeyAndCertificate {
  /** Where its key and its certificate lie. */
  readonly directory: string;
  /** It is good for each of these and what is below, and for nothing else. */
  readonly domains: readonly string[];
  /** Milliseconds since 1970, both. */
  readonly from: number;
  readonly until: number;
  /** SHA-256 of the certificate, in pairs of digits as openssl writes it. */
  readonly fingerprint: string;
}

export function covers(domains: readonly string[], host: string): boolean {
  return domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

export function certificateFile(directory: string): string {
  return join(directory, 'certificate.pem');
}

export function keyFile(directory: string): string {
  return join(directory, 'key.pem');
}

/** Undefined if there is none yet. Throws what is wrong with one that cannot be used. */
export function findAuthority(data: string): Authority | undefined {
  if (ifThere(() => statSync(data)) === undefined) return undefined;
  return asOwnerOf(data, () => find(data));
}

/** Made now, if there is none. `hosts`: what it shall be good for; `*.example.com` for all below. `now`: milliseconds since 1970. */
export function openAuthority(data: string, hosts: readonly string[], now: number): Authority {
  return asOwnerOf(data, () => {
    const found = find(data);
    if (found !== undefined) return found;
    bringIn(data, hosts, now);
    return opened(data);
  });
}

export interface Renewed {
  readonly authority: Authority;
  /** Where the one before lies now. */
  readonly former: string | undefined;
}

/** A new one takes the place of the one that is there, which stays beside it. */
export function renewAuthority(data: string, hosts: readonly string[], now: number): Renewed {
  mkdirSync(data, { recursive: true });
  return asOwnerOf(data, () => {
    const former = join(data, `authority-until-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}`);
    const kept = ifThere(() => {
      renameSync(join(data, 'authority'), former);
      return former;
    });
    bringIn(data, hosts, now);
    return { authority: opened(data), former: kept };
  });
}

/** Of the authority, and of those whose place it took, as far as they still lie there: whether or not they can be used. */
export function fingerprintsOf(data: string): readonly string[] {
  if (ifThere(() => statSync(data)) === undefined) return [];
  return asOwnerOf(data, () => {
    const names = readdirSync(data).filter((name) => name === 'authority' || name.startsWith('authority-until-'));
    const all = names.map((name) => ifThere(() => readFileSync(certificateFile(join(data, name)))));
    return all.flatMap((certificate) => (certificate ? new X509Certificate(certificate).fingerprint256 : []));
  });
}

function find(data: string): Authority | undefined {
  const directory = join(data, 'authority');
  const [file, keptAt] = [certificateFile(directory), keyFile(directory)];
  const written = ifThere(() => readFileSync(file, 'utf8'));
  if (written === undefined) return undefined;
  const { mode } = statSync(keptAt);
  if ((mode & 0o077) !== 0) throw new Error(`others may read ${keptAt}: it is for its owner alone (chmod 600)`);
  const key = readFileSync(keptAt, 'utf8');
  const read = new X509Certificate(written);
  if (!read.checkPrivateKey(createPrivateKey(key))) throw new Error(`${keptAt} is not the key of ${file}`);
  return {
    directory,
    key,
    // What else may stand in that file is shown to nobody, and trusted by nobody.
    certificate: read.toString(),
    domains: domainsOf(written),
    from: read.validFromDate.getTime(),
    until: read.validToDate.getTime(),
    fingerprint: read.fingerprint256,
  };
}

function opened(data: string): Authority {
  const found = find(data);
  if (found === undefined) throw new Error(`the authority in ${data} has gone`);
  return found;
}

/** Whole or not at all, by one rename. Another process may be quicker: then its authority stays. */
function bringIn(data: string, hosts: readonly string[], now: number): void {
  const domains = [...new Set(hosts.map((host) => host.replace(/^\*\./, '')))];
  const { key, certificate } = makeAuthority(domains, now);
  const made = mkdtempSync(join(data, 'authority-new-'));
  try {
    writeFileSync(keyFile(made), key, { mode: 0o600, flag: 'wx', flush: true });
    writeFileSync(certificateFile(made), certificate, { mode: 0o644, flag: 'wx', flush: true });
    sync(made);
    renameSync(made, join(data, 'authority'));
    sync(data);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!isErrorCode(error, 'ENOTEMPTY') && !isErrorCode(error, 'EEXIST')) throw error;
  }
}

function sync(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
