import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkToNext } from '../../../src/core/oci/link.ts';

const path = '/v2/alpine/tags/list';

test('the next page is asked for in the way in which this one was', () => {
  assert.equal(linkToNext({ path, ns: undefined }, 'n=2&last=b'), `<${path}?n=2&last=b>; rel="next"`);
  assert.equal(linkToNext({ path, ns: 'localhost:5000' }, 'n=2'), `<${path}?n=2&ns=localhost%3A5000>; rel="next"`);
});

test("an upstream's query can neither end the link nor name another registry", () => {
  const link = linkToNext({ path, ns: 'docker.io' }, 'last=">;\r\nx: y&ns=evil.example&ns=evil.example');
  assert.equal(link, `<${path}?last=%22%3E%3B%0D%0Ax%3A+y&ns=docker.io>; rel="next"`);
  assert.equal(linkToNext({ path, ns: undefined }, 'n=2&ns=evil.example'), `<${path}?n=2>; rel="next"`);
});
