// What clients are told when a pull does not work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../../../src/core/oci/errors.ts';

test('the body is that of the distribution-spec', () => {
  const error = new RegistryError('TOOMANYREQUESTS', 'it is "busy"', { detail: { limitedBy: 'registry.test' } });
  const told = { code: 'TOOMANYREQUESTS', message: 'it is "busy"', detail: { limitedBy: 'registry.test' } };
  assert.deepEqual(JSON.parse(error.body()), { errors: [told] });
  assert.deepEqual(JSON.parse(new RegistryError('DENIED', 'no').body()), {
    errors: [{ code: 'DENIED', message: 'no' }],
  });
});

test('the body shows no account’s secret, in whatever host name or address it stands', () => {
  const host = 'sampan-0123456789abcdefghjkmnpqrstvwxyz0.hub.test';
  const error = new RegistryError('TOOMANYREQUESTS', `${host} answered 429`, { detail: { limitedBy: host } });
  const hidden = 'sampan-….hub.test';
  const told = { code: 'TOOMANYREQUESTS', message: `${hidden} answered 429`, detail: { limitedBy: hidden } };
  assert.deepEqual(JSON.parse(error.body()), { errors: [told] });
});
