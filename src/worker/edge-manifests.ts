// Manifests at the edge: by digest alone, because who reads them checks them against it. Blobs have a shelf of their own.
import { noStore } from '../core/mirror/nothing.ts';
import type { BlobStore } from '../core/mirror/ports.ts';
import { type EdgeCache, kept } from './edge-cache.ts';

export function edgeManifests(cache: EdgeCache): BlobStore {
  return {
    ...noStore,
    async read(digest, most) {
      const bytes = await cache.read(`manifest/${digest}`, (found) => found.bytes());
      return bytes !== undefined && bytes.length <= most ? bytes : undefined;
    },
    fill(digest, sources) {
      const [source] = sources;
      const make = async () => {
        const chunks: Uint8Array[] = [];
        const incoming = await source?.(0, new AbortController().signal);
        for await (const chunk of incoming?.stream ?? []) chunks.push(chunk);
        return kept(new Blob(chunks));
      };
      cache.put(`manifest/${digest}`, make);
      // Nobody reads from it while it comes in.
      return noStore.fill(digest, sources);
    },
  };
}
