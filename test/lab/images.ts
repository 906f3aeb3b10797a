// The images of the lab, made offline: as values by our own builder, and by tools of others (umoci, skopeo).
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { artifact, blobOf, image, index, type Item, type Layer } from '../fakes/registry/content.ts';
import { tarLayer } from '../fakes/registry/tar.ts';
import { run } from './process.ts';
import { push } from './push.ts';

const megabyte = 1 << 20;

/** A rootfs that runtimes unpack: one file of random bytes, so that it does not compress. */
function rootfs(seed: number, size: number): Layer {
  return tarLayer({ 'etc/os-release': Buffer.from(`ID=lab-${seed}\n`), [`opt/${seed}.bin`]: randomBytes(seed, size) });
}

/** Built anew for each caller, because 25 MB should not stay in memory. */
function items(): Readonly<Record<'multi' | 'docker' | 'bare' | 'sbom', Item>> {
  const base = rootfs(1, 3 * megabyte);
  const amd64 = image({ layers: [base, rootfs(2, 20 * megabyte)] });
  const arm64 = image({ layers: [rootfs(3, megabyte)], platform: { os: 'linux', architecture: 'arm64' } });
  return {
    multi: index([amd64, arm64]),
    docker: index([image({ layers: [base, rootfs(4, megabyte)], mediaTypes: 'docker' })], 'docker'),
    bare: image(),
    sbom: artifact({ subject: amd64, files: [blobOf(randomBytes(5, 10_000))] }),
  };
}

/** Puts them at `library/<name>:latest` of a plain registry, and one at `private/app:latest` too. Returns the digests of what the tags name. */
export async function loadBuilt(
  registry: string,
): Promise<Readonly<Record<'multi' | 'docker' | 'bare' | 'sbom', string>>> {
  const all = items();
  const names = ['multi', 'docker', 'bare', 'sbom'] as const;
  for (const name of names) await push(registry, `library/${name}`, all[name], 'latest');
  await push(registry, 'private/app', all.docker, 'latest');
  return { multi: all.multi.digest, docker: all.docker.digest, bare: all.bare.digest, sbom: all.sbom.digest };
}

/** `library/umoci:latest` with OCI types, made by umoci; `library/umoci:docker` is the same with docker's, made by skopeo. */
export async function loadForeign(registry: string, directory: string): Promise<void> {
  const work = join(directory, 'umoci');
  const files = join(work, 'files');
  await mkdir(files, { recursive: true });
  await writeFile(join(files, 'hello'), randomBytes(6, 100_000));
  const umoci = (...args: string[]) => run('umoci', args, { directory: work });
  await umoci('init', '--layout', 'layout');
  await umoci('new', '--image', 'layout:latest');
  await umoci('insert', '--image', 'layout:latest', files, '/srv');
  const target = `docker://${registry.replace('http://', '')}/library/umoci`;
  const copy = (...args: string[]) =>
    run('skopeo', ['--insecure-policy', 'copy', '--all', '--dest-tls-verify=false', 'oci:layout:latest', ...args], {
      directory: work,
    });
  await copy(`${target}:latest`);
  await copy('--format', 'v2s2', `${target}:docker`);
}
