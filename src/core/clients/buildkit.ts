// BuildKit as a daemon of its own: buildkitd.toml, and the unit's environment.
import { checkSystemd, proxyDropIn } from './environment.ts';
import { tomlKey, tomlValue, type Value, withToml } from './insert.ts';
import {
  hostOf,
  isPlainHttp,
  listWith,
  type Machine,
  placeOf,
  type Plan,
  Refusal,
  serviceCommands,
  understand,
  valueAt,
  type Wish,
} from './plan.ts';

const config = '/etc/buildkit/buildkitd.toml';
const certificate = '/etc/buildkit/sampan-ca.pem';

interface Setting {
  readonly path: readonly string[];
  readonly value: Value;
}

export function planBuildkit(wish: Wish, machine: Machine): Plan {
  const { url, kind } = wish.way;
  const text = settingsFor(wish, machine).reduce((edited, setting) => set(edited, setting, machine), read(machine));
  const changed = text === read(machine) ? [] : [{ path: config, text }];
  const restart = serviceCommands(machine, 'restart', 'buildkit');
  const files = [...changed, ...(wish.ca === undefined ? [] : [{ path: certificate, text: wish.ca }])];
  const builder = `docker buildx has builders of its own, made with: docker buildx create`;
  if (kind === 'mirror') {
    return {
      files,
      commands: restart,
      notes: [
        `${builder} --buildkitd-config ${config}`,
        "the builder inside of dockerd reads docker's configuration: sampan configure docker",
      ],
    };
  }
  checkSystemd(machine, url);
  return {
    files: [...files, ...proxyDropIn('buildkit', url, machine)],
    commands: [['systemctl', 'daemon-reload'], ...restart],
    notes: [`${builder} --driver-opt env.HTTPS_PROXY=${url} --driver-opt env.HTTP_PROXY=${url}`],
  };
}

function read(machine: Machine): string {
  return machine.read(config) ?? '';
}

function settingsFor({ way, registries, ca }: Wish, machine: Machine): Setting[] {
  const found = understand(config, read(machine), machine.parse.toml);
  const listed = (path: string[], added: string, where: 'first' | 'last'): Setting => ({
    path,
    value: listWith(valueAt(found, path), added, where),
  });
  const trust = (host: string) => (ca === undefined ? [] : [listed(['registry', host, 'ca'], certificate, 'last')]);
  if (way.kind === 'proxy') return registries.flatMap(({ name }) => trust(name));
  const place = placeOf(way.url);
  const mirrors = registries.map(({ name }) => listed(['registry', name, 'mirrors'], place, 'first'));
  const plain = isPlainHttp(way.url) ? [{ path: ['registry', hostOf(way.url), 'http'], value: true }] : [];
  return [...mirrors, ...plain, ...trust(hostOf(way.url))];
}

function set(text: string, { path, value }: Setting, machine: Machine): string {
  const edited = withToml(text, path, value, machine.parse.toml);
  if (edited !== undefined) return edited;
  throw new Refusal(`${config} cannot be added to safely; let it say:`, [
    `[${path.slice(0, -1).map(tomlKey).join('.')}]`,
    `  ${path.at(-1)} = ${tomlValue(value)}`,
  ]);
}
