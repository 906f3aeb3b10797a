import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Mac } from '../../../src/core/access/mac.ts';
import { isSealed, type Pass, seal, unseal } from '../../../src/core/access/seal.ts';

fc.configureGlobal({ seed: 20_261_120 });

const macWith =
  (key: string): Mac =>
  (text) =>
    createHmac('sha256', key).update(text).digest();
const mac = macWith('key');

const endpoints = ['https://one.test', 'https://two.test/docker.io'];
const keptOf = (name: string) => `kept of ${name}`;
const docker = { registry: 'docker.io', endpoints, keptOf };
const bearer = { kind: 'authorization', authorization: 'Bearer t', grantor: endpoints[0]! } as const;

const visible = fc.string({
  unit: fc.constantFrom(...Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at))),
});
const pass: fc.Arbitrary<Pass> = fc.oneof(
  fc.constant({ kind: 'nobody' } as const),
  fc.constantFrom('alice', 'b.c-d_e').map((name) => ({ kind: 'account', name, kept: keptOf(name) }) as const),
  fc
    .tuple(fc.constantFrom('Basic', 'Bearer'), visible, fc.constantFrom(...endpoints))
    .filter(([, token]) => token !== '')
    .map(
      ([scheme, token, grantor]) => ({ kind: 'authorization', authorization: `${scheme} ${token}`, grantor }) as const,
    ),
);
const registry = fc.constantFrom('docker.io', 'ghcr.io', 'localhost:5000');
const time = fc.integer({ min: 1e12, max: 3e12 });

describe('a sealed token', () => {
  test('gives back what is in it, at its registry, until its time is over', async () => {
    await fc.assert(
      fc.asyncProperty(pass, registry, time, async (held, at, until) => {
        const sealed = await seal(mac, at, held, until);
        assert.ok(isSealed(sealed));
        assert.deepEqual(await unseal(mac, { registry: at, endpoints, keptOf }, sealed, until - 1), held);
        assert.equal(await unseal(mac, { registry: at, endpoints, keptOf }, sealed, until + 1000), undefined);
      }),
    );
  });

  test('is nothing at another registry, and under another key', async () => {
    const sealed = await seal(mac, 'docker.io', bearer, 1e12);
    assert.equal(await unseal(mac, { ...docker, registry: 'ghcr.io' }, sealed, 0), undefined);
    assert.equal(await unseal(macWith('other'), docker, sealed, 0), undefined);
  });

  test('tells which endpoint has granted what is in it, and is nothing where that is none any more', async () => {
    for (const grantor of endpoints) {
      const sealed = await seal(mac, 'docker.io', { ...bearer, grantor }, 1e12);
      assert.deepEqual(await unseal(mac, docker, sealed, 0), { ...bearer, grantor });
      const others = endpoints.filter((endpoint) => endpoint !== grantor);
      assert.equal(await unseal(mac, { ...docker, endpoints: others }, sealed, 0), undefined);
      assert.ok(!sealed.includes('.test'), 'clients are not told');
    }
  });

  test('of an account ends with what was kept of its secret, and with the account, and does not tell it', async () => {
    const sealed = await seal(mac, 'docker.io', { kind: 'account', name: 'alice', kept: keptOf('alice') }, 1e12);
    assert.ok((await unseal(mac, docker, sealed, 0)) !== undefined);
    for (const now of ['another', '', undefined]) {
      assert.equal(await unseal(mac, { ...docker, keptOf: () => now }, sealed, 0), undefined);
    }
    assert.ok(!sealed.includes('kept'));
  });

  test('is nothing with any bit flipped, any character left out, or anything added', async () => {
    await fc.assert(
      fc.asyncProperty(pass, fc.nat(), fc.nat(7), async (held, position, bit) => {
        const sealed = await seal(mac, 'docker.io', held, 1.8e12);
        const at = position % sealed.length;
        const flipped = String.fromCharCode(sealed.charCodeAt(at) ^ (1 << bit));
        for (const changed of [
          sealed.slice(0, at) + flipped + sealed.slice(at + 1),
          sealed.slice(0, at) + sealed.slice(at + 1),
          `${sealed}x`,
        ]) {
          assert.equal(await unseal(mac, docker, changed, 0), undefined, changed);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('is hardly longer than what is in it', async () => {
    const authorization = `Bearer ${'x'.repeat(5000)}`;
    assert.ok((await seal(mac, 'docker.io', { ...bearer, authorization }, 1.8e12)).length < 5100);
  });

  test('is not made up', async () => {
    const forged = [`sampan.zzzzzz.${'0'.repeat(64)}.n`, 'sampan.', 'sampan...', `sampan.0.${'0'.repeat(64)}.tx`, ''];
    for (const text of forged) assert.equal(await unseal(mac, docker, text, 0), undefined);
    await fc.assert(
      fc.asyncProperty(visible, async (text) => assert.equal(await unseal(mac, docker, text, 0), undefined)),
    );
  });
});
