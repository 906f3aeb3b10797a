// What is said where a file is closed: root is not told to become root.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNotPermitted } from '../../../src/node/cli/not-permitted.ts';

const error = (code: string) => Object.assign(new Error('no'), { code, path: '/etc/a' });

test('who is not root is told how to be, and root that it is something else', () => {
  for (const code of ['EACCES', 'EPERM']) {
    assert.equal(whyNotPermitted(error(code), false), '/etc/a: not permitted; run it with sudo');
    assert.match(whyNotPermitted(error(code), true) ?? '', /^\/etc\/a: not permitted, not even to root/);
  }
  assert.match(whyNotPermitted(error('EBUSY')) ?? '', /^\/etc\/a: cannot be replaced[^\n]*mount the directory/);
  assert.equal(whyNotPermitted(error('EROFS')), '/etc/a: lies on what may only be read');
  assert.match(whyNotPermitted(Object.assign(error('EBUSY'), { dest: '/etc/b' })) ?? '', /^\/etc\/b: /);
  assert.equal(whyNotPermitted(error('ENOENT'), true), undefined);
});
