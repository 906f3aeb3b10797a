// Headers that go through a proxy: all but those that are for the next hop alone (RFC 9110, section 7.6.1).

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What a message says to all on its way, and where it ends: no Connection takes that away (the same section). */
const forAll: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-length',
  'content-range',
  'content-type',
  'host',
  'location',
  'range',
  'via',
  'www-authenticate',
]);

/** Names of headers that stay behind. `connection`: what the header of that name says. */
export function ofThisHop(connection: string): ReadonlySet<string> {
  const named = connection.toLowerCase().split(/[\s,]+/);
  return new Set([...hopByHop, ...named.filter((name) => !forAll.has(name))]);
}

/** `raw`: names and values in turn, as they came. With a Via of ours behind those that are there. `anew`: left out too. */
export function endToEnd(raw: readonly string[], via: string, anew?: string): string[] {
  const pairs = Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] ?? '', raw[2 * at + 1] ?? ''] as const);
  const connection = pairs.flatMap(([name, value]) => (name.toLowerCase() === 'connection' ? value : []));
  const dropped = ofThisHop(connection.join());
  const kept = pairs.filter(([name]) => !dropped.has(name.toLowerCase()) && name.toLowerCase() !== anew);
  return [...kept.flat(), 'via', `1.1 ${via}`];
}
