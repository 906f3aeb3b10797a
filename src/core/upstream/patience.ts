// Bodies that are read whole are broken off when they stop coming, or only drip. Blobs have streams of their own, which tell more.
import type { ByteStream } from '../mirror/reply.ts';
import type { UpstreamResponse, Wrap } from './fetch.ts';
import type { Stalls } from './stalls.ts';

/** Without `stalls` the transport's own limit is all. */
export function withPatience(stalls: Stalls | undefined, registry: string): Wrap {
  return (next) => async (request) => {
    const response = await next(request);
    return stalls === undefined ? response : { ...response, body: watched(response, stalls, registry) };
  };
}

async function* watched(response: UpstreamResponse, stalls: Stalls, registry: string): ByteStream {
  const patience = stalls.patience(registry, () => response.cancel());
  try {
    patience.waits();
    for await (const chunk of response.body) {
      patience.brought(chunk.length);
      yield chunk;
      patience.waits();
    }
  } finally {
    patience.end();
  }
}
