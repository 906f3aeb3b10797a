// A store in a directory of its own, with a clock that stands still and all events at hand.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import type { Clock } from '../../../src/core/mirror/ports.ts';
import { openStore, type Store } from '../../../src/node/store/store.ts';
import { toldOnce } from '../../../src/node/store/troubles.ts';

/** Moves when it is told to, and when somebody sleeps. */
export class StillClock implements Clock {
  time = 1_700_000_000_000;

  now(): number {
    return this.time;
  }

  async sleep(ms: number): Promise<void> {
    this.time += ms;
  }
}

export interface Opened {
  readonly store: Store;
  readonly dir: string;
  readonly clock: StillClock;
  readonly events: MirrorEvent[];
  /** Closes it and opens the directory again. */
  again(limit?: number): Promise<Opened>;
}

export async function openAt(t: TestContext, dir: string, limit?: number): Promise<Opened> {
  const clock = new StillClock();
  const events: MirrorEvent[] = [];
  const store = await openStore({ dir, limit, clock, report: toldOnce((event) => void events.push(event), clock) });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= store.close());
  t.after(close);
  const again = async (next?: number) => {
    await close();
    return openAt(t, dir, next);
  };
  const held: Store = {
    ...store,
    get settled() {
      return store.settled;
    },
    close,
  };
  return { store: held, dir, clock, events, again };
}

export async function openFresh(t: TestContext, limit?: number): Promise<Opened> {
  return openAt(t, await directory(t), limit);
}

export async function directory(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sampan-store-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Milliseconds. Threads and disks take as long as they do; who waits for longer than this waits for nothing. */
const patience = 30_000;

/** Lets what is under way go on until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patience;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`it never came to that: ${isSo.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Of all files below it. */
export async function bytesBelow(dir: string): Promise<number> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
