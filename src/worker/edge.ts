// What a request's mirror keeps at the edge: everything small in Cloudflare's cache, blobs there and in a bucket if there is one.
import type { MirrorParts } from '../core/mirror/mirror.ts';
import { sharedBook } from '../core/mirror/shared-book.ts';
import { bucketShelf } from './bucket-shelf.ts';
import { edgeBook } from './edge-book.ts';
import { EdgeCache, type Later } from './edge-cache.ts';
import { edgeManifests } from './edge-manifests.ts';
import { edgeShelf } from './edge-shelf.ts';
import { type Isolate, clock } from './isolate.ts';
import { report } from './report.ts';

/**
 * `host`: the one that was asked for, without secrets. Things are kept in its name: it is surely of a zone that leads to this
 * Worker, as a host of the configuration need not be.
 */
export function openEdge(
  isolate: Isolate,
  host: string,
  address: string | undefined,
  later: Later,
): Pick<MirrorParts, 'book' | 'store' | 'shelves'> {
  const cache = new EdgeCache(host, later, report);
  const bucket = isolate.bucket && bucketShelf(isolate.bucket, later, report);
  return {
    book: sharedBook(isolate.near, edgeBook(cache), clock, isolate.settings),
    store: edgeManifests(cache),
    shelves: [edgeShelf(cache, isolate.doubts, address), ...(bucket === undefined ? [] : [bucket])],
  };
}
