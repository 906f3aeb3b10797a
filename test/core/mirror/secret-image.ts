// A registry with private repositories, logins that open them, and a mirror before it whose store, book and flights are watched.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { Flight, Underway } from '../../../src/core/mirror/blob-flights.ts';
import type { Digest } from '../../../src/core/oci/digest.ts';
import { basic } from '../../../src/core/oci/login.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { type World, world } from './world.ts';

export const size = 300_000;
export const bytes = randomBytes(17, size);
export const layer = layerOf(bytes);
export const item = image({ layers: [layer] });
export const blob = `/v2/acme/secret/blobs/${layer.digest}`;
/** The same bytes, in a repository of somebody else's. */
export const elsewhere = `/v2/other/secret/blobs/${layer.digest}`;
export const byTag = '/v2/acme/secret/manifests/1';
export const byDigest = `/v2/acme/secret/manifests/${item.digest}`;

const logins = {
  'ann:x': ['acme/secret'],
  'ben:x': ['acme/secret', 'other/secret'],
  'cat:x': ['other/secret'],
  'eve:x': [],
};

export interface SecretWorld extends World {
  /** What was asked of store, book and flights since this was last called. */
  touched(): string[];
  /** Of the layer, if there is one. */
  flight(): Flight | undefined;
  /** Resolves when so many lend the layer's flight their upstreams. */
  joined(count: number): Promise<void>;
  /** `Bearer …` of the registry itself, for one repository. */
  token(user: 'ann' | 'ben' | 'cat' | 'eve', repository?: string): Promise<string>;
  /** As `asked`, each with what it showed. */
  shown(): { readonly asked: string; readonly authorization: string | undefined }[];
}

export async function secretWorld(options: Parameters<typeof world>[0] = {}): Promise<SecretWorld> {
  const calls: string[] = [];
  const watched = <T extends object>(name: string, whole: T): T =>
    new Proxy(whole, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          calls.push(`${name}.${String(key)}`);
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  const flights: Underway = new Map();
  const underway = watched('flights', flights);
  const flight = () => flights.get(layer.digest as Digest);
  const { store = (blobs) => blobs } = options;
  const all = await world({
    ...options,
    underway,
    store: (blobs) => watched('store', store(blobs)),
    book: (book) => watched('book', book),
  });
  const { registry } = all;
  registry.levers.token = { expiresIn: 300, private: ['acme/secret', 'other/secret'], logins };
  for (const name of ['acme/secret', 'other/secret']) registry.hold(name, item, '1');
  let seen = 0;
  return {
    ...all,
    // What spreads is what they were when the world began.
    get mirror() {
      return all.mirror;
    },
    get store() {
      return all.store;
    },
    // A flight that is over is forgotten a moment after its blob is here.
    touched: () => calls.splice(0).filter((call) => call !== 'flights.delete'),
    flight,
    async joined(count) {
      while (flight()?.sources.size !== count) await setImmediate();
    },
    async token(user, repository = 'acme/secret') {
      const answer = await fetch(`${registry.url}/token?scope=repository:${repository}:pull`, {
        headers: { authorization: basic(user, 'x') },
      });
      assert.equal(answer.status, 200);
      return `Bearer ${((await answer.json()) as { token: string }).token}`;
    },
    shown() {
      const log = registry.log.slice(seen);
      seen = registry.log.length;
      return log
        .filter(({ path }) => !path.startsWith('/token'))
        .map(({ method, path, headers }) => ({ asked: `${method} ${path}`, authorization: headers.authorization }));
    },
  };
}
