// A copy of this machine's /etc, into which `sampan configure` writes and by which this machine's clients start: each sees it as its /etc.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, lstatSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Lab } from '../lab.ts';
import { run, Running } from '../process.ts';
import { digestsIn } from './client.ts';

const program = fileURLToPath(new URL('../../../bin/sampan', import.meta.url));

/** The clients that can be started on one, with the programs that they need. */
export const clientsOnCopy = {
  containerd: ['containerd', 'ctr'],
  podman: ['podman'],
  docker: ['dockerd', 'docker', 'containerd', 'ctr', 'runc'],
} as const;

type ClientOnCopy = keyof typeof clientsOnCopy;

export class Copy {
  readonly directory: string;
  readonly #client: ClientOnCopy;

  constructor(directory: string, client: ClientOnCopy) {
    this.directory = directory;
    this.#client = client;
  }

  get root(): string {
    return join(this.directory, 'root');
  }

  async has(path: string, text: string): Promise<void> {
    await mkdir(join(this.root, path, '..'), { recursive: true });
    await writeFile(join(this.root, path), text);
  }

  async configure(...args: string[]): Promise<string> {
    const all = ['configure', this.#client, '--root', this.root, '--yes', ...args, ...(await this.#version())];
    return run(program, all, { directory: this.directory });
  }

  /** Below another root nobody is asked, but here the programs are known. */
  async #version(): Promise<string[]> {
    const daemon = { docker: 'dockerd', containerd: 'containerd', podman: undefined }[this.#client];
    if (daemon === undefined) return [];
    return ['--client-version', /\d+\.\d+[^\s,]*/.exec(await this.run(daemon, '--version'))?.[0] ?? ''];
  }

  /** Digests by which the client knows the image after pulling it. */
  pull(image: string): Promise<string[]> {
    return { containerd: pullByCtr, podman: pullByPodman, docker: pullByDocker }[this.#client](this, image);
  }

  run(...command: string[]): Promise<string> {
    return run('unshare', this.#inside(command), { directory: this.directory });
  }

  async podman(...args: string[]): Promise<string> {
    const at = (name: string) => join(this.directory, name);
    // The vfs driver works on any file system.
    const storage = `[storage]\ndriver = "vfs"\ngraphroot = "${at('store')}"\nrunroot = "${at('run')}"\n`;
    await this.has('/etc/containers/storage.conf', storage);
    await mkdir(at('tmp'), { recursive: true });
    const own = ['--cgroup-manager', 'cgroupfs', '--events-backend', 'none', '--tmpdir', at('tmp')];
    // Whose caller has no proxies, because those would count more than the configured ones.
    return this.run('env', '-u', 'HTTP_PROXY', '-u', 'HTTPS_PROXY', 'podman', ...own, ...args);
  }

  async withContainerd<T>(use: (socket: string) => Promise<T>): Promise<T> {
    const at = (name: string) => join(this.directory, 'containerd', name);
    await mkdir(at('.'), { recursive: true });
    const own = ['--address', at('sock'), '--root', at('root'), '--state', at('state')];
    const daemon = this.#start('containerd', ...own);
    try {
      await daemon.until('answer', () => this.run('ctr', '--address', at('sock'), 'version'));
      return await use(at('sock'));
    } finally {
      await daemon.stop();
    }
  }

  withDockerd<T>(
    prefix: readonly string[],
    use: (cli: (...args: string[]) => Promise<string>, daemon: Running) => Promise<T>,
  ): Promise<T> {
    return this.withContainerd(async (containerd) => {
      const at = (name: string) => join(this.directory, name);
      const socket = `unix://${at('docker.sock')}`;
      const own = ['--host', socket, '--containerd', containerd, '--pidfile', at('docker.pid')];
      own.push('--data-root', at('docker'), '--exec-root', at('docker-exec'));
      const bare = ['--storage-driver', 'vfs', '--bridge', 'none', '--iptables=false', '--ip6tables=false'];
      const daemon = this.#start(...prefix, 'dockerd', ...own, ...bare);
      const cli = (...args: string[]) => run('docker', ['--host', socket, ...args], { directory: this.directory });
      try {
        await daemon.until('answer', () => cli('version'));
        return await use(cli, daemon);
      } finally {
        await daemon.stop();
      }
    });
  }

  #start(...command: string[]): Running {
    return new Running('unshare', this.#inside(command), { directory: this.directory });
  }

  /** It becomes the program, so that signals reach that. */
  #inside(command: readonly string[]): string[] {
    const script = 'mount --bind "$1" /etc && shift && exec "$@"';
    return ['--mount', 'sh', '-c', script, 'sh', join(this.root, 'etc'), ...command];
  }
}

function pullByCtr(machine: Copy, image: string): Promise<string[]> {
  return machine.withContainerd(async (socket) => {
    const ctr = (...args: string[]) => machine.run('ctr', '--address', socket, ...args);
    await ctr('images', 'pull', '--hosts-dir', '/etc/containerd/certs.d', '--snapshotter', 'native', image);
    return digestsIn(await ctr('images', 'list', `name==${image}`));
  });
}

async function pullByPodman(machine: Copy, image: string): Promise<string[]> {
  await machine.podman('pull', image);
  return digestsIn(await machine.podman('image', 'inspect', '--format', '{{.RepoDigests}}', image));
}

function pullByDocker(machine: Copy, image: string): Promise<string[]> {
  return machine.withDockerd([], async (cli) => {
    await cli('pull', image);
    return digestsIn(await cli('image', 'inspect', '--format', '{{.RepoDigests}}', image));
  });
}

/** Whatever `use` configures is taken back afterwards, and then every file is what it was. */
export async function onCopy(lab: Lab, client: ClientOnCopy, use: (machine: Copy) => Promise<void>): Promise<void> {
  const machine = new Copy(await mkdtemp(join(lab.directory, `${client}-`)), client);
  await mkdir(machine.root);
  await run('cp', ['-a', '/etc', machine.root], { directory: machine.directory });
  // What the test itself puts there first is there before and after.
  const known = new Map<string, string>();
  const look = () => new Map(files(machine.root));
  const original = machine.configure.bind(machine);
  machine.configure = async (...args) => {
    if (known.size === 0) for (const [path, text] of look()) known.set(path, text);
    const output = await original(...args);
    assert.notDeepEqual(look(), known);
    assert.match(await original(...args), /^Nothing to change\.$/m);
    return output;
  };
  await use(machine);
  await original('--undo');
  const now = look();
  for (const [path, text] of known) assert.equal(now.get(path), text, path);
  for (const path of now.keys()) assert.ok(known.has(path) || !path.includes('sampan', machine.root.length), path);
}

function files(root: string): [string, string][] {
  const folders = ['docker', 'containerd', 'containers', 'default', 'systemd'];
  return folders
    .flatMap((folder) => globSync(join(root, 'etc', folder, '**/*')))
    .filter((path) => lstatSync(path).isFile())
    .map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]);
}
