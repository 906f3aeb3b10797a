// What every face owes whoever logs in, or should: one table, run against each of them over two registries that want tokens.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { macOfSecret } from '../../src/core/access/accounts.ts';
import { createSecret } from '../../src/core/access/secret.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { type FakeCdn, startCdn } from '../fakes/registry/cdn.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import type { FaceAnswer, RunningFace } from './face.ts';

/** Keys of the configuration that every kind of sampan has. */
export type Settings = Readonly<Record<string, unknown>>;

export type OpenFace = (settings: Settings) => Promise<RunningFace>;

export const key = 'the key of the tests, 32 characters long';
export const secrets = { alice: createSecret(randomOf(1)), bob: createSecret(randomOf(2)) };
const layer = layerOf(randomBytes(7, 5000));
export const item = image({ layers: [layer] });
/** Further images, that are asked for by digest. */
export const second = image({ layers: [layer, layerOf(randomBytes(1, 10))] });
export const third = image({ layers: [layer, layerOf(randomBytes(2, 10))] });
export const layerAt = (repository: string) => `/v2/${repository}/blobs/${layer.digest}`;

function randomOf(byte: number): Uint8Array {
  return new Uint8Array(16).fill(byte);
}

/** Two registries with public/app and acme/secret, each with its own tokens; the first redirects blobs to a CDN. */
export class DoorLab {
  hub!: FakeRegistry;
  ghcr!: FakeRegistry;
  cdn!: FakeCdn;
  face!: RunningFace;

  async open(open: OpenFace, login: string | undefined, more: Settings): Promise<void> {
    [this.hub, this.ghcr] = [await startRegistry(), await startRegistry()];
    this.cdn = await startCdn(this.hub);
    this.hub.levers.redirect = this.cdn.url;
    for (const [registry, mark] of [
      [this.hub, 'hub'],
      [this.ghcr, 'ghcr'],
    ] as const) {
      for (const name of ['public/app', 'acme/secret', 'library/app']) {
        registry.hold(name, item, '1');
        for (const held of [second, third]) registry.hold(name, held);
      }
      const logins = { [`${mark}-user:swordfish`]: ['acme/secret'], [`${mark}-other:swordfish`]: [] };
      registry.levers.token = { expiresIn: 300, private: ['acme/secret'], logins, post: mark === 'hub', mark };
    }
    const said = login === undefined ? {} : { login };
    const credentials = login === 'account' ? { credentials: { username: 'hub-user', password: 'swordfish' } } : {};
    this.face = await open({
      key,
      catalogue: false,
      hosts: { 'ghcr.example': 'ghcr.io' },
      accounts: {
        alice: { mac: await kept(secrets.alice), allow: ['docker.io/acme/*'] },
        bob: { mac: await kept(secrets.bob) },
      },
      registries: {
        'docker.io': { endpoints: [this.hub.url], redirects: [this.cdn.url], ...said, ...credentials },
        'ghcr.io': { endpoints: [this.ghcr.url], ...said },
      },
      ...more,
    });
  }

  async close(): Promise<void> {
    await this.face?.close();
    await Promise.all([this.hub?.down(), this.ghcr?.down(), this.cdn?.down()]);
  }

  forget(): void {
    for (const { log } of [this.hub, this.ghcr, this.cdn]) log.length = 0;
  }

  /** Everything that left the mirror since: what must not be in it is in none of it. */
  get sent(): string {
    return JSON.stringify([this.hub.log, this.ghcr.log, this.cdn.log]);
  }

  get(target: string, authorization?: string, host = 'mirror.example'): Promise<FaceAnswer> {
    return this.ask('GET', target, authorization, host);
  }

  ask(method: string, target: string, authorization?: string, host = 'mirror.example'): Promise<FaceAnswer> {
    return this.face.request({ method, target, headers: { host, ...(authorization && { authorization }) } });
  }

  post(fields: Readonly<Record<string, string>>, target = '/token'): Promise<FaceAnswer> {
    const body = new URLSearchParams(fields).toString();
    const type = 'application/x-www-form-urlencoded';
    const headers = { host: 'mirror.example', 'content-type': type, 'content-length': String(body.length) };
    return this.face.request({ method: 'POST', target, headers, body });
  }

  /** What a client does: `scope` undefined as at a login. */
  async token(scope?: string, authorization?: string, service = 'docker.io'): Promise<string> {
    const scoped = scope === undefined ? '' : `&scope=${encodeURIComponent(`repository:${scope}:pull`)}`;
    return tokenIn(await this.get(`/token?service=${service}${scoped}`, authorization));
  }
}

/** As the configuration has it. */
export async function kept(secret: typeof secrets.alice): Promise<string> {
  const mac = (text: string) => createHmac('sha256', key).update(text).digest();
  return `hmac-sha256:${Buffer.from(await macOfSecret(mac, secret)).toString('hex')}`;
}

