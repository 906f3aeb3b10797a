// Conditional requests (RFC 9110, section 13) against content whose only validator is its digest.
import type { Digest } from './digest.ts';

/** The headers of that name, as they came. */
export interface Conditions {
  readonly ifNoneMatch?: string;
  readonly ifRange?: string;
}

// One entity tag of a list. The bare form is not RFC 9110's, but distribution takes it, so there are clients that send it.
const entityTags = /(?:W\/)?"([^"]*)"|([^\s,"]+)/g;

export function etagOf(digest: Digest): string {
  return `"${digest}"`;
}

/** If-None-Match names the digest (weakly compared), or is `*`: what the client has is still right, and 304 says so. */
export function isNotModified(conditions: Conditions, digest: Digest): boolean {
  const header = conditions.ifNoneMatch;
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.matchAll(entityTags).some(([, quoted, bare]) => (quoted ?? bare) === digest);
}

/** There is no If-Range, or it names the digest. Otherwise the whole is sent: dates and weak tags never match (section 13.1.5). */
export function isRangeWanted(conditions: Conditions, digest: Digest): boolean {
  const header = conditions.ifRange?.trim();
  return header === undefined || header === etagOf(digest) || header === digest;
}
