// Headers that go through a proxy: all but those that are for the next hop alone (RFC 9110, section 7.6.1).

export const hopByHop: ReadonlySet<string> = new Set([
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

/** `raw`: names and values in turn, as they came. With a Via of ours behind those that are there. */
export function endToEnd(raw: readonly string[], via: string): string[] {
  const pairs = Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] ?? '', raw[2 * at + 1] ?? ''] as const);
  const named = pairs.flatMap(([name, value]) => (name.toLowerCase() === 'connection' ? value.split(',') : []));
  const dropped = new Set([...hopByHop, ...named.map((name) => name.trim().toLowerCase())]);
  const kept = pairs.filter(([name]) => !dropped.has(name.toLowerCase()));
  return [...kept.flat(), 'via', `1.1 ${via}`];
}
