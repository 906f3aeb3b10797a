// Whoever can be asked for the bytes of a blob: who comes next, and what an answer says of ranges.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Incoming, Source } from '../../../src/core/mirror/ports.ts';
import { Sources } from '../../../src/core/mirror/sources.ts';
import { NoSenseOfRange, RefusedElsewhere, RegistryError } from '../../../src/core/oci/errors.ts';

const { signal } = new AbortController();

function incoming(more: Partial<Incoming> = {}): Incoming {
  return { offset: 0, size: 1000, stream: (async function* () {})(), ...more };
}

it('an expired redirect, or another size, says nothing of ranges, but answers that make no sense do', async () => {
  let error: Error = new RefusedElsewhere('the CDN answered 403');
  const sources = new Sources([() => Promise.reject(error)]);
  for (let i = 0; i < 5; i += 1) await assert.rejects(sources.open(10, signal), RefusedElsewhere);
  assert.equal(sources.ranges, true);
  error = new RegistryError('RANGE_INVALID', 'it ends before', { headers: { 'content-range': 'bytes */10' } });
  for (let i = 0; i < 5; i += 1) await assert.rejects(sources.open(10, signal), { status: 502 });
  assert.equal(sources.ranges, true);
  error = new RegistryError('RANGE_INVALID', 'of what it has', { headers: { 'content-range': 'bytes */11' } });
  for (let i = 0; i < 2; i += 1) await assert.rejects(sources.open(10, signal), { status: 502 });
  assert.equal(sources.ranges, false);
});

it('only answers in a row that make no sense of a range say something of ranges', async () => {
  const senseless = new NoSenseOfRange('it answered 400');
  const errors: Error[] = [];
  const sources = new Sources([() => Promise.reject(errors.shift() ?? assert.fail())]);
  const meets = async (...met: Error[]) => {
    errors.push(...met);
    while (errors.length > 0) await assert.rejects(sources.open(10, signal));
    return sources.ranges;
  };
  const encoded = new RegistryError('UNAVAILABLE', 'it sent an encoded body', { status: 502 });
  assert.equal(await meets(encoded, encoded, encoded), true);
  for (const other of [
    encoded,
    new RegistryError('UNAVAILABLE', 'it answered 503'),
    new RegistryError('DENIED', 'no'),
  ]) {
    assert.equal(await meets(senseless, other), true);
  }
});

it('an answer that begins before what was asked for, or at the start goes on after its end, ignores ranges', async () => {
  const answers: [number, number | undefined, Incoming, boolean][] = [
    [10, undefined, incoming({ offset: 10 }), true],
    [10, 20, incoming({ offset: 10, end: 1000 }), true],
    [10, undefined, incoming(), false],
    [0, 20, incoming({ end: 20 }), true],
    [0, 20, incoming(), true],
    [0, 20, incoming({ end: 1000 }), false],
  ];
  for (const [offset, end, answer, ranges] of answers) {
    const sources = new Sources([() => Promise.resolve(answer)]);
    await sources.open(offset, signal, end);
    assert.equal(sources.ranges, ranges, `${offset}-${end}`);
  }
});

it('those are blamed who have brought something: surely if there is only one', async () => {
  const blamed: [string, boolean][] = [];
  const source = (name: string, opens: boolean): Source => {
    const blame = (surely: boolean) => void blamed.push([name, surely]);
    return (offset) =>
      opens ? Promise.resolve(incoming({ offset, blame })) : Promise.reject(new RegistryError('DENIED', 'no'));
  };
  const all = new Set([source('closed', false), source('a', true)]);
  const sources = new Sources(all);
  await sources.open(0, signal);
  await sources.open(5, signal);
  sources.blame(true);
  sources.blame(false);
  assert.deepEqual(blamed.splice(0), [
    ['a', true],
    ['a', false],
  ]);
  const [, a] = all;
  all.clear();
  all.add(source('b', true)).add(a ?? assert.fail());
  await sources.open(9, signal);
  sources.blame(true);
  assert.deepEqual(blamed, [
    ['a', false],
    ['b', false],
  ]);
});
