// k3s: registries.yaml, and the environment files of its services.
import { checkSystemd, withVariables } from './environment.ts';
import { type Value, withYaml } from './insert.ts';
import {
  hostOf,
  type Machine,
  placeOf,
  type Plan,
  type PlannedFile,
  Refusal,
  serviceCommands,
  understand,
  valueAt,
  type Wish,
} from './plan.ts';

const config = '/etc/rancher/k3s/registries.yaml';
const certificate = '/etc/rancher/k3s/sampan-ca.pem';

export function planK3s(wish: Wish, machine: Machine): Plan {
  const { way, ca } = wish;
  const service = serviceOf(machine);
  const settings = way.kind === 'mirror' ? mirrorSettings(wish, machine) : [];
  const hosts = way.kind === 'mirror' ? [hostOf(way.url)] : wish.registries.map(({ name }) => name);
  for (const host of ca === undefined ? [] : hosts) settings.push([['configs', host, 'tls', 'ca_file'], certificate]);
  const text = settings.reduce((edited, [path, value]) => set(edited, path, value, machine), read(machine));
  const files: PlannedFile[] = [
    ...(settings.length === 0 ? [] : [{ path: config, text }]),
    ...(ca === undefined ? [] : [{ path: certificate, text: ca }]),
  ];
  const restart = serviceCommands(machine, 'restart', service);
  if (way.kind === 'mirror') return { files, commands: restart, notes: [] };
  checkSystemd(machine, way.url);
  return { files: [...files, environment(service, way.url, machine)], commands: restart, notes: [] };
}

type Setting = readonly [path: readonly string[], value: Value];

/** k3s takes a path as all that comes before the repository. */
function mirrorSettings({ way, registries }: Wish, machine: Machine): Setting[] {
  const endpoint = placeOf(way.url).includes('/') ? `${way.url}/v2` : way.url;
  const found = understand(config, read(machine), machine.parse.yaml);
  // Each goes before those that are there.
  return registries.toReversed().flatMap(({ name }): Setting[] => {
    const path = ['mirrors', name, 'endpoint'];
    const others = valueAt(found, path);
    if (others === undefined) return [[path, [endpoint]]];
    if (Array.isArray(others) && others.includes(endpoint)) return [];
    throw new Refusal(`${config} says already where ${name} is pulled from; add this endpoint there by hand:`, [
      `- ${JSON.stringify(endpoint)}`,
    ]);
  });
}

function read(machine: Machine): string {
  return machine.read(config) ?? '';
}

function set(text: string, path: readonly string[], value: Value, machine: Machine): string {
  understand(config, text, machine.parse.yaml);
  const edited = withYaml(text, path, value, machine.parse.yaml);
  if (edited !== undefined) return edited;
  throw new Refusal(`${config} cannot be added to safely; let it say:`, [
    `${path.join(': ')}: ${JSON.stringify(value)}`,
  ]);
}

/** A machine is a server, or an agent. */
function serviceOf(machine: Machine): string {
  const has = (service: string) => machine.list('/etc/systemd/system').includes(`${service}.service`);
  return !has('k3s') && has('k3s-agent') ? 'k3s-agent' : 'k3s';
}

/** Variables so called are for k3s' containerd alone: the cluster's own connections stay as they are. */
function environment(service: string, url: string, machine: Machine): PlannedFile {
  const path = `/etc/systemd/system/${service}.service.env`;
  const variables = { CONTAINERD_HTTP_PROXY: url, CONTAINERD_HTTPS_PROXY: url };
  return { path, text: withVariables(machine.read(path) ?? '', variables, (name, value) => `${name}=${value}`) };
}
