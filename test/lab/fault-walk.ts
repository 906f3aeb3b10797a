// One walk: random steps from a seed, and after each day everything is looked at.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type World, minute, second, world } from '../core/mirror/world.ts';
import { numbers, randomBytes } from '../fakes/registry/bytes.ts';
import { type Layer, image, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { nothingLeft } from './fault-left.ts';
import { Visitor } from './fault-visitor.ts';
import { Shore, type Weather, weathers } from './fault-weather.ts';
import { SmallDisk } from './small-disk.ts';

const repository = 'library/walk';
const sizes = [1, 1000, 65_536, 65_537, 300_000, 300_001, 700_000, 1_200_000, 2_500_000, 3_000_000, 5_000_000];
/** Less than all together: something is evicted all the time. The largest does not fit at all. */
const limit = 4_500_000;
const steps = 60;
const mostVisitors = 12;

/** What may be answered when something is wrong; never a 500. */
const troubles = [429, 502, 503, 416];
const graveTroubles = [...troubles, 401, 403, 404];

export class Walk {
  readonly #random: () => number;
  readonly #all: World;
  readonly #shores: readonly Shore[];
  readonly #disk: SmallDisk | undefined;
  readonly #layers: readonly Layer[];
  readonly #visitors = new Set<Visitor>();
  readonly #log: string[] = [];
  /** Since the last calm: something that may end a pull. */
  #grave = false;
  #readOnly = false;
  #noted = 0;
  /** What could not be removed while the disk was read-only stays until the next start. */
  #leftover = false;

  static async begin(seed: number, mounts: boolean): Promise<Walk> {
    const disk = mounts ? await SmallDisk.mount(24 << 20) : undefined;
    const other = await startRegistry();
    const all = await world({ beside: [other], limit, ...(disk && { dir: disk.data }) });
    after(async () => {
      await other.down();
      await disk?.unmount();
    });
    // Waits take no time: those of one pull would else be lost to all the others.
    all.clock.sleep = () => Promise.resolve();
    const shores = [all.registry, other].map((registry, index) => new Shore(registry, seed * 10 + index));
    return new Walk(seed, all, shores, disk);
  }

  private constructor(seed: number, all: World, shores: readonly Shore[], disk: SmallDisk | undefined) {
    this.#random = numbers(seed);
    this.#all = all;
    this.#shores = shores;
    this.#disk = disk;
    this.#layers = sizes.map((size, index) => layerOf(randomBytes(seed * 100 + index, size)));
    for (const { registry } of shores) {
      registry.hold(repository, image(), '1');
      for (const layer of this.#layers) registry.holdBlob(repository, layer);
    }
  }

  /** Faults come and go; then all clients are done with, and everything is well again for a while. */
  async day(): Promise<void> {
    try {
      assert.equal((await this.#all.get(`/v2/${repository}/manifests/1`)).status, 200);
      for (let step = 0; step < steps; step += 1) await this.#step();
      await this.#rest();
      await this.#calm();
    } catch (error) {
      this.#note();
      this.#log.push(JSON.stringify(this.#all.store.usage()));
      for (const shore of this.#shores) await shore.turn('well');
      for (const visitor of this.#visitors) visitor.hurry();
      throw new Error(`after ${this.#log.slice(-150).join('\n')}`, { cause: error });
    }
  }

  /** What happened since it was last called. */
  #note(): void {
    for (const event of this.#all.events.slice(this.#noted)) {
      const error = 'error' in event && event.error instanceof Error ? event.error : undefined;
      const layer = 'digest' in event ? this.#layers.find(({ digest }) => digest === event.digest)?.bytes.size : '';
      const why = error && `${error.message} (${error.cause instanceof Error ? error.cause.message : ''})`;
      const status = 'status' in event && 'method' in event ? `${event.method} ${event.status}` : '';
      this.#log.push(`    ${event.kind} ${layer ?? ''} ${why ?? ''} ${status}`);
    }
    this.#noted = this.#all.events.length;
  }

  #below(most: number): number {
    return this.#random() % most;
  }

  #one<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  async #step(): Promise<void> {
    const dice = this.#below(100);
    this.#note();
    if (dice < 45) this.#come();
    else if (dice < 60) for (const visitor of this.#visitors) visitor.step(1 + this.#below(8));
    else if (dice < 75) await this.#turn(this.#one(this.#shores), this.#one(Object.keys(weathers) as Weather[]));
    else if (dice < 80) for (const shore of this.#shores) shore.release();
    else if (dice < 88) this.#disturb();
    else if (dice < 94) await this.#pause();
    else if (dice < 96) await this.#restart();
    else await this.#some(20);
    for (const visitor of this.#visitors) if (visitor.isOver) await this.#judge(visitor);
    if (this.#visitors.size > mostVisitors) await this.#rest();
    this.#all.clock.forward(this.#below(600));
    await this.#some(this.#below(12));
  }

  /** Nobody is about to be answered meanwhile: whoever waits so long for a head is told that nobody answers. */
  async #pause(): Promise<void> {
    await this.#rest();
    this.#all.clock.forward(this.#below(300) * second);
  }

  #come(): void {
    const layer = this.#one(this.#layers);
    const { size } = layer.bytes;
    const at = this.#below(size);
    const ranges = [`bytes=${at}-`, `bytes=${at}-${at + this.#below(200_000)}`, `bytes=-${1 + this.#below(size)}`];
    const range = this.#one([undefined, undefined, undefined, ...ranges, 'bytes=0-', `bytes=${size}-`]);
    const leaves = this.#below(4) === 0 ? this.#below(size) : Infinity;
    const slow = this.#below(3) === 0;
    this.#log.push(
      `${size}${range ? ` ${range}` : ''}${leaves < Infinity ? ` leaves at ${leaves}` : ''}${slow ? ' slowly' : ''}`,
    );
    const path = `/v2/${repository}/blobs/${layer.digest}`;
    this.#visitors.add(new Visitor(this.#all, { layer, path, range, leaves, slow }));
  }

  async #turn(shore: Shore, weather: Weather): Promise<void> {
    this.#log.push(`endpoint ${this.#shores.indexOf(shore) + 1} ${weather}`);
    await shore.turn(weather);
    const bad = this.#shores.filter((each) => each.weather !== 'well');
    if (weathers[weather] === 'grave' || bad.length > 1) this.#grave = true;
  }

  #disturb(): void {
    if (this.#disk === undefined) return;
    const what = this.#one(['full', 'nearly full', 'room', 'read-only', 'writable']);
    this.#log.push(`disk ${what}`);
    if (what === 'full') this.#disk.fill(0);
    else if (what === 'nearly full') this.#disk.fill(this.#below(4_000_000));
    else if (what === 'room') this.#disk.empty();
    else if (what === 'writable') this.#heal();
    else if (!this.#readOnly) {
      this.#disk.makeReadOnly();
      this.#readOnly = true;
      this.#leftover = true;
    }
  }

  #heal(): void {
    this.#disk?.makeWritable();
    this.#readOnly = false;
  }

  /** Of the process: who waited for bytes of a fill is cut off. */
  async #restart(): Promise<void> {
    this.#log.push('restart');
    this.#disk?.empty();
    this.#heal();
    this.#grave = true;
    await this.#rest();
    await this.#all.restart();
    this.#leftover = false;
  }

  /** Everybody gets what there is to get. */
  async #rest(): Promise<void> {
    for (const shore of this.#shores) shore.release();
    // Those who come to a gate later than that.
    for (const shore of this.#shores) if (shore.weather === 'slow') await shore.turn('well');
    for (const visitor of this.#visitors) visitor.hurry();
    for (const visitor of this.#visitors) {
      await visitor.over;
      await this.#judge(visitor);
    }
    await this.#all.settled();
  }

  async #judge(visitor: Visitor): Promise<void> {
    this.#visitors.delete(visitor);
    await visitor.judge(!this.#grave, this.#grave ? graveTroubles : troubles);
  }

  /** All is well: every blob comes, and what is kept is what is on disk. */
  async #calm(): Promise<void> {
    this.#log.push('calm');
    for (const shore of this.#shores) await shore.turn('well');
    this.#disk?.empty();
    this.#heal();
    this.#all.clock.forward(15 * minute);
    // After a restart without a book nothing is taken in until it is known what is there.
    await this.#all.store.settled;
    assert.equal((await this.#all.get(`/v2/${repository}/manifests/1`)).status, 200);
    for (const layer of this.#layers) {
      const path = `/v2/${repository}/blobs/${layer.digest}`;
      for (const range of [undefined, 'bytes=-1']) {
        const visitor = new Visitor(this.#all, { layer, path, range, leaves: Infinity, slow: false });
        await visitor.over;
        await visitor.judge(true, []);
      }
      await this.#all.settled();
      if (layer.bytes.size > limit) continue;
      assert.equal(
        (await this.#all.head(path)).headers['cache-status'],
        'sampan; hit',
        `${layer.bytes.size} is not kept`,
      );
    }
    this.#grave = false;
    await this.#look();
  }

  /** Nothing is pending, nothing is left open, and the usage is what is on disk. */
  async #look(): Promise<void> {
    const { dir, store } = this.#all;
    await nothingLeft(this.#all, !this.#leftover);
    const files = await readdir(join(dir, 'blobs'), { recursive: true, withFileTypes: true });
    const found = files.filter((file) => file.isFile()).map((file) => statSync(join(file.parentPath, file.name)).size);
    const { bytes, blobs } = store.usage();
    assert.deepEqual({ bytes, blobs }, { bytes: found.reduce((sum, size) => sum + size, 0), blobs: found.length });
    assert.ok(bytes <= limit);
    assert.deepEqual(
      this.#all.events.splice(0).filter(({ kind }) => kind === 'bug'),
      [],
    );
  }

  async #some(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await setImmediate();
  }
}