export function basic(user: string, password = 'swordfish'): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

export function tokenIn({ status, body }: FaceAnswer): string {
  const text = Buffer.from(body).toString();
  assert.equal(status, 200, text);
  const { token, access_token: same, expires_in: life } = JSON.parse(text) as Record<string, unknown>;
  assert.equal(token, same);
  assert.equal(life, 300);
  return `Bearer ${String(token)}`;
}

export function challengeIn({ headers }: FaceAnswer): string {
  const challenge = headers['www-authenticate'];
  return typeof challenge === 'string' ? challenge : '';
}

/** Runs `rows` over a face with these settings. */
export function describeDoor(
  name: string,
  open: OpenFace,
  login: string | undefined,
  settings: Settings,
  rows: (lab: DoorLab) => void,
): void {
  describe(name, () => {
    const lab = new DoorLab();
    before(() => lab.open(open, login, settings));
    after(() => lab.close());
    rows(lab);
  });
}

/** Where nothing is said about logins, nobody is asked for one. */
export function rowsWithoutLogin(lab: DoorLab): void {
  for (const target of ['/v2/', '/v2/?ns=ghcr.io', '/ghcr.io/v2/', '/v2/public/app/manifests/1']) {
    it(`${target} is served without a challenge`, async () => {
      const answer = await lab.get(target);
      assert.deepEqual([answer.status, challengeIn(answer)], [200, '']);
    });
  }

  it('a client’s own login goes to its registry as it is, and not to the CDN', async () => {
    lab.forget();
    assert.equal((await lab.get(layerAt('acme/secret'), 'Bearer of-the-client')).status, 401);
    assert.ok(lab.hub.log.every(({ headers }) => headers.authorization === 'Bearer of-the-client'));
    assert.deepEqual(lab.cdn.log, []);
  });

  for (const [target, host] of [
    ['/v2/public/app/manifests/1', 'ghcr.example'],
    ['/v2/ghcr.io/public/app/manifests/1', 'ghcr.example'],
    ['/v2/public/app/manifests/1?ns=ghcr.io', 'mirror.example'],
    ['/ghcr.io/v2/public/app/manifests/1', 'mirror.example'],
  ] as const) {
    it(`so does one that is shown for ${target} at ${host}`, async () => {
      lab.forget();
      await lab.get(target, 'Bearer of-the-client', host);
      assert.ok(lab.ghcr.log.length > 0);
      assert.ok(lab.ghcr.log.every(({ headers }) => headers.authorization === 'Bearer of-the-client'));
    });
  }

  it('a registry that only the path names is not shown it: who brings one is served like anybody', async () => {
    lab.forget();
    for (const authorization of [basic('hub-user'), 'Bearer of-the-client', 'Negotiate of-the-client', undefined]) {
      for (const root of ['/v2', '/%76%32']) {
        assert.equal((await lab.get(`${root}/ghcr.io/public/app/manifests/1`, authorization)).status, 200);
        // Not with that registry's challenge: clients would follow it, with the login that they have for this host.
        const got = await lab.get(`${root}/ghcr.io/acme/secret/manifests/1`, authorization);
        assert.deepEqual([got.status, challengeIn(got)], [403, '']);
        assert.match(Buffer.from(got.body).toString(), /a host name of its own/);
      }
    }
    assert.ok(!lab.sent.includes('of-the-client') && !lab.sent.includes('Basic'));
  });

  it('an account’s secret goes to none, however it is shown', async () => {
    lab.forget();
    for (const authorization of [
      `Bearer ${secrets.bob}`,
      `token ${secrets.bob}`,
      basic(secrets.bob, ''),
      basic(secrets.bob, 'x'),
      basic('bob', `${secrets.bob}\n`),
      `Basic ${Buffer.from(secrets.bob.toUpperCase()).toString('base64')}`,
      `Basic ${Buffer.from(`${secrets.bob}:\xff`, 'latin1').toString('base64')}`,
    ]) {
      assert.equal((await lab.get('/v2/public/app/manifests/1', authorization)).status, 401, authorization);
    }
    assert.equal(lab.sent, '[[],[],[]]');
  });

  it('an account’s secret and a token of this mirror go to no registry, even so', async () => {
    lab.forget();
    assert.equal((await lab.get('/v2/public/app/manifests/1', basic('bob', secrets.bob))).status, 200);
    assert.equal((await lab.get('/v2/acme/secret/manifests/1', basic('bob', secrets.bob))).status, 403);
    const token = await lab.token('public/app');
    assert.equal((await lab.get('/v2/public/app/manifests/1', token)).status, 200);
    assert.equal((await lab.get('/v2/public/app/manifests/1?ns=ghcr.io', token)).status, 401);
    assert.ok(!lab.sent.includes(secrets.bob.slice(7)) && !lab.sent.includes(token.slice(7)));
  });
}
