// The attack table: what is asked for × whether it is here × who asks, for each way in which an image can be private.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { AttackLab, type Forgery, type OpenSpied, owners, type Secret, type State, states } from './attack-lab.ts';
import { type Way, ways as allWays } from './attack-ways.ts';
import type { FaceAnswer } from './face.ts';

interface Ask {
  readonly what: string;
  readonly path: (secret: Secret) => string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const blob = ({ layer }: Secret) => `blobs/${layer.digest}`;
const manifest = ({ item }: Secret) => `manifests/${item.digest}`;
const byDigest: readonly Ask[] = [
  { what: 'a manifest by its digest', path: manifest },
  { what: 'the head of a manifest', path: manifest, method: 'HEAD' },
  { what: 'whether a manifest has changed', path: manifest, headers: { 'if-none-match': '*' } },
  { what: 'a blob', path: blob },
  { what: 'the head of a blob', path: blob, method: 'HEAD' },
  { what: 'whether a blob has changed', path: blob, headers: { 'if-none-match': '*' } },
  { what: 'a range of a blob', path: blob, headers: { range: 'bytes=10-19' } },
  { what: 'a range beyond a blob', path: blob, headers: { range: 'bytes=999999-' } },
  { what: 'the referrers', path: ({ item }) => `referrers/${item.digest}` },
];
const asks: readonly Ask[] = [
  { what: 'a manifest by its tag', path: () => 'manifests/1' },
  { what: 'the head of a tag', path: () => 'manifests/1', method: 'HEAD' },
  { what: 'the tags', path: () => 'tags/list' },
  ...byDigest,
];

/** Of the connection, of the moment, or of the harness; none is of the answer. */
const passing = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'x-cache-operations']);

/** An answer as it would be about a repository and an image without a name. */
function seen({ status, headers, body }: FaceAnswer, name: string, { item, layer, sbom }: Secret): string {
  const told = [status, Object.entries(headers).filter(([each]) => !passing.has(each)), Buffer.from(body).toString()];
  return JSON.stringify(told)
    .replaceAll(name, 'NAME')
    .replaceAll(item.digest, 'MANIFEST')
    .replaceAll(layer.digest, 'LAYER')
    .replaceAll(sbom.digest, 'SBOM');
}

function assertNothingOf({ bytes, item, sbom }: Secret, { headers, body }: FaceAnswer): void {
  for (const hidden of [bytes.subarray(0, 7), item.body, sbom.digest]) assert.ok(!Buffer.from(body).includes(hidden));
  for (const sign of ['docker-content-digest', 'etag', 'content-range', 'cache-status']) {
    assert.equal(headers[sign], undefined, sign);
  }
}

/** What an attack must not have set off, where that can be seen: the decision is made of what the book says of this repository alone. */
function assertUntouched(calls: readonly string[], name: string): void {
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

function describeWay(name: string, way: Way, forgeries: readonly Forgery[], open: OpenSpied): void {
  describe(name, { timeout: 60_000 }, () => {
    const lab = new AttackLab(way);
    const took = new Map<State, number[]>(states.map((state) => [state, []]));
    before(async () => {
      await lab.open(open);
      await lab.stage();
    });
    after(() => lab.close());

    /** The same for each state; what it sets off is looked at by `check`. */
    async function attack(
      ask: Ask,
      secret: Secret,
      { name: at, shows }: { readonly name: string; readonly shows: string | undefined },
      check: (calls: readonly string[]) => void,
    ): Promise<FaceAnswer> {
      const { calls } = lab.face;
      if (calls !== undefined) calls.length = 0;
      const began = performance.now();
      const { method = 'GET', headers = {} } = ask;
      const answer = await lab.ask({ method, target: `/v2/${at}/${ask.path(secret)}`, headers }, shows);
      took.get(secret.state)?.push(performance.now() - began);
      if (calls !== undefined) check([...calls]);
      return answer;
    }

    /** Nobody else's login was shown for him. What is on its way to its owner goes on meanwhile, with his. */
    function assertOwnLogin(attacker: string, { state }: Secret): void {
      // What another sampan asks is its own affair.
      if (way.behind !== undefined || state === 'run') return;
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
            const comes = { name: at, shows: shown.get(secret.name) };
            const answer = await attack(ask, secret, comes, (calls) => assertUntouched(calls, at));
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

    for (const forgery of forgeries) {
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

function assertHad(ask: Ask, { item, bytes, sbom }: Secret, status: number, body: Buffer): void {
  const { what, method = 'GET', headers = {} } = ask;
  const { range } = headers;
  if (what.includes('beyond')) return assert.equal(status, 416);
  // What is passed on is whole: whether it has changed is asked of what is held.
  if ('if-none-match' in headers) return assert.ok([200, 304].includes(status));
  assert.equal(status, range === undefined ? 200 : 206, what);
  if (method === 'HEAD') return assert.equal(body.length, 0);
  if (what.includes('manifest')) return assert.deepEqual(body, item.body);
  if (range !== undefined) return assert.deepEqual(body, bytes.subarray(10, 20));
  if (what.includes('blob')) return assert.deepEqual(body, bytes);
  assert.ok(what === 'the tags' ? body.includes('"1"') : body.includes(sbom.digest), what);
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
  describe(name, () => {
    for (const [what, way] of Object.entries(ways)) describeWay(what, way, forgeries, open);
  });
}
