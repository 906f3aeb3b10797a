// The door of the real app, configured from a file; and that no secret is in its log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDoor, key, type OpenFace, rowsWithoutLogin, secrets } from '../conformance/door.ts';
import { rowsOfAccounts, rowsOfAccountsForAnybody } from '../conformance/door-account.ts';
import { rowsOfKeptOwnLogin, rowsOfOwnLogin, rowsOfOwnLoginForAnybody } from '../conformance/door-own.ts';
import { openApp } from './real-app.ts';

const lines: string[] = [];
const open: OpenFace = (settings) => openApp(settings, lines);

describeDoor('the Node server that asks nobody for a login', open, undefined, { access: 'open' }, rowsWithoutLogin);
describeDoor('the Node server, with the registries’ own logins', open, 'own', { access: 'login' }, rowsOfOwnLogin);
describeDoor('the Node server, that keeps what they open', open, 'own', { access: 'login' }, rowsOfKeptOwnLogin);
describeDoor('the Node server, with logins for who has one', open, 'own', { access: 'open' }, rowsOfOwnLoginForAnybody);
describeDoor('the Node server, with accounts of its own', open, 'account', { access: 'login' }, rowsOfAccounts);
describeDoor(
  'the Node server, with accounts for who has one',
  open,
  'account',
  { access: 'open' },
  rowsOfAccountsForAnybody,
);

test('none of it left a secret, a password or a token in the log', () => {
  const log = lines.join('');
  assert.ok(lines.length > 100);
  const hidden = [
    key,
    ...Object.values(secrets).map((secret) => secret.slice(7, 20)),
    'hubtoken',
    'ghcrtoken',
    'refresh ',
  ];
  for (const text of [
    ...hidden,
    'swordfish',
    'hunter2',
    'of-the-client',
    Buffer.from('hub-user:').toString('base64').slice(0, 10),
  ]) {
    assert.ok(!log.includes(text), text);
  }
  assert.match(log, /"what":"token"/);
});
