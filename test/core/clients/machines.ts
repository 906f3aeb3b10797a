// Machines that a client's plan can be made for: any files, any version, nothing that is really there.
import { type ClientName, clients } from '../../../src/core/clients/clients.ts';
import type { Machine, Plan, Wish } from '../../../src/core/clients/plan.ts';
import { parseWay } from '../../../src/core/clients/wish.ts';
import { parseToml, parseYaml } from '../../../src/node/clients/parse.ts';

export type Files = Readonly<Record<string, string>>;
type Told = Partial<Machine> & { readonly files?: Files };

export function machine(more: Told = {}): Machine {
  const { files = {}, ...rest } = more;
  const below = (directory: string) => Object.keys(files).filter((path) => path.startsWith(`${directory}/`));
  const nameIn = (directory: string, path: string) => path.slice(directory.length + 1).split('/')[0] ?? '';
  return {
    version: undefined,
    systemd: true,
    imageStore: undefined,
    home: undefined,
    read: (path) => files[path],
    list: (directory) => [...new Set(below(directory).map((path) => nameIn(directory, path)))].toSorted(),
    parse: { toml: parseToml, yaml: parseYaml },
    ...rest,
  };
}

export const hub = { name: 'docker.io', server: 'https://registry-1.docker.io' };
export const ghcr = { name: 'ghcr.io', server: 'https://ghcr.io' };
export const ca = '-----BEGIN CERTIFICATE-----\n';

export function byMirror(url = 'http://127.0.0.1:5050', more: Partial<Wish> = {}): Wish {
  return { way: parseWay({ mirror: url }), registries: [hub, ghcr], ca: undefined, ...more };
}

export function byProxy(url = 'http://127.0.0.1:8384', more: Partial<Wish> = {}): Wish {
  return { way: parseWay({ proxy: url }), registries: [hub, ghcr], ca: undefined, ...more };
}

/** What would be written, by path, and a second plan over that is the same. */
export function texts(client: ClientName, wish: Wish, on: Told): Files {
  const written = byPath(clients[client](wish, machine(on)));
  const again = byPath(clients[client](wish, machine({ ...on, files: { ...on.files, ...written } })));
  for (const [path, text] of Object.entries(again)) {
    if (written[path] !== text) throw new Error(`${path} is changed by a second run:\n${text}`);
  }
  return written;
}

function byPath({ files }: Plan): Files {
  return Object.fromEntries(files.map(({ path, text }) => [path, text]));
}
