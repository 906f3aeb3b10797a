import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Access, admitCaller, standingOf } from '../../../src/core/access/admit.ts';
import { parseNetwork } from '../../../src/core/access/networks.ts';

describe('admission', () => {
  const lan: Access = { kind: 'networks', networks: ['10.0.0.0/8', 'fd00::/8'].map(parseNetwork) };

  test('an open mirror serves everybody', () => {
    for (const address of ['203.0.113.9', '2001:db8::1', '', 'nonsense']) admitCaller({ kind: 'open' }, { address });
  });

  test('a mirror for some networks serves whoever is in one of them', () => {
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1']) admitCaller(lan, { address });
  });

  test('it serves nobody else, nor an address that it cannot read', () => {
    for (const caller of [
      { address: '11.0.0.1' },
      { address: 'fe80::1%eth0' },
      { address: 'nonsense' },
      { address: '' },
    ]) {
      assert.throws(() => admitCaller(lan, caller), { code: 'DENIED', status: 403 });
    }
    assert.throws(() => admitCaller({ kind: 'networks', networks: [] }, { address: '10.1.2.3' }), { code: 'DENIED' });
  });

  test('the refusal tells what to change, and neither the networks nor the address', () => {
    assert.throws(
      () => admitCaller(lan, { address: '11.22.33.44' }),
      (error) => {
        assert.ok(error instanceof Error);
        assert.match(error.message, /access: \{ networks:/);
        assert.doesNotMatch(error.message, /10\.0\.0\.0|fd00|11\.22/);
        return true;
      },
    );
  });

  test('credentials admit nobody', () => {
    assert.throws(() => admitCaller(lan, { address: '11.0.0.1', authorization: 'Bearer x' }), { code: 'DENIED' });
  });
});

describe('a verdict', () => {
  const minute = 60_000;
  const day = 24 * 60 * minute;
  const asOf = 1_800_000_000_000;
  const table: readonly (readonly [age: number, staleFor: number, expected: string])[] = [
    [0, day, 'fresh'],
    [15 * minute - 1, day, 'fresh'],
    [15 * minute, day, 'stale'],
    [day - 1, day, 'stale'],
    [day, day, 'none'],
    [100 * day, day, 'none'],
    [5 * minute, minute, 'fresh'],
    [5 * minute, 0, 'fresh'],
    [15 * minute, 0, 'none'],
    [-1, day, 'stale'],
    [-100 * day, day, 'stale'],
  ];
  for (const [age, staleFor, expected] of table) {
    test(`is ${expected} after ${age} ms, with stale_for at ${staleFor} ms`, () => {
      assert.equal(standingOf({ asOf }, asOf + age, staleFor), expected);
    });
  }

  test('that was never given is none', () => assert.equal(standingOf(undefined, asOf, day), 'none'));
});
