// A registry that says of everything that it has it, configured beside one with private images: nothing of theirs is had by way of it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertHad, assertNothingOf, byDigest, type Ask, seen } from './attack-asks.ts';
import { AttackLab, type OpenSpied, type State, states } from './attack-lab.ts';
import { nothing, own, type Shows, type Way } from './attack-ways.ts';
import { basic } from './door.ts';

/** The liar is the third party, who holds all the names, sizes and types of the good one. */
const way: Way = {
  ...own,
  alone: true,
  attackers: {},
  settings: ({ hub, third }) => ({
    access: 'open',
    registries: {
      'docker.io': { endpoints: [hub.url], login: 'own' },
      'liar.example': { endpoints: [third.url] },
      'login.example': { endpoints: [third.url], login: 'own' },
    },
  }),
};

const liars: Readonly<Record<string, { readonly registry: string; readonly shows: Shows }>> = {
  'in nobody’s name': { registry: 'liar.example', shows: nothing },
  'with a login of the liar’s': {
    registry: 'login.example',
    shows: (lab, repository) => lab.token(repository, basic('mallory'), 'login.example'),
  },
};

const asks: readonly Ask[] = [
  { what: 'a manifest by its tag', path: () => 'manifests/1' },
  ...byDigest.filter(({ method, headers, what }) => {
    // What it says of itself in a head is its own, and so is a list.
    return method !== 'HEAD' && headers?.['if-none-match'] === undefined && what !== 'the referrers';
  }),
];

export function describeLiar(name: string, open: OpenSpied): void {
  describe(`${name} beside a registry that lies`, () => {
    describeOne('and tells sizes', true, open);
    describeOne('and tells none', false, open);
  });
}

function describeOne(name: string, sized: boolean, open: OpenSpied): void {
  describe(name, { timeout: 60_000 }, () => {
    const lab = new AttackLab(way);
    before(async () => {
      await lab.open(open);
      await lab.stage();
      lab.third.levers.token = { expiresIn: 300, mark: 'liar' };
      lab.third.levers.contentLength = sized;
      lab.third.levers.answers = [{ path: /\/(manifests|blobs)\//, method: 'GET', status: 404 }];
    });
    after(() => lab.close());

    for (const [how, { registry, shows }] of Object.entries(liars)) {
      for (const ask of asks) {
        it(`gives nothing for ${ask.what} ${how}, whether it is here or not`, async () => {
          const told = new Map<State, string>();
          for (const secret of lab.secrets) {
            const at = `open/${secret.name}`;
            const target = `/v2/${at}/${ask.path(secret)}?ns=${registry}`;
            const answer = await lab.ask({ target, headers: ask.headers ?? {} }, await shows(lab, at));
            assertNothingOf(secret, answer);
            told.set(secret.state, seen(answer, at, secret));
          }
          for (const state of states) assert.equal(told.get(state), told.get('not'), state);
        });
      }
    }

    it('who may have it gets it from the good one', async () => {
      for (const answer of await lab.finish()) assert.equal(answer.status, 200);
      for (const secret of lab.secrets) {
        const at = `acme/${secret.name}`;
        const shows = await way.owner(lab, at);
        for (const ask of asks) {
          const answer = await lab.ask({ target: `/v2/${at}/${ask.path(secret)}`, headers: ask.headers ?? {} }, shows);
          assertHad(ask, secret, answer.status, Buffer.from(answer.body));
        }
      }
    });
  });
}
