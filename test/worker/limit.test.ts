// The rate limit that a Worker's owner may bind: whom it counts as one, and what those hear who have reached it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSecret } from '../../src/core/access/secret.ts';
import { basic, DoorLab, secrets } from '../conformance/door.ts';
import { errorOf, startEdge } from './edge.ts';

const limit = 5;
const manifest = '/v2/public/app/manifests/1';
const lab = new DoorLab();
let clients = 0;

before(() =>
  lab.open(
    async (settings) => {
      const edge = await startEdge(JSON.parse(JSON.stringify(settings)), { limit });
      return { request: edge.ask, close: edge.close };
    },
    'account',
    { access: { networks: ['192.0.2.0/24', '2001:db8::/32'], login: true } },
  ),
);
after(() => lab.close());

/** An address that nobody has asked from yet. */
function fresh(): Record<string, string> {
  clients += 1;
  return { 'cf-connecting-ip': `192.0.2.${clients}` };
}

async function ask(headers: Readonly<Record<string, string>>, target = manifest, method = 'GET') {
  const asked = { method, target, headers: { host: 'mirror.example', ...headers } };
  const { status, headers: told, body } = await lab.face.request(asked);
  return { status, headers: told, body: Buffer.from(body) };
}

/** The first refusal of many requests. */
async function refusal(headers: Readonly<Record<string, string>>, method: string) {
  for (let at = 0; at <= 2 * limit; at += 1) {
    lab.forget();
    const answer = await ask(headers, manifest, method);
    if (answer.status === 429) return answer;
  }
  throw new Error('nothing was refused');
}

/** How often each is answered of as many requests as are too many, even if the minute ends among them. */
async function statuses(headersOf: (at: number) => Readonly<Record<string, string>>, target?: string) {
  const found: number[] = [];
  for (let at = 0; at <= 2 * limit; at += 1) found.push((await ask(headersOf(at), target)).status);
  return found;
}

test('who asks too often gets 429, in words that say whose limit it is, and nothing is asked upstream', async () => {
  const client = fresh();
  const found = await statuses(() => client);
  assert.deepEqual(found.slice(0, limit), Array(limit).fill(200));
  const head = await refusal(client, 'HEAD');
  assert.deepEqual([head.headers['retry-after'], head.body.length], ['60', 0]);
  const refused = await refusal(client, 'GET');
  assert.equal(refused.headers['retry-after'], '60');
  const { code, message, detail } = errorOf(refused);
  assert.equal(code, 'TOOMANYREQUESTS');
  assert.match(message, /this mirror has a limit of its own/);
  assert.deepEqual(detail, { limitedBy: 'this mirror' });
  assert.equal(lab.sent, '[[],[],[]]');
  assert.equal((await ask(fresh())).status, 200, 'another client is another one');
});

test('an account is one client, wherever it asks from and however it shows its secret', async () => {
  const { alice } = secrets;
  const shown = [
    { authorization: basic('alice', alice) },
    { host: `${alice}.mirror.example` },
    { authorization: await lab.token('public/app', basic('alice', alice)) },
  ];
  const found = await statuses((at) => ({ ...fresh(), ...shown[at % shown.length] }));
  assert.ok(found.includes(429), found.join());
  const client = fresh();
  assert.equal((await ask({ ...client, authorization: basic('bob', secrets.bob) })).status, 200);
  assert.equal((await ask(client)).status, 200);
});

test('nothing that a client chooses makes another one of it', async () => {
  const client = fresh();
  const chosen = (at: number): Record<string, string> => ({
    ...client,
    'x-forwarded-for': `198.51.100.${at}`,
    'x-real-ip': `198.51.100.${at}`,
    'user-agent': `docker/${at}`,
    cookie: `a=${at}`,
    host: `h${at}.example`,
  });
  assert.ok((await statuses(chosen)).includes(429));
  const network = (at: number) => ({ 'cf-connecting-ip': `2001:db8:1:2::${at}` });
  assert.ok((await statuses(network)).includes(429));
});

test('what is asked of /token counts too', async () => {
  const client = fresh();
  const found = await statuses(() => client, '/token?service=docker.io&scope=repository:public/app:pull');
  assert.ok(found.includes(200) && found.includes(429), found.join());
});

test('a login that is worth nothing counts too', async () => {
  const stranger = createSecret(new Uint8Array(16).fill(8));
  const worthless: readonly Readonly<Record<string, string>>[] = [
    { authorization: basic('alice', stranger) },
    { authorization: 'Bearer x' },
    { host: `${stranger}.mirror.example` },
  ];
  for (const wrong of worthless) {
    const client = fresh();
    // The last one has no login. The minute may end once.
    const found = () => statuses((at) => ({ ...client, ...(at < 2 * limit && wrong) }));
    assert.ok([await found(), await found()].some((each) => each.at(-1) === 429));
  }
});

test('without a limit, nobody is counted', async (t) => {
  const edge = await startEdge({ access: 'open' });
  t.after(() => edge.close());
  for (let at = 0; at <= 2 * limit; at += 1) assert.equal((await edge.get('/v2/')).status, 200);
});
