import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { etagOf, isNotModified, isRangeWanted } from '../../../src/core/oci/conditional.ts';
import { parseDigest } from '../../../src/core/oci/digest.ts';

const digest = parseDigest(`sha256:${'ab'.repeat(32)}`);
const other = `sha256:${'cd'.repeat(32)}`;

test('an ETag is the digest in quotes', () => assert.equal(etagOf(digest), `"${digest}"`));

describe('If-None-Match', () => {
  const matches = [
    '*',
    ' * ',
    `"${digest}"`,
    `W/"${digest}"`,
    digest,
    `"${other}", "${digest}"`,
    `"a,b",W/"${digest}" ,"c"`,
    `${other}, ${digest}`,
  ];
  const misses = [
    '',
    `"${other}"`,
    other,
    `"*"`,
    `"${digest}x"`,
    `"${digest}`.slice(0, -1),
    '"',
    ',,',
    'W/',
    `"x" "y"`,
    `"${digest.toUpperCase()}"`,
  ];
  for (const ifNoneMatch of matches) {
    test(`${ifNoneMatch} is what the client has`, () => assert.ok(isNotModified({ ifNoneMatch }, digest)));
  }
  for (const ifNoneMatch of misses) {
    test(`${JSON.stringify(ifNoneMatch)} is something else`, () => assert.ok(!isNotModified({ ifNoneMatch }, digest)));
  }
  test('without it, everything is new', () => assert.ok(!isNotModified({}, digest)));
});

describe('If-Range', () => {
  test('the range is wanted without it, or if it names the digest', () => {
    for (const ifRange of [undefined, `"${digest}"`, digest, ` "${digest}" `]) {
      assert.ok(isRangeWanted({ ifRange }, digest));
    }
  });
  test('weak tags, other tags, lists and dates ask for the whole', () => {
    const others = ['', '*', `W/"${digest}"`, `"${other}"`, `"${digest}", "${other}"`, 'Fri, 20 Nov 2026 08:00:00 GMT'];
    for (const ifRange of others) assert.ok(!isRangeWanted({ ifRange }, digest), ifRange);
  });
});
