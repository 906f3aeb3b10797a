// The two lists of a registry: its tags, in pages, and the referrers of a digest.
import type { ServerResponse } from 'node:http';
import { type Held, type Item, types } from './content.ts';
import { type Asked, send } from './listener.ts';

/** Lexical order; `last` is exclusive; `n=0` is an empty list without a next page (distribution-spec, "Listing tags"). */
export function sendTags(asked: Asked, response: ServerResponse, held: Held, pageSize: number): void {
  const query = new URLSearchParams(asked.query);
  const last = query.get('last') ?? '';
  const count = Math.min(Number(query.get('n') ?? pageSize), pageSize);
  const rest = [...held.tags.keys()].toSorted().filter((tag) => tag > last);
  const page = rest.slice(0, count);
  const more = count > 0 && rest.length > count;
  const link = `<${asked.path}?n=${count}&last=${page.at(-1)}>; rel="next"`;
  const name = asked.path.slice('/v2/'.length, -'/tags/list'.length);
  const headers = { 'content-type': 'application/json', ...(more && { link }) };
  send(asked, response, 200, headers, JSON.stringify({ name, tags: page }));
}

export function sendReferrers(asked: Asked, response: ServerResponse, held: Held, digest: string): void {
  const artifactType = new URLSearchParams(asked.query).get('artifactType') ?? undefined;
  const wanted = (each: Item) =>
    each.subject === digest && (artifactType === undefined || each.artifactType === artifactType);
  const manifests = [...held.manifests.values()].filter(wanted).map((each) => ({
    mediaType: each.mediaType,
    digest: each.digest,
    size: each.body.length,
    artifactType: each.artifactType,
  }));
  const filters = artifactType !== undefined && { 'oci-filters-applied': 'artifactType' };
  const list = { schemaVersion: 2, mediaType: types.oci.index, manifests };
  send(asked, response, 200, { 'content-type': types.oci.index, ...filters }, JSON.stringify(list));
}
