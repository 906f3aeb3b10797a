// A file system of a few megabytes that a test can fill, make read-only and put right again.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { need } from './need.ts';

/** For the `skip` option of a test. */
export function needMounts(): string | false {
  const missing = need('mount', 'umount', 'unshare');
  if (missing !== false || process.platform !== 'linux') return missing || 'there is no tmpfs';
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return false;
  } catch (error) {
    if (process.env['SAMPAN_TEST_SKIP'] === 'forbid') throw error;
    return 'mounting is not allowed';
  }
}

export class SmallDisk {
  readonly data: string;
  readonly #mounted: string;
  readonly #filler: string;
  readonly #size: number;
  #readOnly = false;

  static async mount(size: number): Promise<SmallDisk> {
    const mounted = await mkdtemp(join(tmpdir(), 'sampan-faults-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', mounted]);
    return new SmallDisk(mounted, size);
  }

  private constructor(mounted: string, size: number) {
    this.data = join(mounted, 'data');
    this.#mounted = mounted;
    this.#size = size;
    this.#filler = join(mounted, 'filler');
  }

  /** Somebody else takes all that is left but so many bytes. */
  fill(left: number): void {
    const file = openSync(this.#filler, 'w');
    const page = Buffer.alloc(4096);
    let written = 0;
    try {
      for (; written <= this.#size; written += page.length) writeSync(file, page);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
    truncateSync(this.#filler, Math.max(0, written - left));
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  /** For whoever opens a path from now on; what is open stays as it is. */
  makeReadOnly(): void {
    execFileSync('mount', ['--bind', this.data, this.data]);
    execFileSync('mount', ['-o', 'remount,bind,ro', this.data]);
    this.#readOnly = true;
  }

  makeWritable(): void {
    if (this.#readOnly) execFileSync('umount', ['--lazy', this.data]);
    this.#readOnly = false;
  }

  async unmount(): Promise<void> {
    this.makeWritable();
    execFileSync('umount', ['--lazy', this.#mounted]);
    await rm(this.#mounted, { recursive: true });
  }
}
