// The way to upstreams, loaded with the first question: what is here already is served sooner after a start.
import type { FetchOptions, Fetching } from './fetch.ts';

/** As `createFetch`. */
export function createFetchWhenAsked(options: FetchOptions): Fetching {
  let loading: Promise<Fetching> | undefined;
  let loaded: Fetching | undefined;

  async function load(): Promise<Fetching> {
    const { createFetch } = await import('./fetch.ts');
    return (loaded = createFetch(options));
  }

  return {
    fetch: async (request) => (loaded ?? (await (loading ??= load()))).fetch(request),
    close: async () => (await loading)?.close(),
    isIdle: () => loading === undefined || loaded?.isIdle() === true,
  };
}
