// The options of `sampan configure`, made into what is wished for and what machine it is for.
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import type { ClientName } from '../../core/clients/clients.ts';
import type { Machine, Wish } from '../../core/clients/plan.ts';
import { Misuse, parseRegistries, parseWay } from '../../core/clients/wish.ts';
import { catalogue } from '../../core/upstream/catalogue.ts';
import { Registries } from '../../core/upstream/registries.ts';
import { imageStoreOfDocker, versionOf } from './ask.ts';
import type { Backup } from './backup.ts';
import { original, originals } from './change.ts';
import { type Disk, largest } from './disk.ts';
import { parseToml, parseYaml } from './parse.ts';

export interface WishOptions {
  readonly mirror?: string;
  readonly proxy?: string;
  readonly registry?: readonly string[];
  readonly ca?: string;
  readonly clientVersion?: string;
}

/** Throws Misuse. */
export function wishFor(options: WishOptions): Wish {
  const way = parseWay(options);
  const known = new Registries(catalogue, {});
  const found = { names: known.configured, find: (name: string) => known.find(name) };
  const registries = parseRegistries(options.registry ?? [], found);
  if (options.ca !== undefined && way.kind === 'mirror' && way.url.startsWith('http:')) {
    throw new Misuse('--ca: a mirror at http:// shows no certificate');
  }
  return { way, registries, ca: options.ca === undefined ? undefined : certificatesIn(options.ca) };
}

function certificatesIn(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Misuse(`--ca: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0 || !found.every(isCertificate)) {
    throw new Misuse(`--ca: ${path} has no certificates in PEM`);
  }
  // Nothing else that may stand in the file, such as a key.
  const certificates = `${found.join('\n')}\n`;
  // What is written has to be read again by the next run.
  if (certificates.length > largest) throw new Misuse(`--ca: the certificates in ${path} are larger than 1 MiB`);
  return certificates;
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    return false;
  }
}

/** Who is not root has a podman of his own. Below another root everything is the machine's. */
export function homeFor(client: ClientName, disk: Disk): string | undefined {
  return client === 'podman' && disk.isWholeMachine && process.getuid?.() !== 0 ? homedir() : undefined;
}

/** Programs are asked on this machine only: those below another root are another's, and not to be run. */
export function machineFor(
  client: ClientName,
  { disk, backup, version }: { disk: Disk; backup: Backup | undefined; version: string | undefined },
): Machine {
  const here = disk.isWholeMachine;
  if (version !== undefined && !/^\d+(\.\d+)*/.test(version)) throw new Misuse('--client-version: such as 28.0.1');
  return {
    version: version ?? (here ? versionOf(client) : undefined),
    systemd: here ? existsSync('/run/systemd/system') : hasSystemd(disk),
    imageStore: here && client === 'docker' ? imageStoreOfDocker() : undefined,
    home: homeFor(client, disk),
    read: (path) => original(path, disk, backup),
    list: (directory) => originals(directory, disk, backup),
    parse: { toml: parseToml, yaml: parseYaml },
  };
}

function hasSystemd(disk: Disk): boolean {
  return disk.has('/usr/lib/systemd/systemd') || disk.has('/lib/systemd/systemd');
}
