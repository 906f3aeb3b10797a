import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createSecret, looksSecret, parseSecret } from '../../../src/core/access/secret.ts';
import { hideSecrets } from '../../../src/core/oci/redact.ts';

fc.configureGlobal({ seed: 20_261_120 });

const made = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(createSecret);

describe('a secret', () => {
  test('is taken for one, in either case, and fits into a host name and into the name of a repository', () => {
    fc.assert(
      fc.property(made, (secret) => {
        assert.equal(parseSecret(secret), secret);
        assert.equal(parseSecret(secret.toUpperCase()), secret);
        assert.ok(looksSecret(secret));
        assert.match(secret, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
        assert.ok(secret.length < 64);
      }),
    );
  });

  test('differs where the bytes differ that it is made of', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        assert.equal(createSecret(one) === createSecret(other), Buffer.from(one).equals(other));
      }),
    );
    assert.throws(() => createSecret(new Uint8Array(8)), TypeError);
  });

  test('with one letter changed, or two that stand side by side exchanged, is none', () => {
    fc.assert(
      fc.property(
        made,
        fc.nat(32),
        fc.constantFrom(...Array.from('0123456789abcdefghjkmnpqrstvwxyz')),
        (secret, at, letter) => {
          const index = 'sampan-'.length + at;
          const changed = secret.slice(0, index) + letter + secret.slice(index + 1);
          assert.equal(parseSecret(changed), letter === secret[index] ? secret : undefined);
        },
      ),
    );
  });

  test('is never a password that somebody chose', () => {
    for (const chosen of ['', 'hunter2', 'sampan', 'sampan-', `sampan-${'0'.repeat(33)}`, `sampan-${'a'.repeat(33)}`]) {
      assert.equal(parseSecret(chosen), undefined, chosen);
    }
    fc.assert(fc.property(fc.string(), (text) => assert.equal(parseSecret(text), undefined)));
  });

  test('is hidden wherever it stands in a text, also when it is mistyped', () => {
    fc.assert(
      fc.property(made, fc.string(), fc.string(), (secret, before, after) => {
        assert.ok(!hideSecrets(`${before} ${secret} ${after}`).includes(secret.slice(7)));
        assert.ok(!hideSecrets(`/v2/${secret.slice(0, -1)}/nginx`).includes(secret.slice(7, -1)));
      }),
    );
    assert.equal(hideSecrets('/v2/sampan-test/alpine/manifests/latest'), '/v2/sampan-test/alpine/manifests/latest');
  });
});
