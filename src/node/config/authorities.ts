// The private authorities of registries, read from the files that the configuration names.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Problem, problemAt } from '../../config/problem.ts';
import type { Written } from '../../config/written.ts';

type Found = { readonly ca: string } | { readonly says: string };

/** PEM, by registry. Relative paths begin at `directory`. */
export async function readAuthorities(
  registries: Readonly<Record<string, { readonly ca?: string | undefined }>>,
  directory: string,
  where: Written['where'],
): Promise<{ readonly authorities: ReadonlyMap<string, string>; readonly problems: readonly Problem[] }> {
  const authorities = new Map<string, string>();
  const problems: Problem[] = [];
  for (const [name, { ca: path }] of Object.entries(registries)) {
    if (path === undefined) continue;
    const found = await readAuthority(path, directory);
    if ('says' in found) problems.push(problemAt(['registries', name, 'ca'], found.says, where));
    else authorities.set(name, found.ca);
  }
  return { authorities, problems };
}

async function readAuthority(path: string, directory: string): Promise<Found> {
  let text: string;
  try {
    text = await readFile(resolve(directory, path), 'latin1');
  } catch (error) {
    return { says: `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` };
  }
  if (text.includes('PRIVATE KEY-----')) return { says: `found a private key in ${path}, expected certificates alone` };
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) return { says: `found no certificate in PEM in ${path}` };
  const broken = certificates.findIndex((each) => !isCertificate(each));
  if (broken >= 0) return { says: `found what is none in ${path}, as certificate ${broken + 1}` };
  return { ca: certificates.join('\n') };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
