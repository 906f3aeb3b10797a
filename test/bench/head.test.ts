import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHead } from '../../bench/rest/head.ts';

const head = 'HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 20\r\n';

test('a head ends at the first empty line, whatever its last header is', () => {
  assert.deepEqual(parseHead(`${head}\r\nab\r\n\r\ncd`), { length: head.length + 2, body: 20 });
  assert.deepEqual(parseHead(`${head}Z: z\r\n\r\n`), { length: head.length + 8, body: 20 });
});

test('while the empty line is missing there is no head', () => {
  assert.equal(parseHead(head), undefined);
  assert.equal(parseHead(''), undefined);
});

test('one that is not 200, or does not say how long the body is, is not what was asked for', () => {
  assert.throws(() => parseHead('HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n'), /404 Not Found/);
  assert.throws(() => parseHead('HTTP/1.1 200 OK\r\n\r\nContent-Length: 1\r\n\r\n'), /200 OK/);
});
