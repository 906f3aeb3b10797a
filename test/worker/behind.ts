// A module around the Worker whose replies wait for what goes on behind them, so that a test need not guess when that is over.

/** What it runs before anything else may stand in for parts of workerd. Each reply tells how often it used the cache. */
export function waiting(prelude = ''): string {
  return `import mirror from './mirror.js';
${prelude}
const opened = caches.open.bind(caches);
let operations = 0;
const counted = (call) => (...given) => {
  operations += 1;
  return call(...given);
};
caches.open = async (name) => {
  const cache = await opened(name);
  const [match, put, remove] = [cache.match, cache.put, cache.delete].map((method) => counted(method.bind(cache)));
  return { match, put, delete: remove };
};

export default {
  async fetch(request, env) {
    operations = 0;
    const works = [];
    const reply = await mirror.fetch(request, env, { waitUntil: (work) => void works.push(work) });
    while (works.length > 0) await works.shift();
    const headers = new Headers(reply.headers);
    headers.set('x-cache-operations', String(operations));
    return new Response(reply.body, { status: reply.status, headers, encodeBody: 'manual' });
  },
};`;
}
