// podman, buildah, skopeo and CRI-O: drop-ins of registries.conf and containers.conf, for the machine or for one user.
import { redact } from '../oci/redact.ts';
import {
  hostOf,
  isPlainHttp,
  isRecord,
  type Machine,
  placeOf,
  type Plan,
  type PlannedFile,
  Refusal,
  understand,
  valueAt,
  type Wish,
} from './plan.ts';

export function planPodman(wish: Wish, machine: Machine): Plan {
  const base = machine.home === undefined ? '/etc/containers' : `${machine.home}/.config/containers`;
  return wish.way.kind === 'mirror' ? planMirror(wish, base, machine) : planProxy(wish, base, machine);
}

function planMirror(wish: Wish, base: string, machine: Machine): Plan {
  const { url } = wish.way;
  const said = saidElsewhere(base, machine);
  const registries = wish.registries.filter(({ name }) => !said.has(name));
  const notes = wish.registries.flatMap(({ name }) => {
    const path = said.get(name);
    if (path === undefined) return [];
    const mirror = `add a [[registry.mirror]] with location = "${placeOf(url)}/${name}" there`;
    return [`${path} says where ${name} is pulled from, and is left alone: ${mirror}`];
  });
  if (registries.length === 0) throw new Refusal('nothing to write:', notes);
  const tables = registries.map(({ name }) => registryTable(name, url));
  const ca = wish.ca === undefined ? [] : [{ path: certificate(base, hostOf(url)), text: wish.ca }];
  const text = `# Written by sampan configure.\n${tables.join('\n')}`;
  return {
    files: [own(base, 'registries', text, machine), ...ca],
    commands: [],
    notes: [...notes, ...exposed(url, machine)],
  };
}

function registryTable(name: string, url: string): string {
  const insecure = isPlainHttp(url) ? 'insecure = true\n' : '';
  return `[[registry]]
prefix = "${name}"
location = "${name}"
[[registry.mirror]]
location = "${placeOf(url)}/${name}"
${insecure}`;
}

/** Which registries other files speak of: a later file's table takes the place of a whole earlier one. */
function saidElsewhere(base: string, machine: Machine): ReadonlyMap<string, string> {
  const said = new Map<string, string>();
  for (const path of othersOf(base, 'registries', machine)) {
    const tables = valueAt(understand(path, machine.read(path) ?? '', machine.parse.toml), ['registry']);
    for (const table of Array.isArray(tables) ? tables : []) {
      const name = valueAt(table, ['prefix']) ?? valueAt(table, ['location']);
      if (typeof name === 'string') said.set(name, path);
    }
  }
  return said;
}

/** The files beside our own, in the order in which they are read. */
function othersOf(base: string, of: 'registries' | 'containers', machine: Machine): string[] {
  const files = [...new Set(['/etc/containers', base])].flatMap((folder) => [
    `${folder}/${of}.conf`,
    ...machine.list(`${folder}/${of}.conf.d`).map((name) => `${folder}/${of}.conf.d/${name}`),
  ]);
  return files.filter((path) => path.endsWith('.conf') && path !== dropIn(base, of));
}

function dropIn(base: string, of: 'registries' | 'containers'): string {
  return `${base}/${of}.conf.d/sampan.conf`;
}

/** Everybody's podman reads what is for the machine. */
function own(base: string, of: 'registries' | 'containers', text: string, { home }: Machine): PlannedFile {
  return { path: dropIn(base, of), text, forAll: home === undefined };
}

function exposed(url: string, { home }: Machine): string[] {
  return home === undefined && redact(url) !== url ? ['everybody on this machine can read the secret in that URL'] : [];
}

function certificate(base: string, host: string): string {
  return `${base}/certs.d/${host}/sampan-ca.crt`;
}

/** `[engine] env` is the environment of podman and buildah themselves, whoever starts them. */
function planProxy(wish: Wish, base: string, machine: Machine): Plan {
  const { url } = wish.way;
  checkEngine(base, url, machine);
  const variables = ['HTTP_PROXY', 'HTTPS_PROXY'].map((name) => JSON.stringify(`${name}=${url}`));
  const text = `# Written by sampan configure.
[engine]
env = [${variables.join(', ')}]
[containers]
# Else every container would get the proxy too, which refuses all that is no registry.
http_proxy = false
`;
  const cas = wish.registries.flatMap(({ name }): PlannedFile[] =>
    wish.ca === undefined ? [] : [{ path: certificate(base, name), text: wish.ca }],
  );
  const notes = [
    'a proxy in the environment of whoever calls podman counts more than this',
    `skopeo reads no containers.conf and CRI-O is a service of its own: give them HTTPS_PROXY=${url} in their environment`,
    ...exposed(url, machine),
  ];
  return { files: [own(base, 'containers', text, machine), ...cas], commands: [], notes };
}

/** A drop-in's list takes the place of the whole list before it. */
function checkEngine(base: string, url: string, machine: Machine): void {
  for (const path of othersOf(base, 'containers', machine)) {
    const found = understand(path, machine.read(path) ?? '', machine.parse.toml);
    const engine = valueAt(found, ['engine']);
    const env = isRecord(engine) ? engine['env'] : undefined;
    if (!Array.isArray(env) || env.length === 0) continue;
    throw new Refusal(`${path} has a list [engine] env, of which only one counts; add these two to it by hand:`, [
      `"HTTP_PROXY=${url}"`,
      `"HTTPS_PROXY=${url}"`,
    ]);
  }
}
