import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseNetwork } from '../../../src/core/access/networks.ts';
import { type Pattern, parsePattern, parsePatternWithin } from '../../../src/core/access/pattern.ts';
import { admitPull, isAllowed, type Rule, wantsAccount } from '../../../src/core/access/rules.ts';

function patternOf(text: string): Pattern {
  const pattern = parsePattern(text);
  assert.ok(pattern, text);
  return pattern;
}

function rule(allows: boolean, patterns: readonly string[], more: Partial<Rule> = {}): Rule {
  return { allows, patterns: patterns.map(patternOf), ...more };
}

const repository = (text: string) => {
  const [registry = '', ...name] = text.split('/');
  return { registry, name: name.join('/') };
};
const anybody = { address: '198.51.100.1' };
const as = (name: string) => ({ ...anybody, account: { name, allow: [] } });

describe('patterns of rules', () => {
  for (const [pattern, name, matches] of [
    ['**', 'docker.io/library/app', true],
    ['docker.io/**', 'docker.io/library/app', true],
    ['docker.io/**', 'ghcr.io/a/b', false],
    ['docker.io/app', 'docker.io/library/app', true],
    ['docker.io/*', 'docker.io/library/app', true],
    ['docker.io/*', 'docker.io/acme/app', false],
    ['*.example.com/**', 'eu.example.com/a/b', true],
    ['*.example.com/**', 'example.com/a/b', false],
    ['*/acme/**', 'ghcr.io/acme/x/y', true],
    ['*/app', 'docker.io/library/app', true],
    ['*/app', 'docker.io/library/other', false],
    ['*/app', 'docker.io/acme/app', false],
    ['*.io/ap*', 'docker.io/library/app', true],
    ['*.example.com/app', 'docker.io/library/app', false],
    ['*/*', 'docker.io/library/app', true],
    ['*/*', 'docker.io/acme/app', false],
    ['*/library/*', 'docker.io/library/app', true],
    ['*/app', 'ghcr.io/app', true],
    ['*/app', 'ghcr.io/library/app', false],
    ['localhost:5000/*', 'localhost:5000/app', true],
  ] as const) {
    test(`${pattern} ${matches ? 'is' : 'is not'} ${name}`, () => {
      assert.equal(isAllowed([rule(false, [pattern])], anybody, repository(name)), !matches);
    });
  }

  test('a registry may be a wildcard in rules, and not in what opens private repositories', () => {
    for (const text of ['**', '*/acme/*', '*.example.com/**']) assert.equal(parsePatternWithin(text), undefined);
    for (const text of ['', '*', 'docker.io', '**/x', 'a/**/b', '***', 'Docker.io/x', 'a/b?', '/x']) {
      assert.equal(parsePattern(text), undefined, text);
    }
  });
});

describe('rules', () => {
  const rules = [
    rule(false, ['docker.io/evil/**']),
    rule(true, ['docker.io/acme/**'], { accounts: ['alice', 'bob'] }),
    rule(false, ['docker.io/acme/**']),
    rule(true, ['docker.io/**'], { networks: [parseNetwork('10.0.0.0/8')] }),
    rule(true, ['ghcr.io/**'], { accounts: ['*'] }),
    rule(true, ['quay.io/lan/**'], { accounts: ['alice'], networks: [parseNetwork('10.0.0.0/8')] }),
    rule(false, ['**']),
  ];
  const lan = { address: '10.1.2.3' };
  for (const [caller, name, allowed] of [
    [lan, 'docker.io/evil/x', false],
    [as('alice'), 'docker.io/acme/x', true],
    [as('carol'), 'docker.io/acme/x', false],
    [lan, 'docker.io/acme/x', false],
    [lan, 'docker.io/library/x', true],
    [anybody, 'docker.io/library/x', false],
    [as('carol'), 'ghcr.io/a/b', true],
    [anybody, 'ghcr.io/a/b', false],
    [as('alice'), 'quay.io/lan/x', false],
    [{ ...as('alice'), ...lan }, 'quay.io/lan/x', true],
    [lan, 'quay.io/lan/x', false],
    [as('alice'), 'other.example/x', false],
  ] as const) {
    const who = `${'account' in caller ? caller.account.name : 'somebody'} at ${caller.address}`;
    test(`the first that speaks of it ${allowed ? 'allows' : 'denies'} ${who} ${name}`, () => {
      assert.equal(isAllowed(rules, caller, repository(name)), allowed);
      if (allowed) admitPull(rules, caller, repository(name));
      else assert.throws(() => admitPull(rules, caller, repository(name)), { code: 'DENIED', status: 403 });
    });
  }

  test('what none speaks of is allowed', () => {
    assert.ok(isAllowed([], anybody, repository('docker.io/a/b')));
    assert.ok(isAllowed([rule(false, ['ghcr.io/**'])], anybody, repository('docker.io/a/b')));
  });

  test('a registry’s own login is no account of this mirror’s', () => {
    const caller = { ...anybody, authorization: 'Bearer x', grantor: 'https://registry.test' };
    assert.equal(isAllowed(rules, caller, repository('ghcr.io/a/b')), false);
  });

  test('who is denied hears whether an account would help him', () => {
    for (const [caller, name, wanted] of [
      [anybody, 'docker.io/acme/x', true],
      [anybody, 'ghcr.io/a/b', true],
      [anybody, 'docker.io/evil/x', false],
      [anybody, 'quay.io/lan/x', false],
      [lan, 'quay.io/lan/x', true],
      [lan, 'docker.io/library/x', false],
      [as('carol'), 'docker.io/acme/x', false],
      [as('alice'), 'docker.io/acme/x', false],
    ] as const) {
      assert.equal(wantsAccount(rules, caller, repository(name)), wanted, name);
    }
  });
});
