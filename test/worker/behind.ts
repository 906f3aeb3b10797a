// A module around the Worker: its replies wait for what goes on behind them, so that a test need not guess when that is over.

/** The header that has a request answered as by another isolate, which remembers nothing of the first and shares its cache. */
export const elsewhere = { 'x-isolate': 'other' };
/** How often the cache was used for a reply. */
export const operationsOf = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }) =>
  Number(headers['x-cache-operations']);

/** `standIn`: code that puts something else in place of workerd's parts. */
export function waiting(standIn = ''): string {
  return `import mirror from './mirror.js';
import other from './other.js';

${standIn}
const opened = caches.open.bind(caches);
let operations = 0;
const counted = (call) => (...given) => {
  operations += 1;
  return call(...given);
};
caches.open = async (name) => {
  const cache = await opened(name);
  const [match, put] = [cache.match, cache.put].map((method) => counted(method.bind(cache)));
  return { match, put };
};

export default {
  async fetch(request, env) {
    operations = 0;
    const works = [];
    const face = request.headers.has('x-isolate') ? other : mirror;
    const reply = await face.fetch(request, env, { waitUntil: (work) => void works.push(work) });
    while (works.length > 0) await works.shift();
    const headers = new Headers(reply.headers);
    headers.set('x-cache-operations', String(operations));
    return new Response(reply.body, { status: reply.status, headers, encodeBody: 'manual' });
  },
};`;
}
