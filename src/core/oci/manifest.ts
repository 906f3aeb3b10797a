// Manifests and indexes: which media types there are, and what a document lists.
import type { Descriptor } from './descriptor.ts';
import { isDigest } from './digest.ts';
import { RegistryError } from './errors.ts';

/** A manifest or index as its registry has it, byte for byte. `descriptor.digest` is the digest of `bytes`. */
export interface Manifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export type ManifestKind = 'image' | 'index';

/** What a manifest says about other content. Nothing of it is proven. */
export interface Listing {
  readonly mediaType: string;
  readonly kind: ManifestKind;
  /** Config and layers of an image, manifests of an index; without those whose digest is of an algorithm that nobody could ask us for. */
  readonly lists: readonly Descriptor[];
  /** Those of `lists` that the registry itself has: not the foreign ones, which clients fetch from elsewhere. */
  readonly served: readonly Descriptor[];
  /** Of an image, if it is one of `lists`. */
  readonly config: Descriptor | undefined;
  readonly subject: Descriptor | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const ociImage = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';
const kinds: ReadonlyMap<string, ManifestKind> = new Map([
  [ociIndex, 'index'],
  [ociImage, 'image'],
  ['application/vnd.docker.distribution.manifest.list.v2+json', 'index'],
  ['application/vnd.docker.distribution.manifest.v2+json', 'image'],
]);

/** One for all: an upstream that chooses by Accept must always choose alike. The wildcard comes last, because for it alone old registries sent schema 1. */
export const acceptManifests = [...kinds.keys(), '*/*;q=0.1'].join(', ');

const schema1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;
/** Content-Types of servers that do not know what they serve. */
const saysNothing: ReadonlySet<string> = new Set(['', 'application/json', 'text/plain', 'application/octet-stream']);
const foreignLayer = /^application\/vnd\.(?:docker\.image\.rootfs\.foreign|oci\.image\.layer\.nondistributable)\./;

// image-spec, descriptor.md: any algorithm; RFC 6838 and RFC 9110, section 8.3.1: type, subtype and perhaps parameters.
const anyDigest = /^(?!sha256:|sha512:)[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;
const anyMediaType = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*(?: *;[ -~]*)?$/i;
const longestMediaType = 255;

export function isManifestType(mediaType: string): boolean {
  return kinds.has(mediaType);
}

/**
 * `contentType` as the upstream sent it, or the media type under which the bytes were kept. Throws MANIFEST_INVALID: 502 if
 * the upstream sent what is no manifest or could be read as two things (CVE-2021-41190), 400 for Docker schema 1.
 */
export function readManifest(bytes: Uint8Array, contentType: string | undefined): Listing {
  const sent = bare(contentType);
  if (schema1.test(sent)) throw unsupportedSchema();
  const document = parseDocument(bytes);
  const version = document['schemaVersion'] ?? 2;
  if (version === 1) throw unsupportedSchema();
  if (version !== 2) throw invalid('a schema version that nobody knows');
  const mediaType = agreedMediaType(document, sent);
  const kind = kinds.get(mediaType);
  if (kind === undefined) throw invalid('a media type that is none of a manifest');
  checkShape(document, kind);
  const listed =
    kind === 'index' ? entries(document['manifests']) : [document['config'], ...entries(document['layers'])];
  const lists = listed.map(readListed).filter((entry) => entry !== undefined);
  return {
    mediaType,
    kind,
    lists: lists.map((entry) => entry.descriptor),
    served: lists.filter((entry) => !entry.foreign).map((entry) => entry.descriptor),
    config: isThere(document['config']) ? readListed(document['config'])?.descriptor : undefined,
    subject: isThere(document['subject']) ? readListed(document['subject'])?.descriptor : undefined,
  };
}

/** By whatever it is recognised. It goes by the digest of its payload without the signatures (distribution, schema 1). */
export function isSchema1(bytes: Uint8Array, contentType: string | undefined): boolean {
  if (schema1.test(bare(contentType))) return true;
  try {
    return parseDocument(bytes)['schemaVersion'] === 1;
  } catch {
    return false;
  }
}

function bare(contentType: string | undefined): string {
  return (contentType?.split(';', 1)[0] ?? '').trim().toLowerCase();
}

function parseDocument(bytes: Uint8Array): Fields {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch (cause) {
    throw invalid('something that is no JSON', cause);
  }
  if (!isObject(document)) throw invalid('JSON that is no object');
  return document;
}

/** The body's own media type counts, and the Content-Type must not contradict it. Only OCI lets both be silent. */
function agreedMediaType(document: Fields, sent: string): string {
  const own = document['mediaType'] ?? undefined;
  if (own !== undefined && typeof own !== 'string') throw invalid('a media type that is no string');
  if (!saysNothing.has(sent)) {
    if (own !== undefined && own !== sent) throw invalid('a Content-Type that contradicts the media type in the body');
    return sent;
  }
  return own ?? (document['manifests'] === undefined ? ociImage : ociIndex);
}

function checkShape(document: Fields, kind: ManifestKind): void {
  const isIndex = document['manifests'] !== undefined;
  const isImage = document['config'] !== undefined || document['layers'] !== undefined;
  if (isIndex && isImage) throw invalid('one document that is both image and index');
  if (kind === 'index' ? !isIndex : !isImage) throw invalid(`no ${kind}, although it is called one`);
}

/** Go's encoder writes an empty list as null. */
function entries(field: unknown): readonly unknown[] {
  if (!isThere(field)) return [];
  if (!Array.isArray(field)) throw invalid('a list that is no array');
  return field;
}

interface Listed {
  readonly descriptor: Descriptor;
  readonly foreign: boolean;
}

/** Undefined for a descriptor that is in order, but whose digest is of another algorithm than ours. */
function readListed(entry: unknown): Listed | undefined {
  if (!isObject(entry)) throw invalid('a descriptor that is no object');
  const { mediaType, digest, size, urls } = entry;
  if (typeof mediaType !== 'string' || mediaType.length > longestMediaType || !anyMediaType.test(mediaType)) {
    throw invalid('a descriptor without a media type');
  }
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid('a descriptor without a size');
  if (typeof digest !== 'string') throw invalid('a descriptor without a digest');
  if (!isDigest(digest)) {
    if (anyDigest.test(digest)) return undefined;
    throw invalid('a descriptor with a malformed digest');
  }
  const foreign = foreignLayer.test(mediaType) || (Array.isArray(urls) && urls.length > 0);
  return { descriptor: { mediaType, digest, size }, foreign };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function unsupportedSchema(): RegistryError {
  return new RegistryError('MANIFEST_INVALID', 'this is a Docker schema 1 manifest, which is not supported');
}

function invalid(found: string, cause?: unknown): RegistryError {
  return new RegistryError('MANIFEST_INVALID', `the upstream sent ${found} where a manifest was expected`, {
    status: 502,
    cause,
  });
}
