// Images, indexes and artifacts as values: what a test puts into a registry.
import { type Bytes, bytesOf, digestOf } from './bytes.ts';

export type Algorithm = 'sha256' | 'sha512';

export interface Blob {
  readonly digest: string;
  readonly bytes: Bytes;
}

export interface Layer extends Blob {
  /** Digest of the layer before compression. */
  readonly diffId: string;
  readonly compressed: boolean;
}

/** A manifest or an index, and what it brings along. To forge one that names what its repository does not hold, empty `blobs` or `children`. */
export interface Item {
  readonly mediaType: string;
  readonly digest: string;
  readonly body: Buffer;
  readonly blobs: readonly Blob[];
  readonly children: readonly Item[];
  readonly platform?: Platform;
  readonly subject?: string;
  readonly artifactType?: string;
}

/** What one repository holds. */
export interface Held {
  /** Tag to digest. */
  readonly tags: Map<string, string>;
  readonly manifests: Map<string, Item>;
  readonly blobs: Map<string, Blob>;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

export const types = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    index: 'application/vnd.oci.image.index.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar',
    zipped: 'application/vnd.oci.image.layer.v1.tar+gzip',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar',
    zipped: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  },
};
export type MediaTypes = keyof typeof types;

const linux: Platform = { os: 'linux', architecture: 'amd64' };

export function blobOf(bytes: Uint8Array | Bytes, algorithm: Algorithm = 'sha256'): Blob {
  const readable = bytes instanceof Uint8Array ? bytesOf(bytes) : bytes;
  return { digest: digestOf(readable, algorithm), bytes: readable };
}

/** A layer of bytes that no runtime will unpack. For those that will, see `tar.ts`. */
export function layerOf(bytes: Uint8Array | Bytes, algorithm: Algorithm = 'sha256'): Layer {
  const blob = blobOf(bytes, algorithm);
  return { ...blob, diffId: blob.digest, compressed: false };
}

interface ImageParts {
  readonly layers?: readonly Layer[];
  readonly platform?: Platform;
  readonly mediaTypes?: MediaTypes;
  readonly algorithm?: Algorithm;
}

export function image(parts: ImageParts = {}): Item {
  const { layers = [], platform = linux, mediaTypes = 'oci', algorithm = 'sha256' } = parts;
  const type = types[mediaTypes];
  const config = blobOf(
    json({ ...platform, config: {}, rootfs: { type: 'layers', diff_ids: layers.map((each) => each.diffId) } }),
    algorithm,
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: type.manifest,
    config: descriptor(type.config, config),
    layers: layers.map((each) => descriptor(each.compressed ? type.zipped : type.layer, each)),
  };
  return { ...raw(type.manifest, json(manifest), algorithm), blobs: [config, ...layers], platform };
}

export function index(
  children: readonly Item[],
  mediaTypes: MediaTypes = 'oci',
  algorithm: Algorithm = 'sha256',
): Item {
  const type = types[mediaTypes].index;
  const manifests = children.map((each) => ({
    mediaType: each.mediaType,
    digest: each.digest,
    size: each.body.length,
    platform: each.platform,
  }));
  return { ...raw(type, json({ schemaVersion: 2, mediaType: type, manifests }), algorithm), children };
}

/** Something that is no image, with the empty config; a referrer if it has a subject. */
export function artifact(parts: { subject?: Item; artifactType?: string; files?: readonly Blob[] } = {}): Item {
  const { subject, artifactType = 'application/vnd.example.sbom', files = [] } = parts;
  const empty = blobOf(Buffer.from('{}'));
  const manifest = {
    schemaVersion: 2,
    mediaType: types.oci.manifest,
    artifactType,
    config: descriptor('application/vnd.oci.empty.v1+json', empty),
    layers: (files.length === 0 ? [empty] : files).map((each) => descriptor('application/octet-stream', each)),
    ...(subject && { subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.body.length } }),
  };
  return {
    ...raw(types.oci.manifest, json(manifest)),
    blobs: [empty, ...files],
    artifactType,
    ...(subject && { subject: subject.digest }),
  };
}

/** Any bytes under any type: what a registry should not, but may, serve as a manifest. */
export function raw(mediaType: string, body: Buffer, algorithm: Algorithm = 'sha256'): Item {
  return { mediaType, digest: digestOf(bytesOf(body), algorithm), body, blobs: [], children: [] };
}

export function descriptor(mediaType: string, blob: Blob): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: blob.digest, size: blob.bytes.size };
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
