// What a fault may leave behind: nothing that is open, and nothing that is kept for nobody.
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { World } from '../core/mirror/world.ts';

/**
 * Answers how many bytes wait for who asks next: those of parts that have a journal beside them. Nothing else may lie there, or
 * be counted. `tidy`: false if the disk did not let us take away what is there.
 */
export async function nothingLeft({ dir, store }: World, tidy = true): Promise<number> {
  // What is closed is closed a moment later.
  const isSettled = () => openIn(dir).length === 0 && isCounted(dir, store);
  for (let turn = 0; turn < 2000 && !isSettled(); turn += 1) await setImmediate();
  assert.deepEqual(openIn(dir), []);
  if (tidy) assert.deepEqual(waitingIn(dir).strays, []);
  assert.ok(isCounted(dir, store), `${store.usage().reserved} bytes are reserved for what is not there`);
  return waitingIn(dir).bytes;
}

function isCounted(dir: string, store: World['store']): boolean {
  const { bytes } = waitingIn(dir);
  const { reserved } = store.usage();
  return bytes === 0 ? reserved === 0 : reserved >= bytes;
}

function waitingIn(dir: string): { readonly bytes: number; readonly strays: readonly string[] } {
  const incoming = join(dir, 'incoming');
  const names = new Set(readdirSync(incoming));
  const kept = [...names].filter((name) => name.endsWith('.part') && names.has(name.replace('.part', '.journal')));
  const bytes = kept.reduce((sum, name) => sum + statSync(join(incoming, name)).blocks * 512, 0);
  const known = new Set(kept.flatMap((name) => [name, name.replace('.part', '.journal')]));
  return { bytes, strays: [...names].filter((name) => !known.has(name)) };
}

/** Files of blobs that this process has open. */
function openIn(dir: string): readonly string[] {
  const names = readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      return [];
    }
  });
  return names.filter((name) => ['blobs', 'incoming'].some((part) => name.startsWith(join(dir, part))));
}
