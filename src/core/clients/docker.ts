// docker: daemon.json, certs.d of the containerd image store, and for old daemons' proxies the environment.
import { checkFlags, daemonJson, defaults } from './docker-flags.ts';
import { exportLine, proxyDropIn, withVariables } from './environment.ts';
import { hidden, mirrorHosts, registryCas } from './hosts-toml.ts';
import { memberOf, parseJson, withFirstItem, withMember } from './json-text.ts';
import {
  atLeast,
  hostOf,
  type Machine,
  placeOf,
  type Plan,
  type PlannedFile,
  Refusal,
  serviceCommands,
  understand,
  type Wish,
} from './plan.ts';

const certs = '/etc/docker/certs.d';

export function planDocker(wish: Wish, machine: Machine): Plan {
  return wish.way.kind === 'mirror' ? planMirror(wish, machine) : planProxy(wish, machine);
}

/** Two ways, by where docker keeps images; both are written if nobody knows, because each is harmless to the other. */
function planMirror(wish: Wish, machine: Machine): Plan {
  const { version, imageStore } = machine;
  const ofHub = wish.registries.some(({ name }) => name === 'docker.io');
  const byHosts = imageStore !== 'graphdriver' && (version === undefined || atLeast(version, 28));
  const byMirrors = ofHub && !(byHosts && imageStore === 'containerd');
  if (!byHosts && !byMirrors) throw new Refusal(`${hubOnly(machine)}; nothing to write`, otherwise(wish));
  const daemon = byMirrors ? daemonFiles(wish, machine) : [];
  return {
    files: [...daemon, ...(byHosts ? mirrorHosts(wish, certs, machine) : [])],
    // Mirrors are among what dockerd reads again without a restart.
    commands: byMirrors ? serviceCommands(machine, 'reload', 'docker') : [],
    notes: [
      ...(version === undefined ? [unknown] : []),
      ...(byHosts ? hostsNotes(wish, machine) : hubNotes(wish, machine)),
    ],
  };
}

const unknown =
  "docker's version is not known, so only what every version takes is written; say it with --client-version";

function hostsNotes(wish: Wish, machine: Machine): string[] {
  const lost = hidden(wish, certs, machine);
  if (machine.imageStore === 'containerd') return lost;
  return [
    ...lost,
    `${certs} counts from Docker 28 on and with the containerd image store, which could not be asked for; without it only docker.io is mirrored`,
  ];
}

function hubNotes(wish: Wish, machine: Machine): string[] {
  if (wish.registries.every(({ name }) => name === 'docker.io')) return [];
  return [[`${hubOnly(machine)}; others are pulled past it, or`, ...otherwise(wish)].join(' ')];
}

function hubOnly({ version, imageStore }: Machine): string {
  if (imageStore === 'graphdriver' && atLeast(version, 28)) {
    return 'registry-mirrors is for Docker Hub only, and this Docker has no containerd image store, with which it could mirror any registry';
  }
  return `registry-mirrors is for Docker Hub only, and Docker ${version} has nothing else`;
}

function otherwise(wish: Wish): string[] {
  const other = wish.registries.find(({ name }) => name !== 'docker.io')?.name ?? 'ghcr.io';
  return [`by sampan's address: docker pull ${placeOf(wish.way.url)}/${other}/owner/image`];
}

function daemonFiles(wish: Wish, machine: Machine): PlannedFile[] {
  const { url } = wish.way;
  if (placeOf(url).includes('/') && !atLeast(machine.version, 25)) {
    throw new Refusal(
      `a mirror's URL with a path is for Docker 25 and later, this one is ${machine.version ?? 'unknown'}`,
    );
  }
  checkFlags(machine, ['registry-mirror'], { 'registry-mirrors': [url] });
  const text = editDaemon(machine, (found) => {
    const mirrors = memberOf(parseJson(found), 'registry-mirrors');
    if (mirrors?.items === undefined) return withMember(found, parseJson(found), 'registry-mirrors', [url]);
    const listed = mirrors.items.map(({ start, end }) =>
      String(JSON.parse(found.slice(start, end))).replace(/\/$/, ''),
    );
    return listed.includes(url) ? found : withFirstItem(found, mirrors, url);
  });
  const ca = wish.ca === undefined ? [] : [{ path: `${certs}/${hostOf(url)}/sampan-ca.crt`, text: wish.ca }];
  return [{ path: daemonJson, text }, ...ca];
}

function planProxy(wish: Wish, machine: Machine): Plan {
  const { url } = wish.way;
  const trusted = {
    ...wish,
    registries: wish.registries.filter(({ name }) => machine.imageStore === 'containerd' || name !== 'docker.io'),
  };
  const notes = [
    ...(machine.version === undefined ? [unknown] : []),
    ...(wish.ca !== undefined && trusted.registries.length < wish.registries.length ? [systemTrust] : []),
    ...(wish.ca !== undefined && machine.imageStore === 'containerd' ? hidden(trusted, certs, machine) : []),
  ];
  const plan = (files: PlannedFile[], ...commands: string[][]): Plan => ({
    files: [...files, ...registryCas(trusted, certs, machine)],
    commands: [...commands, ...serviceCommands(machine, 'restart', 'docker')],
    notes,
  });

  if (atLeast(machine.version, 23)) return plan([{ path: daemonJson, text: proxiedDaemon(url, machine) }]);
  if (machine.systemd) return plan(proxyDropIn('docker', url, machine), ['systemctl', 'daemon-reload']);
  const variables = { HTTP_PROXY: url, HTTPS_PROXY: url };
  return plan([{ path: defaults, text: withVariables(machine.read(defaults) ?? '', variables, exportLine) }]);
}

const systemTrust =
  "for docker.io this Docker believes the system's certificates only: before it restarts, add the CA to those, by sampan ca install where sampan itself runs, elsewhere by update-ca-certificates or update-ca-trust";

/** What else stands in `proxies`, as no-proxy, stays. */
function proxiedDaemon(url: string, machine: Machine): string {
  const wanted = { 'http-proxy': url, 'https-proxy': url };
  checkFlags(machine, Object.keys(wanted), { proxies: wanted });
  return editDaemon(machine, (found) => {
    const proxies = memberOf(parseJson(found), 'proxies');
    if (proxies?.members === undefined) return withMember(found, parseJson(found), 'proxies', wanted);
    return Object.entries(wanted).reduce((text, [key, value]) => {
      const object = memberOf(parseJson(text), 'proxies') ?? proxies;
      const now = memberOf(object, key);
      const same = now !== undefined && text.slice(now.start, now.end) === JSON.stringify(value);
      return same ? text : withMember(text, object, key, value);
    }, found);
  });
}

function editDaemon(machine: Machine, edit: (found: string) => string): string {
  const found = machine.read(daemonJson) ?? '';
  if (found.trim() === '') return `${edit('{}')}\n`;
  const whole = understand(daemonJson, found, parseJson);
  if (whole.members === undefined) throw new Refusal(`${daemonJson} is not a JSON object; nothing was written`);
  return edit(found);
}
