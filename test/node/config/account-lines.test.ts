// Accounts put into the text of a configuration and taken out of it: what is meant, and what of the rest stays as it was.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { withAccount, withoutAccount } from '../../../src/node/config/account-lines.ts';

const mac = `hmac-sha256:${'0f'.repeat(32)}`;
const dave = { name: 'dave', mac };

const texts = {
  'an empty file': '',
  'comments alone': '# nothing\n',
  'no accounts': 'listen: "[::1]:5050"   # here\n\n# end\n',
  'no end of the last line': 'listen: "[::1]:5050"',
  'a section without accounts': 'accounts:   # none yet\n  # alice:\n  #   mac: x\nlog: { level: debug }\n',
  'accounts in the middle': `accounts:\n  # people\n  alice:   # her\n    mac: "${mac}"\n    allow: [ docker.io/acme/* ]   # all\n\n# behind\nlog:\n    level: debug\n`,
  'a list as the last': `accounts:\n    alice:\n        mac: ${mac}\n        allow:\n        - docker.io/acme/*\n        - "ghcr.io/a/**" # b\n# behind\n`,
  'accounts at the end, without an end of the line': `key: x\naccounts:\n  alice:\n    mac: ${mac}`,
  'somebody who has a password, and rights': `htpasswd: users\naccounts:\n  dave:   # him\n    allow: [docker.io/acme/*]\n  eve:\n`,
  'somebody of whom nothing is said': 'htpasswd: users\naccounts:\n  eve: # nothing\n  dave:\n# end\n',
};

describe('an account', () => {
  for (const [what, text] of Object.entries(texts)) {
    test(`is put into a file with ${what}, of which every line stays`, () => {
      const after = withAccount(text, dave);
      const before = (parse(text) ?? {}) as { accounts?: Record<string, object> };
      const accounts = { ...before.accounts, dave: { mac, ...before.accounts?.['dave'] } };
      assert.deepEqual(parse(after), { ...before, accounts });
      const lines = after.split('\n');
      for (const line of text.split('\n')) assert.ok(lines.splice(0, lines.indexOf(line) + 1).includes(line), line);
    });
  }

  test('is put in as people write it', () => {
    assert.equal(withAccount('', { ...dave, key: 'k' }), `key: k\naccounts:\n  dave:\n    mac: ${mac}\n`);
    assert.equal(
      withAccount(texts['accounts in the middle'], dave),
      texts['accounts in the middle'].replace('# all\n', `# all\n  dave:\n    mac: ${mac}\n`),
    );
    assert.equal(
      withAccount(texts['somebody who has a password, and rights'], dave),
      texts['somebody who has a password, and rights'].replace('/*]\n', `/*]\n    mac: ${mac}\n`),
    );
  });

  for (const what of ['accounts in the middle', 'a list as the last'] as const) {
    test(`that was put into ${what} is taken out again, and all is as it was`, () => {
      assert.equal(withoutAccount(withAccount(texts[what], dave), 'dave'), texts[what]);
    });
  }

  test('goes with the comments above it, but for the first one, and the last one with the section', () => {
    const text = `# a\naccounts:\n  # all\n  alice: { mac: x }\n  # of bob\n  # and his\n  bob:\n    mac: y\n\n  # of carol\n  carol: {}\nlog: {}\n`;
    assert.equal(withoutAccount(text, 'bob'), text.replace(/ {2}# of bob[^]*y\n/, ''));
    assert.equal(withoutAccount(text, 'alice'), text.replace('  alice: { mac: x }\n', ''));
    const one = 'key: k\n# people\naccounts:\n  # all\n  bob:\n    mac: y\n# behind\n';
    assert.equal(withoutAccount(one, 'bob'), 'key: k\n# people\n# behind\n');
  });

  test('that is not there is not taken out', () => {
    for (const text of ['', 'accounts:\n', 'accounts: { alice: {} }', 'accounts: []']) {
      assert.equal(withoutAccount(text, 'dave'), undefined);
    }
  });

  test('is put in and taken out where lines are not enough, and comments stay', () => {
    for (const text of [
      '# a\naccounts: { alice: { mac: x } } # b\nlog: {}\n',
      '{ "accounts": { "alice": { "mac": "x" } } }\n',
      '# a\nkey: |\n  text\naccounts:\n  ? alice\n  : mac: x\n',
      '%YAML 1.2\n---\nkey: k\n...\n',
    ]) {
      const after = withAccount(text, dave);
      const before = parse(text) as { accounts?: object };
      assert.deepEqual(parse(after), { ...before, accounts: { ...before.accounts, dave: { mac } } });
      assert.deepEqual(after.match(/# ./g), text.match(/# ./g));
      const back = withoutAccount(after, 'dave');
      assert.deepEqual(parse(back ?? ''), before);
    }
  });

  test('is put into nothing that is no YAML', () => {
    assert.throws(() => withAccount('a: [', dave), TypeError);
  });
});
