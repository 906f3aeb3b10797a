// The door and the mirror behind it as a face, without HTTP; what each request asks of store, book and flights is written down.
import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Guesses } from '../../../src/core/access/guesses.ts';
import { arrive } from '../../../src/core/door/arrival.ts';
import { Limits } from '../../../src/core/door/limits.ts';
import { HotManifests } from '../../../src/core/mirror/hot.ts';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import type { Clock } from '../../../src/core/mirror/ports.ts';
import type { Flight } from '../../../src/core/mirror/blob-flights.ts';
import type { Digest } from '../../../src/core/oci/digest.ts';
import { repositoryKey, type Repository } from '../../../src/core/oci/reference.ts';
import { clock as realClock } from '../../../src/node/clock.ts';
import { readConfig } from '../../../src/node/config/config.ts';
import { Dialling } from '../../../src/node/dialling.ts';
import { createServing } from '../../../src/node/serving.ts';
import { openStore } from '../../../src/node/store/store.ts';
import type { SpiedFace } from '../../conformance/attack-lab.ts';
import type { Settings } from '../../conformance/door.ts';
import { collect } from '../mirror/world.ts';

/** Of the request that is being answered: others go on meanwhile. */
const asked = new AsyncLocalStorage<string[]>();

/** Each call as `name.method` and what it is about. */
function spied<Port extends object>(name: string, port: Port): Port {
  return new Proxy(port, {
    get(target, key) {
      const found: unknown = Reflect.get(target, key);
      if (typeof found !== 'function') return found;
      return (...given: unknown[]) => {
        asked.getStore()?.push([`${name}.${String(key)}`, ...given.slice(0, 2).map(textOf)].join(' '));
        return Reflect.apply(found, target, given) as unknown;
      };
    },
  });
}

function textOf(given: unknown): string {
  if (typeof given === 'string') return given;
  const isRepository = typeof given === 'object' && given !== null && 'registry' in given && 'name' in given;
  return isRepository ? repositoryKey(given as Repository) : '';
}

export async function openSpied(settings: Settings): Promise<SpiedFace> {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-spied-'));
  await writeFile(join(directory, 'sampan.yaml'), JSON.stringify(settings));
  const config = await readConfig({ flags: { config: 'sampan.yaml' }, environment: {}, directory });
  const calls: string[] = [];
  const report = (event: MirrorEvent) => {
    if (event.kind === 'asked' && event.what !== 'token') asked.getStore()?.push(`asked ${event.status}`);
  };
  let ahead = 0;
  const clock: Clock = { ...realClock, now: () => realClock.now() + ahead };
  const store = await openStore({ dir: join(directory, 'data'), limit: undefined, clock, report });
  const dialling = new Dialling(clock);
  const closing = new AbortController();
  const { door } = createServing(config, {
    store: { blobs: spied('store', store.blobs), book: spied('book', store.book) },
    underway: spied('flights', new Map<Digest, Flight>()),
    manifests: spied('manifests', new HotManifests()),
    guesses: new Guesses(() => clock.now()),
    // None are set.
    limits: new Limits({ now: () => 0, every: () => () => {}, report }),
    compareHash: () => Promise.resolve(false),
    dialling,
    clock,
    report,
    closing: closing.signal,
  });
  return {
    calls,
    origin: '',
    forward: (ms) => {
      ahead += ms;
    },
    async request({ method = 'GET', target, headers = {} }) {
      const arrival = arrive({ target, host: headers['host'], scheme: 'http' });
      const visit = {
        method,
        arrival,
        address: headers['x-forwarded-for'] ?? '127.0.0.1',
        authorization: headers['authorization'],
        range: headers['range'],
        ifNoneMatch: headers['if-none-match'],
        ifRange: undefined,
      };
      const own: string[] = [];
      const { reply } = await asked.run(own, () => door.answer(visit, new AbortController().signal));
      calls.splice(0, calls.length, ...own);
      const { status, headers: told, body } = await collect(reply);
      return { status, headers: told as Record<string, string | string[]>, body };
    },
    async close() {
      closing.abort();
      await store.close();
      await dialling.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
