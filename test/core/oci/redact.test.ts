// What is taken out of text before anybody sees it, and that a line of the log is still JSON afterwards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redact } from '../../../src/core/oci/redact.ts';

test('queries go, of URLs and of targets, whatever is in them', () => {
  for (const [text, left] of [
    ['GET /bucket/obj?X-Amz-Signature=swordfish failed', 'GET /bucket/obj?… failed'],
    ["GET /a/it's?b='c&sig=swordfish failed", "GET /a/it's?… failed"],
    ["GET https://h.test/it's?b='c&sig=swordfish failed", "GET https://h.test/it's?… failed"],
    ['https://h.test/a?b=<c>&sig=swordfish', 'https://h.test/a?…'],
    ["https://me:it's-swordfish@h.test/a", 'https://…@h.test/a'],
    ['is /etc/sampan there? who?knows', 'is /etc/sampan there? who?knows'],
  ] as const) {
    assert.equal(redact(text), left);
    assert.equal(redact(left), left);
  }
});

test('the value of a header that lets in goes, to the end of its line', () => {
  for (const [text, left] of [
    ['sent Cookie: a=b; session=swordfish', 'sent Cookie: …'],
    ['set-cookie: a="sword fish"; path=/\nnext: line', 'set-cookie: …\nnext: line'],
    ['authorization: Digest username=x, response=swordfish', 'authorization: …'],
    ['Proxy-Authorization:swordfish', 'Proxy-Authorization:…'],
    ['x-edge-secret: swordfish', 'x-edge-secret: …'],
    ['{"authorization":"swordfish","cookie":null,"a":1}', '{"authorization":"…","cookie":null,"a":1}'],
    ['{"cookie":["a"],"b":"authorization:"}', '{"cookie":["a"],"b":"authorization:"}'],
  ] as const) {
    assert.equal(redact(text), left);
  }
});

test('JSON stays JSON, with nothing of a secret in it', () => {
  const before = fc.constantFrom(
    'cookie: ',
    'cookie: a="',
    'authorization: Digest x="y", ',
    "/a?b='",
    'https://a/?<',
    '\\/x?',
    'x-edge-secret: =',
  );
  const piece = fc.oneof(before, fc.string(), fc.constantFrom('"', '\\', '\n', ' ', ',', '}', "'"));
  fc.assert(
    fc.property(fc.array(piece), before, fc.array(piece), (start, opens, end) => {
      const line = JSON.stringify({ msg: `${start.join('')}\n${opens}swordfish${end.join('')}`, more: { n: 1 } });
      const left = redact(line);
      assert.ok(!left.includes('swordfish'), left);
      assert.deepEqual((JSON.parse(left) as { more: unknown }).more, { n: 1 });
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test('a long text takes no longer for each of its letters', () => {
  for (const part of ['/', '?', '/?', 'cookie', 'cookie: ', 'https://', '\\', '"', "'"]) {
    redact(part.repeat(200_000 / part.length));
  }
});
