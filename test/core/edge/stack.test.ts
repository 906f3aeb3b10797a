// Stacks as Node and workerd write them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { framesOf } from '../../../src/core/edge/stack.ts';

function withStack(message: string, ...lines: readonly string[]): Error {
  return Object.assign(new Error(message), { stack: [`Error: ${message}`, ...lines].join('\n') });
}

test('each form of a frame is understood, and the outermost call comes first', () => {
  const error = withStack(
    'oops',
    '    at async Object.fetch (guard.js:14:12)',
    '    at new Mirror (file:///opt/sampan/src/mirror.ts:3:1)',
    '    at Mirror.pull [as run] (mirror.js:5)',
    '    at file:///opt/sampan/src/node/app.ts:7:8',
    '    at async Promise.all (index 0)',
    '    at process.ticks (node:internal/process/task_queues:105:5)',
    '    at Agent.dispatch (/opt/node_modules/undici/agent.js:1:2)',
    '    at Array.map (<anonymous>)',
    'no frame',
  );
  const frame = (name: string | undefined, filename: string, lineno?: number, colno?: number) => ({
    ...(name !== undefined && { function: name }),
    filename,
    ...(lineno !== undefined && { lineno }),
    ...(colno !== undefined && { colno }),
  });
  const ours = [
    frame('Object.fetch', 'guard.js', 14, 12),
    frame('new Mirror', 'file:///opt/sampan/src/mirror.ts', 3, 1),
    frame('Mirror.pull [as run]', 'mirror.js', 5),
    frame(undefined, 'file:///opt/sampan/src/node/app.ts', 7, 8),
  ];
  const others = [
    frame('Promise.all', 'index 0'),
    frame('process.ticks', 'node:internal/process/task_queues', 105, 5),
    frame('Agent.dispatch', '/opt/node_modules/undici/agent.js', 1, 2),
    frame('Array.map', '<anonymous>'),
  ];
  assert.deepEqual(framesOf(error).toReversed(), [
    ...ours.map((each) => ({ ...each, in_app: true })),
    ...others.map((each) => ({ ...each, in_app: false })),
  ]);
});

test('a message that has lines like frames is none', () => {
  assert.deepEqual(framesOf(withStack('oops\n    at secret (a.js:1:1)', '    at b (b.js:2:2)')), [
    { function: 'b', filename: 'b.js', lineno: 2, colno: 2, in_app: true },
  ]);
});

test('a real one is read, an endless one is cut, and a missing one is none', () => {
  assert.match(framesOf(new Error('here')).at(-1)?.filename ?? '', /stack\.test\.ts$/);
  assert.equal(framesOf(withStack('deep', ...Array<string>(1000).fill('    at a (a.js:1:1)'))).length, 50);
  assert.deepEqual(framesOf(Object.assign(new Error('none'), { stack: undefined })), []);
  assert.deepEqual(framesOf(withStack('long', `    at ${'a ('.repeat(1000)}`)), []);
});
