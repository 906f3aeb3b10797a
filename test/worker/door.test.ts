// The Worker owes whoever logs in to it what the Node server owes; and its log has no secret in it either.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDoor, key, type OpenFace, rowsWithoutLogin, secrets } from '../conformance/door.ts';
import { rowsOfAccounts, rowsOfAccountsForAnybody } from '../conformance/door-account.ts';
import { rowsOfOwnLogin, rowsOfOwnLoginForAnybody } from '../conformance/door-own.ts';
import { rowsOfRules, rules } from '../conformance/door-rules.ts';
import { startEdge } from './edge.ts';

const lines: string[] = [];

const open: OpenFace = async (settings) => {
  const edge = await startEdge(JSON.parse(JSON.stringify(settings)));
  return {
    request: edge.ask,
    async close() {
      await edge.close();
      lines.push(...edge.log);
    },
  };
};

describeDoor('the Worker that asks nobody for a login', open, undefined, { access: 'open' }, rowsWithoutLogin);
describeDoor('the Worker, with the registries’ own logins', open, 'own', { access: 'login' }, rowsOfOwnLogin);
describeDoor('the Worker, with logins for who has one', open, 'own', { access: 'open' }, rowsOfOwnLoginForAnybody);
describeDoor('the Worker, with accounts of its own', open, 'account', { access: 'login' }, rowsOfAccounts);
describeDoor(
  'the Worker, with accounts for who has one',
  open,
  'account',
  { access: 'open' },
  rowsOfAccountsForAnybody,
);
describeDoor('the Worker, with rules', open, undefined, { access: 'open', rules }, rowsOfRules);

test('none of it left a secret, a password or a token in the log', () => {
  const log = lines.join('');
  for (const text of [key, ...Object.values(secrets).map((secret) => secret.slice(7, 20)), 'swordfish', 'hubtoken']) {
    assert.ok(!log.includes(text), text);
  }
});
