// The authority that intercepted connections are shown to be signed by: made once, kept below the data directory, never overwritten.
import { X509Certificate } from 'node:crypto';
import { chown, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrorCode } from '../error-code.ts';
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
export async function findAuthority(data: string): Promise<Authority | undefined> {
  const directory = join(data, 'authority');
  const [file, keptAt] = [certificateFile(directory), keyFile(directory)];
  const certificate = await readFile(file, 'utf8').catch(missing);
  if (certificate === undefined) return undefined;
  const { mode } = await stat(keptAt);
  if ((mode & 0o077) !== 0) throw new Error(`others may read ${keptAt}: it is for its owner alone (chmod 600)`);
  const key = await readFile(keptAt, 'utf8');
  const read = new X509Certificate(certificate);
  return {
    directory,
    key,
    certificate,
    domains: domainsOf(certificate),
    from: read.validFromDate.getTime(),
    until: read.validToDate.getTime(),
    fingerprint: read.fingerprint256,
  };
}

/** Made now, if there is none. `hosts`: what it shall be good for; `*.example.com` for all below. `now`: milliseconds since 1970. */
export async function openAuthority(data: string, hosts: readonly string[], now: number): Promise<Authority> {
  const found = await findAuthority(data);
  if (found !== undefined) return found;
  await bringIn(data, hosts, now);
  return opened(data);
}

/** A new one takes the place of the one that is there, which stays beside it; where that is, if there was one. */
export async function renewAuthority(
  data: string,
  hosts: readonly string[],
  now: number,
): Promise<{ readonly authority: Authority; readonly former: string | undefined }> {
  const current = join(data, 'authority');
  const former = join(data, `authority-until-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}`);
  const kept = await rename(current, former).then(() => former, missing);
  await bringIn(data, hosts, now);
  return { authority: await opened(data), former: kept };
}

async function opened(data: string): Promise<Authority> {
  const found = await findAuthority(data);
  if (found === undefined) throw new Error(`the authority in ${data} has gone`);
  return found;
}

/** Whole or not at all, by one rename. Somebody else may be quicker: then his stays. */
async function bringIn(data: string, hosts: readonly string[], now: number): Promise<void> {
  const domains = [...new Set(hosts.map((host) => host.replace(/^\*\./, '')))];
  const { key, certificate } = makeAuthority(domains, now);
  const made = await mkdtemp(join(data, 'authority-new-'));
  try {
    await write(keyFile(made), key, 0o600);
    await write(certificateFile(made), certificate, 0o644);
    await giveTo(data, [keyFile(made), certificateFile(made), made]);
    await sync(made);
    await rename(made, join(data, 'authority'));
    await sync(data);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    if (!isErrorCode(error, 'ENOTEMPTY') && !isErrorCode(error, 'EEXIST')) throw error;
  }
}

/** Root may do this for the user that sampan runs as, who must be able to read it. */
async function giveTo(data: string, paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(data);
  for (const path of paths) await chown(path, uid, gid);
}

async function write(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function sync(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function missing(error: unknown): undefined {
  if (!isErrorCode(error, 'ENOENT')) throw error;
}
