// The data directory as this process has it: locked, and made anew if somebody takes it away while we run.
import { mkdir, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { isMissing, type Layout, makeDataDirectory, prepare } from './layout.ts';
import { lockDirectory } from './lock.ts';

export class Home {
  /** Called when it is another directory than before. */
  moved: () => Promise<void> = () => Promise.resolve();
  readonly #layout: Layout;
  #unlock: () => void = () => undefined;
  /** The file that we have locked. */
  #lock: Stats | undefined;
  #settling: Promise<void> | undefined;
  #fresh = false;

  /** Throws if another process has the directory, if a later sampan has written to it, or if it cannot be written to. */
  static async open(layout: Layout): Promise<Home> {
    const home = new Home(layout);
    await home.#settle();
    return home;
  }

  private constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Whether nothing was there when it was made ready: for the first book that is opened in it, and for no later one. */
  takeFresh(): boolean {
    const fresh = this.#fresh;
    this.#fresh = false;
    return fresh;
  }

  /** Before anything is written to it. Throws as `open` does. */
  async ensure(): Promise<void> {
    const { lock, incoming } = this.#layout;
    const [locked, parts] = await Promise.all([found(lock), found(incoming)]);
    // Nobody writes there before we have looked what is there.
    if (this.#settling === undefined && isSame(locked, this.#lock)) {
      if (parts === undefined) await mkdir(incoming, { recursive: true, mode: 0o700 });
      return;
    }
    await (this.#settling ??= this.#resettle().finally(() => (this.#settling = undefined)));
  }

  async #resettle(): Promise<void> {
    await this.#settle();
    await this.moved();
  }

  async #settle(): Promise<void> {
    const layout = this.#layout;
    await makeDataDirectory(layout);
    const unlock = lockDirectory(layout.dir, layout.lock);
    try {
      const lock = await stat(layout.lock);
      this.#fresh = (await prepare(layout)).fresh;
      this.#unlock();
      this.#lock = lock;
      this.#unlock = unlock;
    } catch (error) {
      unlock();
      throw error;
    }
  }

  leave(): void {
    this.#unlock();
  }
}

function isSame(one: Stats | undefined, other: Stats | undefined): boolean {
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
}

async function found(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return undefined;
  });
}
