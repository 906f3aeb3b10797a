// What a request with a login costs in subrequests: the first in an isolate, and those after it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { basic, DoorLab, item, layerAt, secrets, tokenIn } from '../conformance/door.ts';
import { operationsOf, waiting } from './behind.ts';
import { startEdge } from './edge.ts';

type Ask = readonly [method: string, target: string];

const kinds = (repository: string): readonly Ask[] => [
  ['GET', '/v2/'],
  ['HEAD', `/v2/${repository}/manifests/1`],
  ['GET', `/v2/${repository}/manifests/1`],
  ['GET', `/v2/${repository}/manifests/${item.digest}`],
  ['HEAD', layerAt(repository)],
  ['GET', layerAt(repository)],
  ['GET', `/v2/${repository}/tags/list`],
];

function openLab(login: string): DoorLab {
  const lab = new DoorLab();
  before(() =>
    lab.open(
      async (settings) => {
        const edge = await startEdge(JSON.parse(JSON.stringify(settings)), { around: waiting() });
        return { request: edge.ask, close: edge.close };
      },
      login,
      { access: 'login' },
    ),
  );
  after(() => lab.close());
  return lab;
}

/** Of upstream and cache together; the free plan ends a request at 50. */
const most = 20;

/** How many requests left the Worker for each, in order. */
async function costs(lab: DoorLab, asked: readonly Ask[], authorization: string): Promise<number[]> {
  const found: number[] = [];
  for (const [method, target] of asked) {
    lab.forget();
    const headers = { host: 'mirror.example', authorization };
    const { status, headers: told } = await lab.face.request({ method, target, headers });
    assert.equal(status, 200, target);
    const upstream = lab.hub.log.length + lab.ghcr.log.length + lab.cdn.log.length;
    assert.ok(upstream + operationsOf({ headers: told }) <= most, target);
    found.push(upstream);
  }
  return found;
}

describe('with an account', () => {
  const lab = openLab('account');

  test('what is public costs, cold and warm', async () => {
    const bob = basic('bob', secrets.bob);
    // A challenge, a token and the HEAD; then a token of ours and the GET. A blob is fetched for the client, and for keeping.
    assert.deepEqual(await costs(lab, kinds('public/app'), bob), [0, 3, 2, 0, 2, 4, 1]);
    assert.deepEqual(await costs(lab, kinds('public/app'), bob), [0, 0, 0, 0, 0, 0, 1]);
  });

  test('what is private costs, cold and warm', async () => {
    const alice = basic('alice', secrets.alice);
    // In nobody's name first: a token, a refusal, another token, a refusal; then one of ours and the HEAD.
    assert.deepEqual(await costs(lab, kinds('acme/secret'), alice), [0, 6, 1, 1, 2, 2, 1]);
    assert.deepEqual(await costs(lab, kinds('acme/secret'), alice), [0, 1, 1, 1, 2, 2, 1]);
  });
});

describe('with the registry’s login', () => {
  const lab = openLab('own');

  test('a token costs two, and later one; what it opens costs no other', async () => {
    const user = basic('hub-user');
    const target = '/token?service=docker.io&scope=repository:acme/secret:pull';
    assert.deepEqual(
      await costs(
        lab,
        [
          ['GET', target],
          ['GET', target],
        ],
        user,
      ),
      [2, 1],
    );
    const token = tokenIn(await lab.get(target, user));
    assert.deepEqual(await costs(lab, kinds('acme/secret'), token), [0, 1, 1, 1, 2, 2, 1]);
  });
});
