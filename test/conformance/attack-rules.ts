// The ways in which rules deny an image, whether it is private or not; who is allowed by an earlier one may have it.
import {
  alice,
  bob,
  direct,
  later,
  nothing,
  own,
  relayed,
  tokenOf,
  shared,
  sharedSettings,
  type Way,
} from './attack-ways.ts';
import { home } from './attack-lab.ts';
import { kept, secrets } from './door.ts';

const all = ['docker.io/acme/*'];
const near = [`${home}/24`];
const fromAfar = () => '203.0.113.9';

/** So that it is nothing but the rules that keeps bob from it. */
const bobs = async (lab: Parameters<Way['settings']>[0], rules: readonly object[]) => {
  const settings = await sharedSettings(lab, 'open');
  const accounts = { ...(settings['accounts'] as object), bob: { mac: await kept(secrets.bob), allow: all } };
  return { ...settings, accounts, rules };
};

export const ruledWays: Readonly<Record<string, Way>> = {
  'a rule that denies a repository': {
    ...shared,
    denied: true,
    alone: true,
    settings: (lab) => bobs(lab, [{ allow: all, accounts: ['alice'] }, { deny: all }]),
  },
  'a rule that denies it to an account': {
    ...shared,
    denied: true,
    settings: (lab) => bobs(lab, [{ deny: all, accounts: ['bob'] }, { allow: all, accounts: ['*'] }, { deny: all }]),
    owner: () => alice,
    attackers: {
      'that account': () => bob,
      'a token of that account': () => tokenOf('bob', later),
      nobody: nothing,
    },
  },
  'a rule that denies it to other networks': {
    ...own,
    denied: true,
    alone: true,
    settings: ({ hub }) => ({
      access: 'open',
      rules: [{ allow: all, networks: near }, { deny: all }],
      registries: { 'docker.io': { endpoints: [hub.url], login: 'own' } },
    }),
    attackers: {
      'its owner, from afar,': relayed('owner'),
      'another login': relayed('other'),
      nobody: nothing,
    },
    from: fromAfar,
  },
  'a rule that denies what is public': {
    denied: true,
    open: true,
    settings: ({ hub }) => ({
      access: 'open',
      rules: [{ allow: all, networks: near }, { deny: all }],
      registries: { 'docker.io': { endpoints: [hub.url] } },
    }),
    owner: nothing,
    guest: nothing,
    attackers: { 'somebody with a login': direct('owner'), nobody: nothing },
    from: fromAfar,
  },
};
