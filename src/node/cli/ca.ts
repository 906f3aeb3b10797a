// `sampan ca`: shows the authority by which interception is trusted, has this machine trust it, and makes a new one.
import { ConfigError } from '../../config/problem.ts';
import { interceptedHosts } from '../../core/upstream/hosts.ts';
import { type Config, type Flags, readConfig } from '../config/config.ts';
import { type Authority, certificateFile, covers, findAuthority, keyFile, renewAuthority } from '../proxy/authority.ts';
import { TrustStore } from '../proxy/trust-store.ts';
import { agreed } from './agreed.ts';
import { whyNotPermitted } from './not-permitted.ts';
import { distrust, offerToRemove, toldOf, trustedBesides } from './trust.ts';

export interface CaFlags extends Flags {
  readonly pem?: true;
  readonly yes?: true;
  readonly undo?: true;
  readonly root?: string;
}

/** Each resolves with the exit code: 0, 1 if it could not be done, 2 if the configuration is wrong. */
type Verb = (config: Config, flags: CaFlags) => Promise<number>;

export async function manageAuthority(verb: 'show' | 'install' | 'renew', flags: CaFlags): Promise<number> {
  try {
    const config = await readConfig({ flags, environment: process.env, directory: process.cwd() });
    return await verbs[verb](config, flags);
  } catch (error) {
    if (error instanceof ConfigError) return complain(error.message, 2);
    return complain(whyNotPermitted(error) ?? (error as Error).message);
  }
}

const none = `There is no authority yet. It is made when sampan starts with proxy.intercept, or by: sampan ca renew`;

const verbs: Readonly<Record<'show' | 'install' | 'renew', Verb>> = {
  async show(config, { pem }) {
    const authority = findAuthority(config.data);
    if (authority === undefined) return complain(none);
    print(pem === true ? authority.certificate : described(authority, config));
    return 0;
  },

  async install(config, { undo, yes, root = '/' }) {
    const store = TrustStore.find(root);
    if (store === undefined) return complain('this system keeps its authorities where sampan does not know');
    if (undo === true) return takeBack(store, config.data);
    const authority = findAuthority(config.data);
    if (authority === undefined) return complain(none);
    const file = store.file(authority.fingerprint);
    const besides = trustedBesides(store, config.data, authority);
    print(`${described(authority, config)}\nIt will be trusted on this machine, by ${file}.\n${toldOf(besides)}`);
    const wanted = yes === true || (await agreed('Trust it?'));
    if (wanted === undefined) return complain('there is nobody to ask; --yes goes ahead');
    if (!wanted) return 1;
    print(`Trusted, by: ${store.add(file, authority.certificate)}\n`);
    print(await offerToRemove(store, besides.former, yes === true));
    print(`\n${whoReadsIt}`);
    return 0;
  },

  async renew(config) {
    const hosts = hostsIn(config);
    if (hosts.length === 0) return complain('nothing is intercepted: proxy.intercept names no registry');
    const { authority, former } = renewAuthority(config.data, hosts, Date.now());
    print(described(authority, config));
    if (former !== undefined) print(`\nThe one before lies in ${former}; nothing reads it any more.\n`);
    const store = TrustStore.find('/');
    if (store !== undefined) print(toldOf(trustedBesides(store, config.data, authority)));
    print('\nWhat comes now: start sampan anew, and on every machine that trusted the one before: sampan ca install\n');
    return 0;
  },
};

function takeBack(store: TrustStore, data: string): number {
  const { done, left } = distrust(store, data);
  print(left);
  if (done === undefined) return complain(`no authority of this sampan's is in ${store.directory}`);
  print(`${done}Restart dockerd and containerd, which have read it.\n`);
  return 0;
}

function described(authority: Authority, config: Config): string {
  const { domains, fingerprint, from, until, directory } = authority;
  const left = hostsIn(config).filter((host) => !covers(domains, host.replace(/^\*\./, '')));
  const outside = `Not good for ${left.join(', ')}: these are not intercepted. See: sampan ca renew\n`;
  return `The authority of this sampan, by which it shows itself in place of registries
  SHA-256      ${fingerprint}
  good from    ${day(from)} until ${day(until)}
  good for     ${domains.join(', ')}, and what is below; constrained to these
  certificate  ${certificateFile(directory)}
  key          ${keyFile(directory)}
${left.length === 0 ? '' : outside}`;
}

function hostsIn({ registries, proxy }: Config): readonly string[] {
  return interceptedHosts(registries, proxy?.intercept ?? []);
}

const whoReadsIt = `Who reads it
  docker, containerd   restart the daemon: it read the system's authorities when it started
  podman, skopeo,      nothing to do: they read them each time
  buildah, curl
  k3s, rke2            restart it, or name the file at configs.<registry>.tls.ca_file in registries.yaml
  BuildKit in a        has a system of its own: [registry."<registry>"] ca=["<file>"] in buildkitd.toml,
  container            and the file in that container
  Java, Node, Python   have authorities of their own
Other machines: sampan ca show --pem, and there a file of the same name where that system keeps them.
To take it back: sampan ca install --undo
`;

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function print(text: string): void {
  process.stdout.write(text);
}

function complain(message: string, exitCode = 1): number {
  process.stderr.write(`sampan: ${message.trimEnd()}\n`);
  return exitCode;
}
