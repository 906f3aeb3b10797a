// Clients that log in to sampan and pull by its own name.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../process.ts';
import { digestsIn } from './client.ts';
import { withContainerd } from './containerd.ts';
import { configure } from './containers.ts';
import { withDocker } from './docker.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

export interface LoginClient {
  readonly name: string;
  readonly needs: readonly string[];
  /** Logs in at `address`, if there is a login, and pulls from there, into an empty store. Throws if either fails. Digests of the image. */
  pull(image: string, address: string, login: Login | undefined, directory: string): Promise<readonly string[]>;
}

const docker: LoginClient = {
  name: 'docker login and pull',
  needs: ['dockerd', 'docker', 'containerd', 'ctr', 'runc'],
  pull: (image, address, login, directory) =>
    withDocker({ address, prefix: '' }, directory, async (pull, cli) => {
      if (login !== undefined) await cli('login', '--username', login.user, '--password', login.password, address);
      return (await pull(`${address}/${image}`)).digests;
    }),
};

const podman: LoginClient = {
  name: 'podman login and pull',
  needs: ['podman'],
  async pull(image, address, login, directory) {
    const env = await configure({ address, prefix: '' }, directory);
    const own = ['--cgroup-manager', 'cgroupfs', '--events-backend', 'none', '--tmpdir', join(directory, 'tmp')];
    const at = (...args: string[]) => run('podman', [...own, ...args], { directory, env });
    const insecure = '--tls-verify=false';
    const shown = login && ['--username', login.user, '--password', login.password];
    if (shown !== undefined) await at('login', insecure, ...shown, address);
    const policy = ['--signature-policy', join(directory, 'policy.json')];
    await at('pull', insecure, ...policy, `${address}/${image}`);
    return digestsIn(await at('image', 'inspect', '--format', '{{.RepoDigests}}', `${address}/${image}`));
  },
};

const skopeo: LoginClient = {
  name: 'skopeo --creds',
  needs: ['skopeo'],
  async pull(image, address, login, directory) {
    const creds = login === undefined ? ['--no-creds'] : ['--creds', `${login.user}:${login.password}`];
    const source = `docker://${address}/${image}`;
    const text = await run('skopeo', ['inspect', '--tls-verify=false', ...creds, source], { directory });
    const target = join(directory, 'copy');
    await mkdir(target);
    const from = creds.map((each) => each.replace(/^--(no-)?creds$/, '--src-$1creds'));
    await run('skopeo', ['--insecure-policy', 'copy', '--src-tls-verify=false', ...from, source, `dir:${target}`], {
      directory,
    });
    return digestsIn(text);
  },
};

const containerd: LoginClient = {
  name: 'ctr --user',
  needs: ['containerd', 'ctr'],
  pull: (image, address, login, directory) =>
    withContainerd(directory, async (socket) => {
      const ctr = (...args: string[]) => run('ctr', ['--address', socket, ...args], { directory });
      const user = login === undefined ? [] : ['--user', `${login.user}:${login.password}`];
      await ctr('images', 'pull', '--plain-http', ...user, '--snapshotter', 'native', `${address}/${image}`);
      return digestsIn(await ctr('images', 'list', `name==${address}/${image}`));
    }),
};

export const loginClients: readonly LoginClient[] = [docker, podman, skopeo, containerd];
