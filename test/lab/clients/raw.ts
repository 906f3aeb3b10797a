// A client in plain HTTP, that pulls everything below a tag and tells what it saw.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

interface Listed {
  readonly digest: string;
  readonly size: number;
}
interface Document {
  readonly manifests?: readonly Listed[];
  readonly config?: Listed;
  readonly layers?: readonly Listed[];
}

/** Not a 200: which request, and its answer. */
class Refused extends Error {
  readonly path: string;
  readonly status: number;
  constructor(path: string, status: number, body: string) {
    super(`${path}: ${status} ${body}`);
    this.path = path;
    this.status = status;
  }
}

/** Pulls the manifest, its children and their blobs, and checks every digest. Returns them, the tag's first. Throws with `path` and `status` of what was refused. */
export async function pullRaw(base: string, repository: string, target: string): Promise<string[]> {
  const answer = await get(`${base}/v2/${repository}/manifests/${target}`);
  const body = await answer.bytes();
  const digest = hashed(body);
  assert.equal(answer.headers.get('docker-content-digest'), digest);
  if (target.startsWith('sha256:')) assert.equal(digest, target);
  const { manifests = [], config, layers = [] } = JSON.parse(Buffer.from(body).toString()) as Document;
  const seen = [digest];
  for (const child of manifests) seen.push(...(await pullRaw(base, repository, child.digest)));
  for (const blob of [...(config ? [config] : []), ...layers]) {
    await pullBlob(`${base}/v2/${repository}/blobs/${blob.digest}`, blob);
    seen.push(blob.digest);
  }
  return seen;
}

async function pullBlob(url: string, blob: Listed): Promise<void> {
  const answer = await get(url);
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    hash.update(chunk);
    size += chunk.length;
  }
  assert.equal(size, blob.size);
  assert.equal(`sha256:${hash.digest('hex')}`, blob.digest);
}

async function get(url: string): Promise<Response> {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Refused(new URL(url).pathname, answer.status, await answer.text());
  return answer;
}

function hashed(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
