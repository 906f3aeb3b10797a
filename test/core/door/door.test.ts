// What the door makes of a login that was relayed: a token for the endpoint that has granted it, and for no other.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { Caller } from '../../../src/core/access/caller.ts';
import { Guesses } from '../../../src/core/access/guesses.ts';
import { arrive } from '../../../src/core/door/arrival.ts';
import { Door, type DoorParts } from '../../../src/core/door/door.ts';
import { type Limit, tooMuch } from '../../../src/core/door/limit.ts';
import { basic } from '../../../src/core/oci/login.ts';
import { Registries } from '../../../src/core/upstream/registries.ts';

const endpoints = ['https://one.test', 'https://two.test'];
const entry = {
  name: 'docker.io',
  aliases: [],
  endpoints,
  mirrors: [],
  realms: [],
  redirects: [],
  cdns: [],
  login: 'own',
} as const;
const signal = new AbortController().signal;

function doorWith(parts: Partial<DoorParts>) {
  const callers: Caller[] = [];
  const door = new Door({
    access: { kind: 'networks', networks: [], login: true },
    accounts: undefined,
    mac: (text) => createHmac('sha256', 'key').update(text).digest(),
    guesses: new Guesses(() => 0),
    routing: new Registries([entry], {}),
    loginMode: () => 'own',
    endpoints: () => endpoints,
    relay: async () => ({ authorization: 'Bearer t', grantor: 'https://two.test', life: 300, refresh: undefined }),
    now: () => 0,
    pull: async (_pull, caller) => {
      callers.push(caller);
      return { status: 200, headers: {}, body: { kind: 'none' } };
    },
    ...parts,
  });
  const answer = async (target: string, authorization?: string) => {
    const arrival = arrive({ target, host: 'hub.test', scheme: 'https' });
    const { reply } = await door.answer({ method: 'GET', arrival, address: '192.0.2.1', authorization }, signal);
    return reply;
  };
  return { answer, callers };
}

async function tokenFrom(answer: ReturnType<typeof doorWith>['answer']): Promise<string> {
  const { body } = await answer('/token?service=docker.io&scope=repository:a/b:pull', basic('me', 'swordfish'));
  assert.ok(body.kind === 'bytes');
  const { token } = JSON.parse(new TextDecoder().decode(body.bytes)) as { token: string };
  return `Bearer ${token}`;
}

test('what an endpoint has granted is shown to that one', async () => {
  const { answer, callers } = doorWith({});
  assert.equal((await answer('/v2/a/b/manifests/1', await tokenFrom(answer))).status, 200);
  assert.deepEqual(callers, [{ address: '192.0.2.1', authorization: 'Bearer t', grantor: 'https://two.test' }]);
});

test('and is good for nothing when that is no endpoint of the registry any more', async () => {
  const token = await tokenFrom(doorWith({}).answer);
  const { answer, callers } = doorWith({ endpoints: () => ['https://one.test'] });
  assert.equal((await answer('/v2/a/b/manifests/1', token)).status, 401);
  assert.deepEqual(callers, []);
});

test('whoever is not admitted is not told at /token what is configured here', async () => {
  const { answer } = doorWith({ access: { kind: 'networks', networks: [] } });
  for (const asked of ['scope=repository:nope.test/x:pull', 'scope=repository:A:pull', 'x=%zz']) {
    const { status, body } = await answer(`/token?${asked}`);
    assert.ok(body.kind === 'bytes' && !new TextDecoder().decode(body.bytes).includes('docker.io'));
    assert.equal(status, 403, asked);
  }
  assert.equal(
    (await doorWith({ access: { kind: 'open' } }).answer('/token?scope=repository:nope.test/x:pull')).status,
    404,
  );
});

test('whatever is asked counts once for a limit, refused or not, and who has asked too much hears that instead', async () => {
  const closed: Partial<DoorParts> = { access: { kind: 'networks', networks: [] } };
  const open: Partial<DoorParts> = { access: { kind: 'open' } };
  for (const [parts, target, status, authorization] of [
    [open, '/v2/a/b/manifests/1', 200],
    [open, '/v2/A/b/manifests/1', 400],
    [open, '/v2/nope.test/a/manifests/1', 404],
    [open, '/v2/', 401],
    [open, '/token?scope=repository:A:pull', 400],
    [open, '/v2/a/b/manifests/1', 401, 'Bearer sampan.worthless'],
    [closed, '/v2/a/b/manifests/1', 403],
    [closed, '/token', 403],
    [{}, '/v2/a/b/manifests/1', 401],
  ] as const) {
    const counted: Caller[] = [];
    const limit: Limit = async (caller) => void counted.push(caller);
    assert.equal((await doorWith({ ...parts, limit }).answer(target, authorization)).status, status, target);
    assert.deepEqual(
      counted.map(({ address }) => address),
      ['192.0.2.1'],
      `${status} ${target}`,
    );
    const limited = doorWith({ ...parts, limit: () => Promise.reject(tooMuch(7)) });
    const { status: refused, headers } = await limited.answer(target, authorization);
    assert.deepEqual([refused, headers['retry-after']], [429, '7'], target);
    assert.deepEqual(limited.callers, []);
  }
});
