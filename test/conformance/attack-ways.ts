// The ways in which an image can be private, and who comes for it in each of them.
import { seal } from '../../src/core/access/seal.ts';
import { createMac } from '../../src/node/mac.ts';
import { basic, kept, key, secrets, type Settings, tokenIn } from './door.ts';
import type { AttackLab } from './attack-lab.ts';
import type { ReachableFace } from './chain.ts';

/** What somebody shows for a repository; undefined: nothing. */
export type Shows = (lab: AttackLab, repository: string) => Promise<string | undefined> | string | undefined;

export interface Way {
  readonly settings: (lab: AttackLab) => Promise<Settings> | Settings;
  /** Whoever may have the private ones. */
  readonly owner: Shows;
  /** Whoever may have what is public, and no more. */
  readonly guest: Shows;
  readonly attackers: Readonly<Record<string, Shows>>;
  /** The private ones were public once, and were pulled then. */
  readonly formerly?: boolean;
  /** At the registry anybody may have all of it. */
  readonly open?: boolean;
  /** Rules deny it here, whatever the registry says: nothing has to be looked at to refuse it. */
  readonly denied?: boolean;
  /** Only the private ones are pulled, by their owner, so that nothing is here by way of somebody else. */
  readonly alone?: boolean;
  /** From where an attack comes, by its number, if not from where everybody is. */
  readonly from?: (attack: number) => string;
  /** Once all are in their states. */
  readonly staged?: (lab: AttackLab) => Promise<void>;
  /** Opens another one behind the one that has these settings. */
  readonly behind?: (lab: AttackLab, before: ReachableFace) => Promise<Settings>;
}

export const nothing: Shows = () => undefined;
const longAgo = 1000;
export const later = Date.UTC(2100, 0);

export function sealed(pass: Parameters<typeof seal>[2], until: number): Promise<string> {
  return seal(createMac(key), 'docker.io', pass, until).then((token) => `Bearer ${token}`);
}

/** Of an account that has a secret and no password. */
export async function tokenOf(name: keyof typeof secrets, until: number): Promise<string> {
  const mac = (await kept(secrets[name])).slice('hmac-sha256:'.length);
  return sealed({ kind: 'account', name, kept: `${mac} ` }, until);
}

/** A token of this mirror for a login at the registry; in it is the registry's own. */
export const relayed =
  (user: string): Shows =>
  (lab, repository) =>
    lab.token(repository, basic(user));

export const own: Omit<Way, 'settings' | 'attackers'> = { owner: relayed('owner'), guest: relayed('other') };
const ownAttackers: Way['attackers'] = {
  'another login': relayed('other'),
  nobody: nothing,
  async 'a login that was revoked'(lab, repository) {
    const token = await lab.token(repository, basic('owner'));
    lab.hub.tokens.revoke(lab.upstreamToken(token));
    return token;
  },
  async 'a token that is over'(lab, repository) {
    const authorization = `Bearer ${lab.upstreamToken(await lab.token(repository, basic('owner')))}`;
    return sealed({ kind: 'authorization', authorization, grantor: lab.hub.url }, longAgo);
  },
  'a token with one that the registry does not know any more': ({ hub }) =>
    sealed({ kind: 'authorization', authorization: 'Bearer hubtoken-1000000', grantor: hub.url }, later),
  async 'a token for another repository'(lab, repository) {
    return lab.token(repository.replace('acme', 'open'), basic('owner'));
  },
};

export const alice = basic('alice', secrets.alice);
export const bob = basic('bob', secrets.bob);
export const shared: Omit<Way, 'settings'> = {
  owner: () => alice,
  guest: () => bob,
  attackers: {
    'another account': () => bob,
    nobody: nothing,
    'an account that is no more': () => sealed({ kind: 'account', name: 'carol', kept: '' }, later),
    'a token that is over': () => tokenOf('alice', longAgo),
    'somebody’s login at the registry': () => basic('other'),
  },
};
export async function sharedSettings(lab: AttackLab, access: string): Promise<Settings> {
  return {
    access,
    accounts: {
      alice: { mac: await kept(secrets.alice), allow: ['docker.io/acme/*'] },
      bob: { mac: await kept(secrets.bob) },
    },
    registries: {
      'docker.io': {
        endpoints: [lab.hub.url],
        login: 'account',
        credentials: { username: 'owner', password: 'swordfish' },
      },
    },
  };
}

/** Of a sampan behind another one, whose endpoint opens what alice may have: whatever is shown there is not what opens it. */
function chained(login: string, before: string): Way {
  return {
    ...shared,
    attackers: {
      ...shared.attackers,
      'any login': () => basic('x', 'y'),
      'any token': () => 'Bearer x',
      async 'what any login gets a token for'(lab, repository) {
        const target = `/token?service=docker.io&scope=repository:${repository}:pull`;
        const got = await lab.ask({ target }, basic('x', 'y'));
        return got.status === 200 ? tokenIn(got) : basic('x', 'y');
      },
    },
    settings: async (lab) => withLogin(await sharedSettings(lab, 'login'), before),
    async behind(lab, { origin }) {
      const endpoint = `${origin}/${secrets.alice}/docker.io`;
      const registries = { 'docker.io': { endpoints: [endpoint] } };
      return withLogin({ ...(await sharedSettings(lab, 'open')), registries }, login);
    },
  };
}

function withLogin(settings: Settings, login: string): Settings {
  const { 'docker.io': hub } = settings['registries'] as Readonly<Record<string, object>>;
  return { ...settings, registries: { 'docker.io': { ...hub, login: login === 'none' ? undefined : login } } };
}

/** As the registry itself gives it to a client that asks there. */
export const direct =
  (user: string): Shows =>
  (lab, repository) =>
    lab.direct(repository, basic(user));

export const ways: Readonly<Record<string, Way>> = {
  'the registry’s own logins': {
    ...own,
    alone: true,
    settings: ({ hub }) => ({
      access: 'open',
      registries: { 'docker.io': { endpoints: [hub.url], login: 'own' } },
    }),
    attackers: { ...ownAttackers, 'a pass for nobody': (lab, repository) => lab.token(repository) },
  },
  'the registry’s own logins, and nobody without': {
    ...own,
    settings: ({ hub }) => ({
      access: 'login',
      registries: { 'docker.io': { endpoints: [hub.url], login: 'own' } },
    }),
    attackers: ownAttackers,
  },
  'our credentials for accounts that rules name': {
    ...shared,
    alone: true,
    settings: (lab) => sharedSettings(lab, 'open'),
  },
  'our credentials, and nobody without an account': {
    ...shared,
    settings: (lab) => sharedSettings(lab, 'login'),
  },
  'what was public once': {
    formerly: true,
    settings: ({ hub, third }) => ({
      access: 'open',
      registries: { 'docker.io': { endpoints: [hub.url], mirrors: [third.url], fresh_for: '0s' } },
    }),
    owner: direct('owner'),
    guest: nothing,
    attackers: {
      'another login': direct('other'),
      nobody: nothing,
      async 'a login that was revoked'(lab, repository) {
        const token = await lab.direct(repository, basic('owner'));
        lab.hub.tokens.revoke(token.replace('Bearer ', ''));
        return token;
      },
      'a token that nobody knows': () => 'Bearer hubtoken-1000000',
    },
  },
  'another sampan before this one': chained('account', 'account'),
  'another sampan before this one, where nobody logs in': chained('none', 'account'),
  'another sampan before this one, and nobody logs in at either': chained('none', 'none'),
  'another sampan before this one, which relays logins to it': chained('own', 'account'),
};
