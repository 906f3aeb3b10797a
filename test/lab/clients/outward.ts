// Clients that know of no mirror: what people do with docker.io itself, by way of a proxy, in the words of each.
import { join } from 'node:path';
import { run } from '../process.ts';
import { digestsIn, type Mirror, wayOf } from './client.ts';
import { withContainerd } from './containerd.ts';
import { configure } from './containers.ts';
import { withDocker } from './docker.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Images by `library/x:tag`. */
export interface Outward {
  /** Into its store. Digests by which it knows the image. */
  pull(image: string): Promise<readonly string[]>;
  remove(image: string): Promise<unknown>;
  /** What it has pulled, under another name. */
  push(image: string, name: string): Promise<unknown>;
}

export interface OutwardClient {
  readonly name: string;
  readonly needs: readonly string[];
  /** With an empty store in an empty directory; logged in, if there is a login. */
  use<T>(way: Mirror, login: Login | undefined, directory: string, with_: (client: Outward) => Promise<T>): Promise<T>;
}

type Cli = (...args: string[]) => Promise<string>;

/** docker and podman say it alike, but that podman takes no short names. */
function inTheirWords(cli: Cli, named: (image: string) => string, flags: readonly string[] = []): Outward {
  return {
    async pull(image) {
      await cli('pull', ...flags, named(image));
      return digestsIn(await cli('image', 'inspect', '--format', '{{.RepoDigests}}', named(image)));
    },
    remove: (image) => cli('image', 'rm', '--force', named(image)),
    async push(image, name) {
      await cli('tag', named(image), named(name));
      await cli('push', named(name));
    },
  };
}

const docker: OutwardClient = {
  name: 'docker',
  needs: ['dockerd', 'docker', 'containerd', 'ctr', 'runc'],
  use: (way, login, directory, with_) =>
    withDocker(way, directory, async (_, cli) => {
      if (login !== undefined) await cli('login', '--username', login.user, '--password', login.password);
      return with_(inTheirWords(cli, (image) => image));
    }),
};

const podman: OutwardClient = {
  name: 'podman',
  needs: ['podman'],
  async use(way, login, directory, with_) {
    const env = await configure(way, directory);
    const own = ['--cgroup-manager', 'cgroupfs', '--events-backend', 'none', '--tmpdir', join(directory, 'tmp')];
    const cli: Cli = (...args) => run('podman', [...own, ...args], { directory, env });
    const shown = login && ['--username', login.user, '--password', login.password];
    if (shown !== undefined) await cli('login', ...shown, 'docker.io');
    return with_(
      inTheirWords(cli, (image) => `docker.io/${image}`, ['--signature-policy', join(directory, 'policy.json')]),
    );
  },
};

const containerd: OutwardClient = {
  name: 'containerd',
  needs: ['containerd', 'ctr'],
  use: (way, login, directory, with_) =>
    withContainerd(directory, (socket) => {
      const cli: Cli = (...args) => run('ctr', ['--address', socket, ...args], { directory, env: wayOf(way) });
      const user = login === undefined ? [] : ['--user', `${login.user}:${login.password}`];
      return with_({
        async pull(image) {
          await cli('images', 'pull', ...user, '--snapshotter', 'native', `docker.io/${image}`);
          return digestsIn(await cli('images', 'list', `name==docker.io/${image}`));
        },
        async remove(image) {
          await cli('images', 'rm', '--sync', `docker.io/${image}`);
          await cli('content', 'prune', 'references');
        },
        async push(image, name) {
          await cli('images', 'tag', '--force', `docker.io/${image}`, `docker.io/${name}`);
          await cli('images', 'push', '--platform', 'linux/amd64', ...user, `docker.io/${name}`);
        },
      });
    }),
};

export const outwardClients: readonly OutwardClient[] = [docker, containerd, podman];
