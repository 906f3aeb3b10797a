// Names, and which of them are not dialled.
import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import { ForbiddenAddress } from '../../../src/core/upstream/fetch.ts';
import { isForbiddenHost, lookupBy, publicOnly } from '../../../src/node/dial/resolve.ts';

function found(...addresses: readonly string[]): LookupAddress[] {
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

test('one address that is not public condemns a name', async () => {
  const look = (...addresses: readonly string[]) => publicOnly(async () => found(...addresses))('cdn.test');
  assert.deepEqual(await look('8.8.8.8', '2606:4700::1'), found('8.8.8.8', '2606:4700::1'));
  for (const second of [
    '169.254.169.254',
    '10.0.0.1',
    '127.0.0.1',
    'fd00:ec2::254',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
  ]) {
    await assert.rejects(look('8.8.8.8', second), ForbiddenAddress, second);
    await assert.rejects(look(second, '8.8.8.8'), ForbiddenAddress, second);
  }
  await assert.rejects(look(), ForbiddenAddress);
});

test('what was looked up is what a connection is given, one or all, and so is what went wrong', async () => {
  const look = (all: boolean, resolve: () => Promise<LookupAddress[]>) =>
    new Promise((done) => lookupBy(resolve)('cdn.test', { all }, (error, ...rest) => done(error ?? rest)));
  const two = found('8.8.8.8', '2606:4700::1');
  assert.deepEqual(await look(true, async () => two), [two]);
  assert.deepEqual(await look(false, async () => two), ['8.8.8.8', 4]);
  const error = new Error('no');
  assert.equal(await look(true, () => Promise.reject(error)), error);
});

test('hosts that can only be here are forbidden however they are written, and others are not', () => {
  const here =
    '127.0.0.1 ::1 10.1.2.3 169.254.169.254 2130706433 0x7f000001 0x7f.1 127.1 1.2.3.4.5 0177.0.0.1 localhost a.localhost LocalHost localhost.';
  for (const host of here.split(' ')) assert.equal(isForbiddenHost(host), true, host);
  for (const host of '8.8.8.8 2606:4700::1 docker.io 1.1.1.1.nip.io 0x7f.example localhost.example notlocalhost 4.com'.split(
    ' ',
  )) {
    assert.equal(isForbiddenHost(host), false, host);
  }
});
