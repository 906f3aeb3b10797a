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
  const files = wish.registries.map((registry) => {
    const path = `${directory}/${registry.name}/hosts.toml`;
    const found = machine.read(path);
    const lines = Object.entries(table).map(([key, value]) => `  ${key} = ${tomlValue(value)}\n`);
    const fresh = `server = "${registry.server}"\n\n[host."${wish.way.url}"]\n${lines.join('')}`;
    return { path, text: found === undefined ? fresh : withHost(path, found, wish.way.url, table, machine) };
  });
  return [...files, ...ca];
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
    const certificate = { path: `${directory}/${name}/sampan-ca.crt`, text: ca };
    const path = `${directory}/${name}/hosts.toml`;
    const found = machine.read(path);
    if (found === undefined) return [certificate];
    const trusted = listWith(valueAt(understand(path, found, machine.parse.toml), ['ca']), certificate.path, 'last');
    const text = withToml(found, ['ca'], trusted, machine.parse.toml);
    if (text === undefined) {
      throw new Refusal(`${path} cannot be added to safely; let it say:`, [`ca = ${tomlValue(trusted)}`]);
    }
    return [certificate, { path, text }];
  });
}
