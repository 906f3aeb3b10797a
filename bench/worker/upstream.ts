// An upstream that costs as little as can be: whatever it is asked for, it has.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Upstream {
  readonly url: string;
  close(): void;
}

/** Every repository has the manifest that names it, under every tag; and blobs of so many bytes as their digest begins with. */
export async function startUpstream(): Promise<Upstream> {
  const server = createServer((request, response) => {
    const [, name = '', kind, last = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/?]+)/.exec(request.url ?? '') ?? [];
    const isHead = request.method === 'HEAD';
    if (request.url === '/v2/') challenge(response, request.headers.host);
    else if (request.url?.startsWith('/token') === true) response.end('{"token":"x","expires_in":300}');
    else if (kind === 'manifests') sendManifest(response, name, isHead);
    else if (name.startsWith('moved/')) response.writeHead(307, { location: `/v2/there/blobs/${last}` }).end();
    else sendBlob(response, blobSize(last), isHead, firstOf(request.headers.range));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

/** Only who relays a login asks for the ping. */
function challenge(response: ServerResponse, host = ''): void {
  response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="upstream"` }).end();
}

export function blobDigest(size: number): string {
  return `sha256:${String(size).padStart(12, '0').padEnd(64, '0')}`;
}

function blobSize(digest: string): number {
  return Number(digest.slice('sha256:'.length).slice(0, 12));
}

/** Of a range with an open end. */
function firstOf(range: string | undefined): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
}

const mediaType = 'application/vnd.oci.image.manifest.v1+json';

/** As large as that of an image with eight layers. */
export function manifestOf(name: string): { readonly bytes: Buffer; readonly digest: string } {
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: blobDigest(1000), size: 1000 };
  const config = { ...layer, mediaType: 'application/vnd.oci.image.config.v1+json' };
  const layers = Array.from({ length: 8 }, () => layer);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers, annotations: { name } }));
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

function sendManifest(response: ServerResponse, name: string, isHead: boolean): void {
  const { bytes, digest } = manifestOf(name);
  response.writeHead(200, {
    'content-type': mediaType,
    'content-length': bytes.length,
    'docker-content-digest': digest,
  });
  response.end(isHead ? undefined : bytes);
}

const zeros = Buffer.alloc(1 << 20);

function sendBlob(response: ServerResponse, size: number, isHead: boolean, from: number): void {
  response.writeHead(from === 0 ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': size - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${size - 1}/${size}` }),
  });
  response.end(isHead ? undefined : zeros.subarray(from, size));
}
