// containerd, and what stands on it (Kubernetes' CRI, nerdctl): certs.d, `config_path`, which leads the CRI plugin there, and the unit's environment.
import { importedLast } from './containerd-imports.ts';
import { checkSystemd, proxyDropIn } from './environment.ts';
import { hidden, mirrorHosts, registryCas } from './hosts-toml.ts';
import { tomlKey, withToml } from './insert.ts';
import {
  atLeast,
  isRecord,
  type Machine,
  type Plan,
  type PlannedFile,
  Refusal,
  serviceCommands,
  understand,
  valueAt,
  type Wish,
} from './plan.ts';

const config = '/etc/containerd/config.toml';
const usual = '/etc/containerd/certs.d';
const byHand = 'ctr does not read config.toml: give it --hosts-dir';

export function planContainerd(wish: Wish, machine: Machine): Plan {
  if (machine.version !== undefined && !atLeast(machine.version, 1, 5)) {
    throw new Refusal(`hosts.toml is for containerd 1.5 and later, this one is ${machine.version}`);
  }
  const { directory, files, notes } = leadTo(machine);
  const restart = serviceCommands(machine, 'restart', 'containerd');
  if (wish.way.kind === 'mirror') {
    return {
      files: [...files, ...mirrorHosts(wish, directory, machine)],
      commands: files.length === 0 ? [] : restart,
      notes: [...notes, ...hidden(wish, directory, machine), `${byHand} ${directory}`],
    };
  }
  checkSystemd(machine, wish.way.url);
  return {
    files: [
      ...proxyDropIn('containerd', wish.way.url, machine),
      ...(wish.ca === undefined ? [] : [...files, ...registryCas(wish, directory, machine)]),
    ],
    commands: [['systemctl', 'daemon-reload'], ...restart],
    notes: wish.ca === undefined ? [] : [...notes, ...hidden(wish, directory, machine), `${byHand} ${directory}`],
  };
}

interface Lead {
  readonly directory: string;
  readonly files: readonly PlannedFile[];
  readonly notes: readonly string[];
}

/** Where the CRI plugin looks, or config.toml with what makes it look in the usual place. */
function leadTo(machine: Machine): Lead {
  const text = machine.read(config) ?? '';
  const found = understand(config, text, machine.parse.toml);
  const disabled = valueAt(found, ['disabled_plugins']);
  if (
    Array.isArray(disabled) &&
    disabled.some((plugin) => plugin === 'cri' || plugin === 'io.containerd.grpc.v1.cri')
  ) {
    return { directory: usual, files: [], notes: [] };
  }
  const elsewhere = leadElsewhere(found, machine);
  if (elsewhere !== undefined) return elsewhere;
  const registry = registryTable(found, text, machine);
  if (registry === undefined) {
    return {
      directory: usual,
      files: [],
      notes: [
        `containerd's version is not known: for Kubernetes, config_path has to lead to ${usual}; say --client-version`,
      ],
    };
  }
  const { directory, read } = leadIn(valueAt(found, [...registry, 'config_path']), machine);
  if (read) return { directory, files: [], notes: [] };
  checkOldMirrors(config, valueAt(found, registry));
  return { directory, files: [{ path: config, text: lead(text, registry, directory, machine) }], notes: [] };
}

/** Where a `config_path` leads, and whether the CRI plugin follows it. */
function leadIn(value: unknown, { version }: Machine): { readonly directory: string; readonly read: boolean } {
  const paths = typeof value === 'string' && value !== '' ? value.split(':') : [];
  const [directory = usual] = paths;
  // 2.1 to 2.2.1 take a list for the name of one directory, and look nowhere.
  return { directory, read: paths.length === 1 || (paths.length > 1 && !atLeast(version, 2)) };
}

const plugins = ['cri', 'io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images'];

/** What an imported file says of the CRI plugin takes the place of what config.toml does; other people's files are theirs. */
function leadElsewhere(found: unknown, machine: Machine): Lead | undefined {
  const unsaid = atLeast(machine.version, 2, 2) ? ['/etc/containerd/conf.d/*.toml'] : [];
  const imported = importedLast(config, found, plugins, machine, unsaid);
  if (imported === undefined) return undefined;
  const plugin = plugins.findLast((each) => valueAt(imported.found, ['plugins', each]) !== undefined) ?? '';
  const registry = ['plugins', plugin, 'registry'];
  const { directory, read } = leadIn(valueAt(imported.found, [...registry, 'config_path']), machine);
  if (read) return { directory, files: [], notes: [] };
  checkOldMirrors(imported.path, valueAt(imported.found, registry));
  throw new Refusal(`${imported.path} takes the place of what ${config} says of the CRI plugin; let it say:`, [
    `[${registry.map(tomlKey).join('.')}]`,
    `  config_path = "${directory}"`,
  ]);
}

/** As the file's version calls it; a file that is not there yet gets the version that this containerd knows. */
function registryTable(found: unknown, text: string, machine: Machine): readonly string[] | undefined {
  const said = valueAt(found, ['version']);
  const fresh = text.trim() === '';
  if (fresh && machine.version === undefined) return undefined;
  const version = fresh ? freshVersion(machine) : typeof said === 'number' ? said : 1;
  if (version < 2) return ['plugins', 'cri', 'registry'];
  return ['plugins', version === 2 ? 'io.containerd.grpc.v1.cri' : 'io.containerd.cri.v1.images', 'registry'];
}

function freshVersion(machine: Machine): number {
  return atLeast(machine.version, 2) ? 3 : 2;
}

function lead(text: string, registry: readonly string[], directory: string, machine: Machine): string {
  const base = text.trim() === '' ? `version = ${freshVersion(machine)}\n` : text;
  const edited = withToml(base, [...registry, 'config_path'], directory, machine.parse.toml);
  if (edited !== undefined) return edited;
  throw new Refusal(`${config} cannot be added to safely; let it say:`, [
    `[${registry.map(tomlKey).join('.')}]`,
    `  config_path = "${directory}"`,
  ]);
}

/** The CRI plugin does not load if there is a `config_path` beside these. */
function checkOldMirrors(path: string, registry: unknown): void {
  const mirrors = valueAt(registry, ['mirrors']);
  const configs = Object.entries(valueAt(registry, ['configs']) ?? {});
  const named = [
    ...(isRecord(mirrors) && Object.keys(mirrors).length > 0 ? ['registry.mirrors'] : []),
    ...(configs.some(([, each]) => valueAt(each, ['tls']) !== undefined) ? ['registry.configs.*.tls'] : []),
  ];
  if (named.length === 0) return;
  throw new Refusal(
    `${path} has ${named.join(' and ')}, and containerd's CRI plugin does not load if there is a config_path beside; move those to ${usual}/<registry>/hosts.toml first`,
  );
}
