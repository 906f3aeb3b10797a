// The Link header of a list that goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextQuery } from '../../../src/core/upstream/link.ts';

const base = 'https://registry.test/v2/a/tags/list?n=2';

test('of the next link only the query is taken', () => {
  assert.equal(nextQuery('</v2/a/tags/list?n=2&last=b>; rel="next"', base), 'n=2&last=b');
  assert.equal(nextQuery('<https://elsewhere.test/x?last=b#c>;rel=next', base), 'last=b');
  assert.equal(nextQuery('<?last=b>; title="a, <x>; rel=\\"prev\\""; REL="first Next"', base), 'last=b');
  assert.equal(nextQuery(['</x?a=1>; rel=prev', '</x?a=2>; rel=prev, </x?a=3>; rel=next'], base), 'a=3');
});

test('without a next link that has a query there is no next page', () => {
  for (const link of [
    undefined,
    '',
    '</x?a=1>',
    '</x?a=1>; rel=prev',
    '</x>; rel=next',
    'x?a=1; rel=next',
    '<http://[>; rel=next',
    '</x?a=1>; rel=prev; rel=next',
  ]) {
    assert.equal(nextQuery(link, base), undefined);
  }
});
