// Who only names what lies here for somebody else is answered as if it did not, whatever the weather at the upstream.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { artifact, image, index, type Item, layerOf, raw, types } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { type Answer, answer } from '../../fakes/registry/levers.ts';
import { collect, minute, type Told, type World, world } from './world.ts';

const secret = layerOf(randomBytes(1, 5000));
const [first, ...others] = [2, 3, 4, 5, 6].map((seed) => layerOf(randomBytes(seed, 4000)));
const victim = image({ layers: [secret] });

/** Images that name parts of the victim's, and have none of them. */
function forgeries(): Readonly<Record<string, Item>> {
  const layered = image({ layers: [first!, secret, ...others] });
  const parts = JSON.parse(victim.body.toString()) as object;
  const manifest = { mediaType: types.oci.layer, digest: victim.digest, size: victim.body.length };
  return {
    layer: { ...layered, blobs: layered.blobs.filter(({ digest }) => digest !== secret.digest) },
    child: { ...index([victim]), children: [] },
    subject: { ...artifact({ subject: victim }), blobs: [] },
    manifest: raw(types.oci.manifest, Buffer.from(JSON.stringify({ ...parts, layers: [manifest] }))),
  };
}
const forged = forgeries();

const states = ['at rest', 'coming in', 'not here'] as const;
type State = (typeof states)[number];

interface Stage {
  readonly all: World;
  /** Lets the fill go on that was held up. */
  readonly end: () => Promise<void>;
}

/** The victim's image in one of these states. From `evil`, which are public, somebody has had such a forged manifest a while ago. */
async function stage(state: State, evil: Readonly<Record<string, string>>): Promise<Stage> {
  const all = await world({ ahead: { flights: 1, bytes: Infinity } });
  const { registry, get, start } = all;
  registry.hold('victim/app', victim, '1');
  for (const [name, tag] of Object.entries(evil)) {
    registry.hold(name, forged[tag]!, tag);
    assert.equal((await get(`/v2/${name}/manifests/${tag}`)).status, 200);
  }
  // Past what is remembered of a moment ago; the verdict still holds.
  all.clock.forward(5 * minute);
  const gate = new Gate();
  if (state === 'not here') return { all, end: async () => {} };
  for (const target of ['1', victim.digest]) await get(`/v2/victim/app/manifests/${target}`);
  if (state === 'coming in') registry.levers.stall = { after: 100, gate, digest: secret.digest };
  const pulls = victim.blobs.map(async ({ digest }) => collect(await start(`/v2/victim/app/blobs/${digest}`)));
  const over = Promise.allSettled(pulls);
  const end = async () => {
    gate.open();
    await over;
    await all.settled();
  };
  if (state === 'coming in') await gate.reached();
  else await end();
  return { all, end };
}

/** By what the names of repositories begin with that have it. The last one is for all. */
const weathers: Readonly<Record<string, Answer | undefined>> = {
  well: undefined,
  limited: answer.tooMany(/^\/v2\/limited\//),
  'limited-downloads': { ...answer.tooMany(/^\/v2\/limited-downloads\/.*\/manifests/), method: 'GET' },
  broken: answer.unavailable(/^\/v2\/broken\//),
  refusing: answer.unauthorized(/^\/v2\/refusing\//),
  down: undefined,
};

const blob = `blobs/${secret.digest}`;
/** After which forgery what is asked for. */
const asked: readonly (readonly [tag: string, path: string, asking?: Parameters<World['get']>[1]])[] = [
  ...Object.keys(forged).map((tag) => [tag, `manifests/${tag}`] as const),
  ...(
    [
      ['child', `manifests/${victim.digest}`],
      ['layer', blob],
      ['manifest', `blobs/${victim.digest}`],
      ['child', `manifests/${secret.digest}`],
    ] as const
  ).flatMap(
    ([tag, path]) =>
      [
        [tag, path],
        [tag, path, { method: 'HEAD' }],
        [tag, path, { ifNoneMatch: '*' }],
      ] as const,
  ),
  ...['bytes=0-9', 'bytes=10-', 'bytes=-10', 'bytes=999999-'].map((range) => ['layer', blob, { range }] as const),
  ['subject', `referrers/${victim.digest}`],
];
/** A repository for each question, so that none has an effect on another. */
const nameOf = (weather: string, at: number) => `${weather}/evil-${at}`;
const evil = Object.fromEntries(
  Object.keys(weathers).flatMap((weather) => asked.map(([tag], at) => [nameOf(weather, at), tag])),
);

/** All that is told, without what has nothing to do with the victim. */
function seen({ registry }: World, { status, headers, body }: Told): unknown {
  for (const bytes of [secret.bytes.read(0, 50), victim.body]) assert.ok(!body.includes(bytes));
  return [status, headers, body.toString().replaceAll(new URL(registry.url).host, 'upstream')];
}

describe('who asks for what his repository only names', () => {
  const told = new Map<string, unknown>();
  before(async () => {
    for (const state of states) {
      const { all, end } = await stage(state, evil);
      all.registry.levers.answers.push(...Object.values(weathers).filter((each) => each !== undefined));
      for (const weather of Object.keys(weathers)) {
        if (weather === 'down') await all.registry.down();
        for (const [at, [, path, asking]] of asked.entries()) {
          const name = nameOf(weather, at);
          told.set(`${state} ${name}`, seen(all, await all.get(`/v2/${name}/${path}`, asking)));
        }
      }
      await end();
    }
  });
  for (const weather of Object.keys(weathers)) {
    for (const [at, [, path, { method = 'GET', ifNoneMatch = '', range = '' } = {}]] of asked.entries()) {
      it(`is answered alike (${weather}: ${method} ${path.slice(0, 20)} ${ifNoneMatch}${range})`, () => {
        const name = nameOf(weather, at);
        for (const state of states) assert.deepEqual(told.get(`${state} ${name}`), told.get(`not here ${name}`), state);
      });
    }
  }
});

it(
  'what is fetched ahead does not tell either whether a layer that is named is here',
  { timeout: 10_000 },
  async () => {
    const told: unknown[] = [];
    for (const state of states) {
      const { all, end } = await stage(state, { 'evil/app': 'layer' });
      const { events, get } = all;
      await get('/v2/evil/app/manifests/layer');
      await get(`/v2/evil/app/blobs/${first!.digest}`);
      const came = () => events.flatMap((each) => (each.kind === 'fill' && each.ahead ? [String(each.digest)] : []));
      const refused = () => events.some((each) => each.kind === 'asked' && each.status === 404);
      // Until it is decided: the layer that is named is refused, or one behind it comes.
      while (!refused() && !others.some(({ digest }) => came().includes(digest))) await setImmediate();
      const rest = [];
      for (const { digest } of others) rest.push((await get(`/v2/evil/app/blobs/${digest}`)).headers);
      told.push(rest);
      await end();
    }
    assert.deepEqual(told[0], told[2], 'at rest');
    assert.deepEqual(told[1], told[2], 'coming in');
  },
);
