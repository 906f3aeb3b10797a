import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { contentRange, parseRange, resolveRange, type Range } from '../../../src/core/oci/range.ts';

fc.configureGlobal({ seed: 20261120, numRuns: 2000 });

/** What `bytes=…` is of so many bytes: a Range, 'whole' if it is ignored, or the status of the error. */
function outcome(header: string, size: number): Range | 'whole' | number {
  const asked = parseRange(header);
  if (asked === undefined) return 'whole';
  try {
    return resolveRange(asked, size);
  } catch (error) {
    assert.ok(error instanceof RegistryError);
    assert.deepEqual(error.headers, { 'content-range': `bytes */${size}` });
    return error.status;
  }
}

describe('ranges', () => {
  const table: readonly (readonly [header: string, size: number, expected: Range | 'whole' | number])[] = [
    ['bytes=0-', 10, { offset: 0, length: 10 }],
    ['bytes=3-', 10, { offset: 3, length: 7 }],
    ['bytes=9-', 10, { offset: 9, length: 1 }],
    ['bytes=3-5', 10, { offset: 3, length: 3 }],
    ['bytes=3-3', 10, { offset: 3, length: 1 }],
    ['bytes=3-50', 10, { offset: 3, length: 7 }],
    ['bytes=-4', 10, { offset: 6, length: 4 }],
    ['bytes=-40', 10, { offset: 0, length: 10 }],
    ['Bytes= 3-5 ', 10, { offset: 3, length: 3 }],
    ['bytes=0-9999999999999999', 10, { offset: 0, length: 10 }],
    ['bytes=10-', 10, 416],
    ['bytes=9999999999999999-', 10, 416],
    ['bytes=5-3', 10, 416],
    ['bytes=50-100', 10, 416],
    ['bytes=-0', 10, 416],
    ['bytes=0-', 0, 416],
    ['bytes=-5', 0, 416],
    ['bytes=0-1,3-4', 10, 'whole'],
    ['bytes=0-1,', 10, 'whole'],
    ['bytes=-', 10, 'whole'],
    ['bytes=', 10, 'whole'],
    ['bytes=a-b', 10, 'whole'],
    ['bytes=1.5-2', 10, 'whole'],
    ['bytes=--5', 10, 'whole'],
    ['bytes=0x1-', 10, 'whole'],
    ['bytes=99999999999999999-', 10, 'whole'],
    ['items=0-5', 10, 'whole'],
    ['', 10, 'whole'],
  ];
  for (const [header, size, expected] of table) {
    test(`${JSON.stringify(header)} of ${size} bytes`, () => assert.deepEqual(outcome(header, size), expected));
  }

  test('no header is no range', () => assert.equal(parseRange(undefined), undefined));

  test('Content-Range counts the last byte in', () => {
    assert.equal(contentRange({ offset: 3, length: 4 }, 10), 'bytes 3-6/10');
  });

  test('any header gives a part that lies inside, the whole, or 416', () => {
    const near = fc.tuple(fc.nat(40), fc.nat(40)).map(([first, last]) => `bytes=${first}-${last}`);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), fc.nat(30), (header, size) => {
        const part = outcome(header, size);
        if (typeof part !== 'object') return part === 'whole' || part === 416;
        return part.offset >= 0 && part.length >= 1 && part.offset + part.length <= size;
      }),
    );
  });

  test('a part is the one that RFC 9110 means', () => {
    const bytes = Array.from({ length: 30 }, (_, index) => index);
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), fc.nat(30), (first, last, size) => {
        const content = bytes.slice(0, size);
        const cut = (header: string): readonly number[] => {
          const part = outcome(header, size);
          return typeof part === 'object' ? content.slice(part.offset, part.offset + part.length) : [];
        };
        assert.deepEqual(cut(`bytes=${first}-`), content.slice(first));
        assert.deepEqual(cut(`bytes=${first}-${last}`), content.slice(first, last + 1));
        assert.deepEqual(cut(`bytes=-${last}`), last === 0 ? [] : content.slice(-last));
      }),
    );
  });
});
