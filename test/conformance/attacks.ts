// The attack table: what is asked for × whether it is here × who asks, for each way in which an image can be private.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Ask, assertHad, assertNothingOf, asks, byDigest, seen } from './attack-asks.ts';
import { AttackLab, type Forgery, type OpenSpied, owners, type Secret, type State, states } from './attack-lab.ts';
import { ruledWays } from './attack-rules.ts';
import { type Way, ways as privateWays } from './attack-ways.ts';
import type { FaceAnswer } from './face.ts';

export const allWays: Readonly<Record<string, Way>> = { ...privateWays, ...ruledWays };

/** What an attack must not have set off, where that can be seen: the decision is made of what the book says of this repository alone. */
function assertUntouched(calls: readonly string[], name: string, { denied }: Way): void {
  if (denied === true) return assert.deepEqual(calls, []);
  const evidence = new RegExp(`^book\\.\\w+ docker\\.io/${name}( |$)`);
  for (const call of calls) assert.ok(call.startsWith('asked ') || evidence.test(call), call);
}

/** Of what his repository only names, an attacker may cause the question that finds that out, and no look at its bytes. */
function assertUnread(calls: readonly string[], { item, layer }: Secret): void {
  for (const call of calls) {
    const isLook = /^store\.(open|read|check|delete) |^book\.touch /.test(call);
    assert.ok(!isLook || ![item.digest, layer.digest].some((digest) => call.includes(digest)), call);
  }
}

/** All where an image is here by way of its owner alone, none where rules deny it: those know nothing of what a manifest names. */
function forgeriesIn({ alone, denied }: Way, forgeries: readonly Forgery[]): readonly Forgery[] {
  if (denied === true) return [];
  return alone === true ? forgeries : forgeries.slice(0, 1);
}

function describeWay(name: string, way: Way, forgeries: readonly Forgery[], open: OpenSpied): void {
  describe(name, { timeout: 60_000, concurrency: 1 }, () => {
    const lab = new AttackLab(way);
    const took = new Map<State, number[]>(states.map((state) => [state, []]));
    before(async () => {
      await lab.open(open);
      await lab.stage();
    });
    after(() => lab.close());

    let attacks = 0;
    /** The same for each state; what it sets off is looked at by `check`. */
    async function attack(
      ask: Ask,
      secret: Secret,
      { name: at, shows, from }: { readonly name: string; readonly shows: string | undefined; readonly from?: string },
      check: (calls: readonly string[]) => void,
    ): Promise<FaceAnswer> {
      const { calls } = lab.face;
      if (calls !== undefined) calls.length = 0;
      const began = performance.now();
      const { method = 'GET', headers = {} } = ask;
      const answer = await lab.ask({ method, target: `/v2/${at}/${ask.path(secret)}`, headers }, shows, from);
      took.get(secret.state)?.push(performance.now() - began);
      if (calls !== undefined) check([...calls]);
      return answer;
    }

    /** Nobody else's login was shown for him. What is on its way to its owner goes on meanwhile, with his. */
    function assertOwnLogin(attacker: string, { state, name: of }: Secret): void {
      // What another sampan asks is its own affair.
      if (way.behind !== undefined || state === 'run') return;
      if (way.denied === true) return assert.deepEqual(lab.hub.asked(`/acme/${of}/`), []);
      // A token that was stolen is what he shows himself.
      if (/revoked|another repository/.test(attacker)) return;
      for (const asked of lab.hub.asked('/acme/')) {
        assert.notEqual(lab.hub.tokens.loginOf(asked), owners, `${asked.method} ${asked.path}`);
      }
    }

    for (const [attacker, shows] of Object.entries(way.attackers)) {
      const shown = new Map<string, string | undefined>();
      before(async () => {
        for (const { name: at } of lab.secrets) shown.set(at, await shows(lab, `acme/${at}`));
      });
      for (const ask of asks) {
        it(`${attacker} gets nothing for ${ask.what}, whether it is here or not`, async () => {
          const told = new Map<State, string>();
          for (const secret of lab.secrets) {
            const at = `acme/${secret.name}`;
            lab.hub.log.length = 0;
            attacks += 1;
            const comes = { name: at, shows: shown.get(secret.name), ...(way.from && { from: way.from(attacks) }) };
            const answer = await attack(ask, secret, comes, (calls) => assertUntouched(calls, at, way));
            assert.ok(answer.status === 401 || answer.status === 403, String(answer.status));
            assertNothingOf(secret, answer);
            told.set(secret.state, seen(answer, at, secret));
            assertOwnLogin(attacker, secret);
            assert.deepEqual(lab.third.log, []);
          }
          for (const state of states) assert.equal(told.get(state), told.get('not'), state);
        });
      }
    }

    for (const forgery of forgeriesIn(way, forgeries)) {
      for (const [number, ask] of byDigest.entries()) {
        it(`${ask.what} is not had by way of a repository that names it (${forgery}), nor is it seen to be here`, async () => {
          const told = new Map<State, string>();
          for (const secret of lab.secrets) {
            const evil = await lab.forge(secret, forgery, number);
            const answer = await attack(ask, secret, evil, (calls) => assertUnread(calls, secret));
            // A list is its own to tell.
            const isList = ask.what === 'the referrers';
            assert.equal(answer.status, isList ? 200 : 404);
            if (!isList) assertNothingOf(secret, answer);
            told.set(secret.state, seen(answer, evil.name, secret));
          }
          for (const state of states) assert.equal(told.get(state), told.get('not'), state);
        });
      }
    }

    it('who may have it gets it, all of it', async () => {
      for (const answer of await lab.finish()) assert.equal(answer.status, 200);
      for (const secret of lab.secrets) {
        for (const ask of asks) {
          const at = `acme/${secret.name}`;
          const comes = { name: at, shows: await way.owner(lab, at) };
          const { status, body } = await attack(ask, secret, comes, () => {});
          assertHad(ask, secret, status, Buffer.from(body));
        }
      }
    });

    it('how long refusals took', (t: TestContext) => tell(t, took));
  });
}

function tell(t: TestContext, took: ReadonlyMap<State, readonly number[]>): void {
  for (const [state, times] of took) {
    const sorted = times.toSorted((one, other) => one - other);
    t.diagnostic(`${state}: median ${sorted[sorted.length >> 1]?.toFixed(2)} ms of ${sorted.length}`);
  }
}

interface Extent {
  readonly ways?: Readonly<Record<string, Way>>;
  readonly forgeries?: readonly Forgery[];
}

/** In all ways, with one forgery, if nobody says. */
export function describeAttacks(name: string, open: OpenSpied, extent: Extent = {}): void {
  const { ways = allWays, forgeries = ['layer'] } = extent;
  describe(name, { concurrency: 2 }, () => {
    for (const [what, way] of Object.entries(ways)) describeWay(what, way, forgeries, open);
  });
}
