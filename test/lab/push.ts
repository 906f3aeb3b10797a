// Pushes an item to a registry that takes it, byte for byte (distribution-spec, "Push").
import assert from 'node:assert/strict';
import type { Bytes } from '../fakes/registry/bytes.ts';
import type { Blob, Item } from '../fakes/registry/content.ts';

/** `tag`: undefined for a child, which is known by its digest alone. */
export async function push(registry: string, repository: string, item: Item, tag?: string): Promise<void> {
  for (const child of item.children) await push(registry, repository, child);
  for (const blob of item.blobs) await pushBlob(registry, repository, blob);
  const headers = { 'content-type': item.mediaType };
  const url = `${registry}/v2/${repository}/manifests/${tag ?? item.digest}`;
  const answer = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(item.body) });
  assert.equal(answer.status, 201, `${url}: ${await answer.text()}`);
}

async function pushBlob(registry: string, repository: string, blob: Blob): Promise<void> {
  const opened = await fetch(`${registry}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const upload = new URL(opened.headers.get('location') ?? '', registry);
  upload.searchParams.set('digest', blob.digest);
  const body = ReadableStream.from(chunksOf(blob.bytes));
  const answer = await fetch(upload, { method: 'PUT', body, duplex: 'half' });
  assert.equal(answer.status, 201, `${blob.digest}: ${await answer.text()}`);
}

function* chunksOf(bytes: Bytes): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.size;) {
    const chunk = bytes.read(offset, bytes.size);
    yield chunk;
    offset += chunk.length;
  }
}
