// Names that somebody else chose.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ForbiddenAddress } from '../../../src/core/upstream/fetch.ts';
import { type LookupAll, publicLookup } from '../../../src/node/dial/resolve.ts';

test('a name is looked up once, and one address that is not public condemns it', async () => {
  const found =
    (...addresses: string[]): LookupAll =>
    (_host, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  const look = (all: boolean, ...addresses: string[]) =>
    new Promise((resolve) => {
      publicLookup(found(...addresses))('cdn.test', { all }, (error, ...rest) => resolve(error ?? rest));
    });
  assert.deepEqual(await look(false, '8.8.8.8', '2606:4700::1'), ['8.8.8.8', 4]);
  assert.deepEqual(await look(true, '8.8.8.8', '2606:4700::1'), [
    [
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ],
  ]);
  assert.ok((await look(true, '8.8.8.8', '169.254.169.254')) instanceof ForbiddenAddress);
  assert.ok((await look(false, '8.8.8.8', 'fd00:ec2::254')) instanceof ForbiddenAddress);
  assert.ok((await look(true)) instanceof ForbiddenAddress);
});
