// What a fault may leave behind: nothing that is open, nothing that is kept for nobody.
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { World } from '../core/mirror/world.ts';

/** What is closed is closed a moment later. `incoming`: false if the disk did not let us take away what is there. */
export async function nothingLeft({ dir, store }: World, incoming = true): Promise<void> {
  for (let turn = 0; turn < 2000 && !(store.usage().reserved === 0 && openIn(dir).length === 0); turn += 1) {
    await setImmediate();
  }
  assert.equal(store.usage().reserved, 0);
  assert.deepEqual(openIn(dir), []);
  if (incoming) assert.deepEqual(await readdir(join(dir, 'incoming')), []);
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
