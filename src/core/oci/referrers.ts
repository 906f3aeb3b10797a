// The list of what refers to a manifest (distribution-spec, "Listing Referrers").
import { type Digest, algorithmOf, hexOf } from './digest.ts';
import { ociIndex, readManifest } from './manifest.ts';
import { type Tag, parseTag } from './reference.ts';

interface Referrers {
  readonly manifests: readonly { readonly artifactType?: unknown }[];
}

export const noReferrers = `{"schemaVersion":2,"mediaType":"${ociIndex}","manifests":[]}`;

/** Where a registry without the endpoint keeps the list: "Referrers Tag Schema". */
export function fallbackTag(subject: Digest): Tag {
  return parseTag(`${algorithmOf(subject)}-${hexOf(subject).slice(0, 64)}`);
}

/** The same index with only the referrers of one artifact type. Throws MANIFEST_INVALID (502) if it is none. */
export function filterReferrers(index: Uint8Array, artifactType: string): Uint8Array {
  readManifest(index, ociIndex);
  const document: unknown = JSON.parse(new TextDecoder().decode(index));
  if (!isList(document)) return index;
  const manifests = document.manifests.filter((referrer) => referrer.artifactType === artifactType);
  return new TextEncoder().encode(JSON.stringify({ ...document, manifests }));
}

/** What `readManifest` takes for an index has a list of objects, or null for an empty one. */
function isList(document: unknown): document is Referrers {
  return (
    typeof document === 'object' && document !== null && 'manifests' in document && Array.isArray(document.manifests)
  );
}
