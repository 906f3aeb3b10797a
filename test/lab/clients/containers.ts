// The family of containers/image: podman, buildah and skopeo.
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, digestOf } from '../../fakes/registry/bytes.ts';
import { run } from '../process.ts';
import { type Client, digestsIn, type Mirror, wayOf } from './client.ts';

export const podman: Client = {
  name: 'podman',
  needs: ['podman'],
  async pull(image, mirror, directory) {
    const settings = await configure(mirror, directory);
    const own = ['--cgroup-manager', 'cgroupfs', '--events-backend', 'none', '--tmpdir', join(directory, 'tmp')];
    const at = (...args: string[]) => run('podman', [...own, ...args], { directory, env: settings });
    await at('pull', ...flagsOf(mirror, directory), `docker.io/${image}`);
    return { digests: digestsIn(await at('image', 'inspect', '--format', '{{.RepoDigests}}', `docker.io/${image}`)) };
  },
};

export const buildah: Client = {
  name: 'buildah',
  needs: ['buildah'],
  async pull(image, mirror, directory) {
    const settings = await configure(mirror, directory);
    const at = (...args: string[]) => run('buildah', args, { directory, env: settings });
    await at('pull', ...flagsOf(mirror, directory), `docker.io/${image}`);
    return { digests: digestsIn(await at('images', '--no-trunc', '--digests', '--format', '{{.Digest}}')) };
  },
};

/** Copies every platform, without a mirror's configuration: by the name of the mirror itself. */
export const skopeo: Client = {
  name: 'skopeo',
  needs: ['skopeo'],
  async pull(image, mirror, directory) {
    const target = join(directory, 'copy');
    const source = `docker://${mirror.address}/${mirror.prefix}${image}`;
    const trust = mirror.trust === undefined ? '--src-tls-verify=false' : `--src-cert-dir=${mirror.trust}`;
    const flags = ['--all', '--preserve-digests', trust];
    await run('skopeo', ['--insecure-policy', 'copy', ...flags, source, `dir:${target}`], { directory });
    const digest = async (file: string) => digestOf(bytesOf(await readFile(join(target, file))));
    const blobs = (await readdir(target)).filter((name) => /^[0-9a-f]{64}$/.test(name));
    for (const blob of blobs) assert.equal(await digest(blob), `sha256:${blob}`);
    return { digests: [await digest('manifest.json')] };
  },
};

function flagsOf({ trust }: Mirror, directory: string): readonly string[] {
  const policy = ['--signature-policy', join(directory, 'policy.json')];
  return trust === undefined ? policy : [...policy, '--cert-dir', trust];
}

/** Returns the environment that makes them read nothing of the machine's own. */
export async function configure(mirror: Mirror, directory: string): Promise<Record<string, string>> {
  const at = (name: string) => join(directory, name);
  const location = `${mirror.address}/${mirror.prefix}`.replace(/\/$/, '');
  const mirrored = `[[registry.mirror]]\nlocation = "${location}"\ninsecure = ${mirror.trust === undefined}\n`;
  const registries = `
    unqualified-search-registries = []
    [[registry]]
    location = "docker.io"
    ${mirror.address === undefined ? '' : mirrored}
  `;
  // The vfs driver works on any file system.
  const storage = `[storage]\ndriver = "vfs"\ngraphroot = "${at('root')}"\nrunroot = "${at('run')}"\n`;
  await mkdir(at('tmp'));
  await writeFile(at('registries.conf'), registries);
  await writeFile(at('storage.conf'), storage);
  await writeFile(at('containers.conf'), '');
  await writeFile(at('policy.json'), JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
  await writeFile(at('auth.json'), '{}');
  return {
    CONTAINERS_REGISTRIES_CONF: at('registries.conf'),
    CONTAINERS_STORAGE_CONF: at('storage.conf'),
    CONTAINERS_CONF: at('containers.conf'),
    REGISTRY_AUTH_FILE: at('auth.json'),
    ...wayOf(mirror),
  };
}
