// containerd with a hosts directory, pulled with `ctr`.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, Running } from '../process.ts';
import { type Client, digestsIn, originOf, wayOf } from './client.ts';

/** A containerd of its own: root, state and socket in `directory`. Returns the socket. */
export async function withContainerd<T>(directory: string, use: (socket: string) => Promise<T>): Promise<T> {
  const home = join(directory, 'containerd');
  await mkdir(home);
  const socket = join(home, 'sock');
  const config = `
    version = 2
    root = "${home}/root"
    state = "${home}/state"
    disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]
    [grpc]
      address = "${socket}"
  `;
  await writeFile(join(home, 'config.toml'), config);
  const daemon = new Running('containerd', ['--config', join(home, 'config.toml')], { directory });
  try {
    await daemon.until('answer', () => run('ctr', ['--address', socket, 'version'], { directory }));
    return await use(socket);
  } finally {
    await daemon.stop();
  }
}

export const containerd: Client = {
  name: 'containerd',
  needs: ['containerd', 'ctr'],
  pull: (image, mirror, directory) =>
    withContainerd(directory, async (socket) => {
      const hosts = join(directory, 'hosts');
      await mkdir(join(hosts, 'docker.io'), { recursive: true });
      const ca = mirror.trust === undefined ? '' : `  ca = "${join(mirror.trust, 'ca.crt')}"\n`;
      const toml = `[host."${originOf(mirror)}"]\n  capabilities = ["pull", "resolve"]\n${ca}`;
      if (mirror.address !== undefined) await writeFile(join(hosts, 'docker.io', 'hosts.toml'), toml);
      const ctr = (...args: string[]) => run('ctr', ['--address', socket, ...args], { directory, env: wayOf(mirror) });
      // The native snapshotter works on any file system.
      await ctr('images', 'pull', '--hosts-dir', hosts, '--snapshotter', 'native', `docker.io/${image}`);
      return { digests: digestsIn(await ctr('images', 'list', `name==docker.io/${image}`)) };
    }),
};
