// Limits for clients, as they are written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaints, read } from './reading.ts';

test('limits are rates and a number; without any of them there are none', async (t) => {
  const all = 'limits: { requests: 20/s, bytes: 50MB/s, pulls: 16 }';
  assert.deepEqual((await read(t, all)).limits, {
    requests: { amount: 20, per: 1000 },
    bytes: { amount: 50e6, per: 1000 },
    pulls: 16,
    loopback: false,
  });
  const one = await read(t, 'limits: { requests: 600/m, loopback: true }');
  assert.deepEqual(one.limits, {
    requests: { amount: 600, per: 60_000 },
    bytes: undefined,
    pulls: undefined,
    loopback: true,
  });
  for (const none of ['', 'limits:', 'limits: {}', 'limits: { loopback: true }']) {
    assert.equal((await read(t, none)).limits, undefined);
  }
  const environment = { SAMPAN_LIMITS_BYTES: '1.5MiB/s' };
  assert.deepEqual((await read(t, '', { environment })).limits?.bytes, { amount: 1_572_864, per: 1000 });
});

for (const [written, says] of [
  ['requests: 20', /limits\.requests: .*20\/s/],
  ['requests: 0/s', /limits\.requests/],
  ['requests: 1.5/s', /limits\.requests/],
  ['requests: 20/d', /limits\.requests/],
  ['requests: 20/s/s', /limits\.requests/],
  ['bytes: 50MB', /limits\.bytes: .*50MB\/s/],
  ['bytes: 50/s', /limits\.bytes: .*at least 100KB\/s/],
  ['bytes: 50MB/m', /limits\.bytes/],
  ['bytes: /s', /limits\.bytes/],
  ['pulls: 0', /limits\.pulls/],
  ['loopback: 1', /limits\.loopback/],
  ['request: 20/s', /did you mean requests/],
] as const) {
  test(`${written} is wrong, and the message says what is right`, async (t) => {
    const [complaint = '', ...others] = await complaints(t, `limits: { ${written} }`);
    assert.match(complaint, says);
    assert.deepEqual(others, []);
  });
}
