import assert from 'node:assert/strict';
import { test } from 'node:test';
import { algorithmOf, hexOf, isDigest, parseDigest } from '../../../src/core/oci/digest.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { isRegistryName, isTag, parseRepository, parseTarget, repositoryKey } from '../../../src/core/oci/reference.ts';

const hex = 'ab'.repeat(32);

test('library/ is added for single-component names of Docker Hub only', () => {
  assert.equal(repositoryKey(parseRepository('docker.io', 'alpine')), 'docker.io/library/alpine');
  assert.equal(repositoryKey(parseRepository('docker.io', 'library/alpine')), 'docker.io/library/alpine');
  assert.equal(repositoryKey(parseRepository('docker.io', 'a/b')), 'docker.io/a/b');
  assert.equal(repositoryKey(parseRepository('quay.io', 'alpine')), 'quay.io/alpine');
});

test('a long name that matches nowhere is refused in no time', () => {
  for (const name of [`${'a-'.repeat(120)}!`, `${'a'.repeat(254)}!`, `${'a/'.repeat(127)}-`, `${'a__'.repeat(80)}A`]) {
    assert.throws(() => parseRepository('docker.io', name), RegistryError);
  }
});

test('a digest is told from a tag by its colon', () => {
  assert.ok(isTag(parseTarget('sha256-abc')));
  assert.ok(!isTag(parseTarget(`sha256:${hex}`)));
  assert.throws(() => parseTarget('sha256:abc'), { code: 'DIGEST_INVALID', status: 400 });
  assert.throws(() => parseTarget('a'.repeat(129)), { code: 'TAG_INVALID', status: 400 });
  assert.throws(() => parseTarget('latest\n'), { code: 'TAG_INVALID', status: 400 });
});

test('a digest has a known algorithm and exactly its length', () => {
  const [short, long] = [parseDigest(`sha256:${hex}`), parseDigest(`sha512:${hex}${hex}`)];
  assert.deepEqual([algorithmOf(short), hexOf(short)], ['sha256', hex]);
  assert.deepEqual([algorithmOf(long), hexOf(long)], ['sha512', hex + hex]);
  for (const text of [
    '',
    hex,
    `sha256:${hex}0`,
    `sha256:${hex}\n`,
    `SHA256:${hex}`,
    `sha512:${hex}`,
    `md5:${hex}`,
    `sha256:${hex.toUpperCase()}`,
  ]) {
    assert.ok(!isDigest(text), text);
  }
});

test('a registry is called by a host, perhaps with a port, in lower case', () => {
  for (const text of [
    'docker.io',
    'localhost',
    'localhost:5000',
    '10.0.0.1:5000',
    '[::1]:5000',
    '[fd00::1]',
    'a--b.example',
  ]) {
    assert.ok(isRegistryName(text), text);
  }
  for (const text of [
    '',
    '.',
    '..',
    'a..b',
    'a/b',
    'a:',
    ':5000',
    'a:b',
    'a:123456',
    'A.io',
    '*.io',
    'a b',
    'a\n',
    '[]',
    '::1',
    'u@h',
    '-a',
  ]) {
    assert.ok(!isRegistryName(text), text);
  }
});
