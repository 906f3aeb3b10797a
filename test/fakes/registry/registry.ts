// A small registry that conforms to the OCI distribution-spec, holds what it is given, and has levers for everything that goes wrong.
import type { ServerResponse } from 'node:http';
import type { Blob, Held, Item } from './content.ts';
import { type Levers, noLevers } from './levers.ts';
import { type Asked, canned, fail, Listener, send } from './listener.ts';
import { sendReferrers, sendTags } from './lists.ts';
import { sendBlob } from './send-blob.ts';
import { challenge, Tokens } from './token.ts';

const route = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/;

export class FakeRegistry extends Listener {
  readonly levers: Levers = noLevers();
  readonly tokens = new Tokens();
  readonly #held = new Map<string, Held>();

  /** Takes an item with all that it brings along, under a tag if one is given. */
  hold(repository: string, item: Item, tag?: string): Item {
    const held = this.#at(repository);
    for (const child of item.children) this.hold(repository, child);
    for (const blob of item.blobs) held.blobs.set(blob.digest, blob);
    held.manifests.set(item.digest, item);
    if (tag !== undefined) held.tags.set(tag, item.digest);
    return item;
  }

  holdBlob(repository: string, blob: Blob): Blob {
    this.#at(repository).blobs.set(blob.digest, blob);
    return blob;
  }

  /** Forgets a tag, a manifest or a blob. */
  drop(repository: string, name: string): void {
    const held = this.#at(repository);
    for (const each of [held.tags, held.manifests, held.blobs]) each.delete(name);
  }

  /** What a CDN serves for this registry. */
  blob(digest: string): Blob | undefined {
    for (const held of this.#held.values()) {
      const blob = held.blobs.get(digest);
      if (blob !== undefined) return blob;
    }
    return undefined;
  }

  #at(repository: string): Held {
    const held = this.#held.get(repository) ?? { tags: new Map(), manifests: new Map(), blobs: new Map() };
    this.#held.set(repository, held);
    return held;
  }

  protected override async handle(asked: Asked, response: ServerResponse): Promise<void> {
    const { levers } = this;
    await levers.hold?.(asked);
    if (await canned(levers.answers, asked, response)) return;
    const [, repository, kind, name = ''] = route.exec(asked.path) ?? [];
    if (asked.path === '/token') return this.tokens.grant(asked, response, levers.token ?? {});
    const admitted = levers.token === undefined || this.tokens.admits(asked, repository);
    if (!admitted) return challenge(asked, response, this.url, repository);
    if (asked.path === '/v2/') return send(asked, response, 200, {}, '{}');
    const methods = levers.head ? ['GET', 'HEAD'] : ['GET'];
    if (!methods.includes(asked.method)) return fail(asked, response, 405, 'UNSUPPORTED');
    const held = repository === undefined ? undefined : this.#held.get(repository);
    if (held === undefined) return fail(asked, response, 404, 'NAME_UNKNOWN');
    if (kind === 'manifests') return this.#manifest(asked, response, held, name);
    if (kind === 'blobs') return this.#blob(asked, response, held, name);
    if (kind === 'tags') return sendTags(asked, response, held, levers.pageSize);
    if (!levers.referrers) return fail(asked, response, 404, 'UNSUPPORTED');
    return sendReferrers(asked, response, held, name);
  }

  #manifest(asked: Asked, response: ServerResponse, held: Held, name: string): void {
    const item = held.manifests.get(held.tags.get(name) ?? name);
    if (item === undefined) return fail(asked, response, 404, 'MANIFEST_UNKNOWN');
    const { counts } = this.levers;
    if (counts?.left === 0 && asked.method === 'GET') {
      return fail(asked, response, 429, 'TOOMANYREQUESTS', budgetHeaders(counts));
    }
    if (counts !== undefined && asked.method === 'GET') counts.left -= 1;
    const lie = this.levers.lie?.digest === item.digest ? this.levers.lie : undefined;
    const body = lie === undefined ? item.body : Buffer.concat([item.body.subarray(1), item.body.subarray(0, 1)]);
    response.writeHead(200, {
      'content-type': item.mediaType,
      ...this.#digestHeader(asked, item.digest),
      ...(this.levers.contentLength && { 'content-length': body.length }),
      ...(counts && budgetHeaders(counts)),
    });
    response.end(asked.method === 'HEAD' ? undefined : body);
  }

  #blob(asked: Asked, response: ServerResponse, held: Held, digest: string): Promise<void> | void {
    const blob = held.blobs.get(digest);
    if (blob === undefined) return fail(asked, response, 404, 'BLOB_UNKNOWN');
    const { redirect } = this.levers;
    if (redirect === undefined) return sendBlob(asked, response, blob, this.levers, this.#digestHeader(asked, digest));
    send(asked, response, 307, { location: `${redirect}/${digest}?X-Signature=secret` });
  }

  #digestHeader(asked: Asked, digest: string): Record<string, string> {
    const { digestHeader } = this.levers;
    const sent = digestHeader === 'always' || (digestHeader === 'get only' && asked.method === 'GET');
    return sent ? { 'docker-content-digest': digest } : {};
  }
}

/** In the words of Docker Hub. */
function budgetHeaders({ limit, left }: NonNullable<Levers['counts']>): Record<string, string> {
  const of = ';w=21600';
  return {
    'ratelimit-limit': `${limit}${of}`,
    'ratelimit-remaining': `${left}${of}`,
    'docker-ratelimit-source': '203.0.113.7',
  };
}

export async function startRegistry(): Promise<FakeRegistry> {
  const registry = new FakeRegistry();
  await registry.up();
  return registry;
}
