// `certs.d/<registry>/hosts.toml`, which containerd reads for each registry, and dockerd since 28: texts for the mirror, and for a CA.
import { tomlValue, withTable, withToml } from './insert.ts';
import {
  listWith,
  type Machine,
  type PlannedFile,
  Refusal,
  type Target,
  understand,
  valueAt,
  type Wish,
} from './plan.ts';

const capabilities = ['pull', 'resolve'];

/** The certificate lies beside the folders of the registries, once for all. */
function caIn(directory: string): string {
  return `${directory}/sampan-ca.pem`;
}

/** Asks the mirror first, and the registry itself if that cannot answer. */
export function mirrorHosts(wish: Wish, directory: string, machine: Machine): PlannedFile[] {
  const ca = wish.ca === undefined ? [] : [{ path: caIn(directory), text: wish.ca }];
  const table = { capabilities, ...(wish.ca === undefined ? {} : { ca: caIn(directory) }) };
  const files = wish.registries.map(({ name, server }) => {
    const folder = folderOf(name, directory, machine);
    const path = `${folder}/hosts.toml`;
    const found = machine.read(path);
    const lines = Object.entries(table).map(([key, value]) => `  ${key} = ${tomlValue(value)}\n`);
    const own = `server = "${server}"\n${trustedIn(folder, machine)}`;
    const fresh = `${own}\n[host."${wish.way.url}"]\n${lines.join('')}`;
    return { path, text: isRead(found) ? withHost(path, found, wish.way.url, table, machine) : fresh };
  });
  return [...files, ...ca];
}

/** What `_default` says is for registries that have no folder: those that get one now lose it. */
export function hidden({ registries }: Wish, directory: string, machine: Machine): string[] {
  const there = machine.list(directory);
  const folders = registries.map(({ name }) => folderOf(name, directory, machine));
  const made = folders
    .filter((folder) => machine.list(folder).length === 0)
    .map((folder) => folder.slice(directory.length + 1));
  if (!there.includes('_default') || made.length === 0) return [];
  return [`what is in ${directory}/_default, certificates too, no longer counts for ${made.join(', ')}`];
}

/** Where there is a `host_port_`, it is taken before `host:port`. */
function folderOf(name: string, directory: string, machine: Machine): string {
  const other = name.replace(/:(\d+)$/, '_$1_');
  return `${directory}/${machine.list(directory).includes(other) ? other : name}`;
}

/** An empty hosts.toml is as good as none. */
function isRead(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

/** The certificates and keys of a folder count for its registry until there is a hosts.toml: it has to name them. */
function trustedIn(folder: string, machine: Machine): string {
  const names = machine.list(folder);
  const at = (name: string) => `${folder}/${name}`;
  const cas = names.filter((name) => name.endsWith('.crt')).map(at);
  const pairs = names
    .filter((name) => name.endsWith('.cert'))
    .map((name) => [name, name.replace(/cert$/, 'key')].filter((each) => names.includes(each)).map(at));
  return [
    ...(cas.length === 0 ? [] : [`ca = ${tomlValue(cas)}\n`]),
    ...(pairs.length === 0 ? [] : [`client = [${pairs.map(tomlValue).join(', ')}]\n`]),
  ].join('');
}

function withHost(
  path: string,
  found: string,
  url: string,
  table: Readonly<Record<string, string | readonly string[]>>,
  machine: Machine,
): string {
  const parse = machine.parse.toml;
  const hosts = Object.keys(valueAt(understand(path, found, parse), ['host']) ?? {});
  const text = hosts.includes(url) ? eachKey() : withTable(found, ['host', url], table, parse);
  if (text !== undefined && Object.keys(valueAt(parse(text), ['host']) ?? {})[0] === url) return text;
  throw new Refusal(`${path} is there and cannot be added to safely; let it name this host before all others:`, [
    `[host."${url}"]`,
    ...Object.entries(table).map(([key, value]) => `  ${key} = ${tomlValue(value)}`),
  ]);

  function eachKey(): string | undefined {
    return Object.entries(table).reduce<string | undefined>(
      (edited, [key, value]) => edited && withToml(edited, ['host', url, key], value, parse),
      found,
    );
  }
}

/** Trusts `ca` for each registry, asked by its own name. */
export function registryCas(wish: Wish, directory: string, machine: Machine): PlannedFile[] {
  const { ca } = wish;
  if (ca === undefined) return [];
  return wish.registries.flatMap(({ name }: Target): PlannedFile[] => {
    // Without a hosts.toml, every *.crt of the folder is trusted; with one, what it names.
    const folder = folderOf(name, directory, machine);
    const certificate = { path: `${folder}/sampan-ca.crt`, text: ca };
    const path = `${folder}/hosts.toml`;
    const found = machine.read(path);
    if (!isRead(found)) return [certificate];
    const trusted = listWith(valueAt(understand(path, found, machine.parse.toml), ['ca']), certificate.path, 'last');
    const text = withToml(found, ['ca'], trusted, machine.parse.toml);
    if (text === undefined) {
      throw new Refusal(`${path} cannot be added to safely; let it say:`, [`ca = ${tomlValue(trusted)}`]);
    }
    return [certificate, { path, text }];
  });
}
