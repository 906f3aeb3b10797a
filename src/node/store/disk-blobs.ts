// Blobs in a directory: whole ones under their digest, those on their way in under another name.
import { randomUUID } from 'node:crypto';
import type { Report } from '../../core/mirror/events.ts';
import { usualLanes } from '../../core/mirror/lanes.ts';
import { anybodys } from '../../core/mirror/origin.ts';
import type { BlobStore, Clock, Content, Fill, Source } from '../../core/mirror/ports.ts';
import { type Digest, hexOf } from '../../core/oci/digest.ts';
import { type RangeRequest, resolveRange } from '../../core/oci/range.ts';
import { BufferPool } from '../buffer-pool.ts';
import type { Budget } from './budget.ts';
import { DiskFill } from './disk-fill.ts';
import type { Home } from './home.ts';
import type { Layout } from './layout.ts';
import type { Leftovers } from './leftovers.ts';
import type { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import type { Shelf } from './shelf.ts';

export interface DiskParts {
  readonly home: Home;
  readonly layout: Layout;
  readonly ledger: Ledger;
  readonly shelf: Shelf;
  readonly budget: Budget;
  readonly leftovers: Leftovers;
  readonly clock: Clock;
  readonly report: Report;
}

export class DiskBlobs implements BlobStore {
  readonly #parts: DiskParts;
  readonly #buffers = new BufferPool();
  readonly #load = new Load();
  readonly #fills = new Set<DiskFill>();
  readonly #stop = new AbortController();

  constructor(parts: DiskParts) {
    this.#parts = parts;
  }

  stat(digest: Digest): Promise<number | undefined> {
    return this.#parts.shelf.stat(digest);
  }

  async open(digest: Digest, asked?: RangeRequest): Promise<Content | undefined> {
    const blob = await this.#parts.shelf.open(digest);
    if (blob === undefined) {
      // Whatever the ledger says: there is none.
      await this.#parts.shelf.reconcile(digest);
      return undefined;
    }
    try {
      const range = asked === undefined ? undefined : resolveRange(asked, blob.size);
      this.#parts.ledger.touch(digest);
      return { size: blob.size, range, body: { kind: 'file', file: blob, range } };
    } catch (error) {
      blob.close();
      throw error;
    }
  }

  fill(digest: Digest, sources: Iterable<Source>, expected?: number, lanes = usualLanes, origin = anybodys): Fill {
    // Another may have left a file under this digest.
    const path = this.#parts.layout.part(`${hexOf(digest)}.${randomUUID()}`);
    const { home, shelf, budget, leftovers, clock, report } = this.#parts;
    const parts = {
      home,
      shelf,
      budget,
      leftovers,
      clock,
      report,
      buffers: this.#buffers,
      load: this.#load,
      open: this.open.bind(this),
    };
    const fill = new DiskFill(parts, { digest, sources, expected, lanes, origin, path, signal: this.#stop.signal });
    this.#fills.add(fill);
    const forget = () => void this.#fills.delete(fill);
    fill.done.then(forget, forget);
    return fill;
  }

  async read(digest: Digest, most: number): Promise<Uint8Array | undefined> {
    const bytes = await this.#parts.shelf.read(digest, most);
    if (bytes !== undefined) this.#parts.ledger.touch(digest);
    return bytes;
  }

  delete(digest: Digest): Promise<void> {
    return this.#parts.shelf.remove(digest);
  }

  check(digest: Digest): Promise<boolean> {
    return this.#parts.shelf.check(digest, 'checking');
  }

  /** Running fills fail, and with them their readers. Who has a whole blob open keeps it. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the store is being closed'));
    await Promise.allSettled([...this.#fills].map((fill) => fill.done));
  }
}
