// dockerd with `registry-mirrors`, on a containerd of the lab's.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, Running } from '../process.ts';
import { type Client, digestsIn, type Mirror, originOf, type Pulled, wayOf } from './client.ts';
import { withContainerd } from './containerd.ts';

/** A dockerd of its own, with an empty store in an empty directory. `use` gets what pulls an image. */
export function withDocker<T>(
  mirror: Mirror,
  directory: string,
  use: (pull: (image: string) => Promise<Pulled>, cli: (...args: string[]) => Promise<string>) => Promise<T>,
): Promise<T> {
  return withContainerd(directory, async (containerdSocket) => {
    const socket = `unix://${directory}/docker.sock`;
    const at = (name: string) => join(directory, name);
    // Without one of its own it reads the machine's.
    await writeFile(at('docker.json'), '{}');
    const own = ['--host', socket, '--containerd', containerdSocket, '--pidfile', at('docker.pid')];
    own.push('--config-file', at('docker.json'), '--data-root', at('docker'), '--exec-root', at('docker-exec'));
    // vfs works on any file system; no bridge and no firewall rules, because nothing is run.
    const bare = ['--storage-driver', 'vfs', '--bridge', 'none', '--iptables=false', '--ip6tables=false'];
    const mirrors = mirror.address === undefined ? [] : ['--registry-mirror', originOf(mirror)];
    const daemon = new Running('dockerd', [...own, ...bare, ...mirrors], { directory, env: wayOf(mirror) });
    const cli = (...args: string[]) => run('docker', ['--host', socket, ...args], { directory });
    try {
      await daemon.until('answer', () => cli('version'));
      return await use(async (image) => {
        await cli('pull', image);
        return { digests: digestsIn(await cli('image', 'inspect', '--format', '{{.RepoDigests}}', image)) };
      }, cli);
    } finally {
      await daemon.stop();
    }
  });
}

export const docker: Client = {
  name: 'docker',
  needs: ['dockerd', 'docker', 'containerd', 'ctr', 'runc'],
  pull: (image, mirror, directory) => withDocker(mirror, directory, (pull) => pull(image)),
};
