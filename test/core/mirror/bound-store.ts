// A store of which a test replaces some methods: `{ ...bound(blobs), open: … }`.
import type { BlobStore } from '../../../src/core/mirror/ports.ts';

export function bound(blobs: BlobStore): BlobStore {
  return {
    stat: (digest) => blobs.stat(digest),
    open: (digest, range) => blobs.open(digest, range),
    fill: (digest, sources, expected, lanes) => blobs.fill(digest, sources, expected, lanes),
    read: (digest, most) => blobs.read(digest, most),
    delete: (digest) => blobs.delete(digest),
    check: (digest) => blobs.check(digest),
  };
}
