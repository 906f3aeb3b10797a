// Unified diffs: whoever applies one to the old text has the new one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { unifiedDiff } from '../../../src/core/clients/unified.ts';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', '+', '-x'), { maxLength: 30 });
const texts = fc.tuple(lines, fc.boolean()).map(([all, end]) => all.join('\n') + (end && all.length > 0 ? '\n' : ''));

test('applied to the old text it gives the new one', () => {
  fc.assert(
    fc.property(texts, texts, (before, after) => assert.equal(apply(before, unifiedDiff('f', before, after)), after)),
    { seed: 20_261_120, numRuns: 500 },
  );
});

test('a file that is not there is /dev/null, and a last line without an end is told', () => {
  assert.equal(
    unifiedDiff('f', undefined, 'x'),
    '--- /dev/null\n+++ f\n@@ -0,0 +1,1 @@\n+x\n\\ No newline at end of file\n',
  );
  assert.equal(unifiedDiff('f', 'x\n', undefined), '--- f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n');
  assert.equal(unifiedDiff('f', 'x', 'x'), '');
});

/** As `patch` does, believing the line numbers. */
function apply(text: string, diff: string): string {
  const old = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const fresh: string[] = [];
  let at = 0;
  const all = diff.split('\n').slice(2, -1);
  for (const [index, line] of all.entries()) {
    const [, start, count] = /^@@ -(\d+),(\d+) \+\d+,\d+ @@$/.exec(line) ?? [];
    const end = all[index + 1]?.startsWith('\\') === true ? '' : '\n';
    if (start !== undefined) while (at < Number(start) - (count === '0' ? 0 : 1)) fresh.push(old[at++] ?? '');
    else if (line.startsWith('+')) fresh.push(line.slice(1) + end);
    else if (!line.startsWith('\\')) {
      assert.equal(old[at], line.slice(1) + end);
      if (line.startsWith(' ')) fresh.push(old[at] ?? '');
      at++;
    }
  }
  return [...fresh, ...old.slice(at)].join('');
}
