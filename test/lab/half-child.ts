// What is killed while it brings in one blob over two connections.
import { openStore } from '../../src/node/store/store.ts';
import { digestOf } from '../conformance/blob-store.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { Fading, MiB } from '../node/store/half.ts';

export const size = 12 * MiB;
export const lanes = 2;

export function blobOf(seed: number) {
  const bytes = randomBytes(seed, size);
  return { bytes, digest: digestOf(bytes) };
}

if (import.meta.main) {
  const [dir = '', seed = ''] = process.argv.slice(2);
  const { bytes, digest } = blobOf(Number(seed));
  const clock = { now: () => Date.now(), sleep: () => Promise.reject(new Error('never')) };
  const store = await openStore({ dir, limit: undefined, clock, report: () => undefined });
  if ((await store.blobs.stat(digest)) === undefined) {
    const fill = store.blobs.fill(digest, [new Fading(bytes).source], size, lanes);
    // Readers at both ends, so that both connections are needed.
    await Promise.all([fill.open(), fill.open({ kind: 'from', offset: size / 2 + 12_345 })]);
    await fill.done;
  }
  await store.close();
}
