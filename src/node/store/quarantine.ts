// Blobs that turned bad at rest, kept for a while and within bounds for whoever wants to see what the disk did to them.
import { mkdir, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../core/mirror/events.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import type { Digest } from '../../core/oci/digest.ts';

const mostFiles = 3;
/** Of the limit. */
const share = 1 / 100;
/** Milliseconds. */
const keptFor = 7 * 86_400_000;

export interface QuarantineParts {
  readonly dir: string;
  /** Bytes; undefined: as much as the disk takes. */
  readonly limit: number | undefined;
  readonly clock: Clock;
  readonly report: Report;
}

interface Held {
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export class Quarantine {
  readonly #parts: QuarantineParts;
  limit: number | undefined;
  /** The oldest first. */
  #held: Held[] = [];

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
    this.limit = parts.limit;
  }

  get bytes(): number {
    return this.#held.reduce((sum, { size }) => sum + size, 0);
  }

  /** Looks what is there. */
  async open(): Promise<void> {
    const { dir } = this.#parts;
    const names = await readdir(dir).catch(() => []);
    const found = await Promise.all(names.map((name) => heldAt(dir, name).catch(() => undefined)));
    this.#held = found.filter((each) => each !== undefined).toSorted((one, other) => one.since - other.since);
    await this.trim();
  }

  /** Moves the file there, or removes it if that is too much. Throws if it is not there or can neither be moved nor removed. */
  async take(path: string, digest: Digest, size: number): Promise<void> {
    const { dir, clock } = this.#parts;
    if (size > this.#mostBytes()) return unlink(path);
    const since = clock.now();
    const name = `${digest.replace(':', '-')}-${since}`;
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await rename(path, join(dir, name));
    } catch {
      return unlink(path);
    }
    this.#held.push({ name, size, since });
    await this.trim();
  }

  /** What is too much or too old goes. */
  async trim(): Promise<void> {
    const { dir, clock, report } = this.#parts;
    const oldest = clock.now() - keptFor;
    const isOver = ({ since }: Held): boolean =>
      since < oldest || this.#held.length > mostFiles || this.bytes > this.#mostBytes();
    for (let [first] = this.#held; first !== undefined && isOver(first); [first] = this.#held) {
      try {
        await rm(join(dir, first.name), { force: true });
      } catch (error) {
        report({ kind: 'trouble', where: 'store', doing: 'removing a bad blob', error });
      }
      this.#held = this.#held.filter((each) => each !== first);
    }
  }

  #mostBytes(): number {
    return (this.limit ?? Infinity) * share;
  }
}

/** Undefined for what we have not put there. */
async function heldAt(dir: string, name: string): Promise<Held | undefined> {
  const [, since] = /^sha\d{3}-[0-9a-f]+-(\d{1,15})$/.exec(name) ?? [];
  if (since === undefined) return undefined;
  return { name, size: (await stat(join(dir, name))).size, since: Number(since) };
}
