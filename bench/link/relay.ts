// The link's own process: a TCP relay in front of one upstream. Arguments: the target's URL and the shape, as JSON.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { numbers } from '../../test/fakes/registry/bytes.ts';
import { Connection } from './connection.ts';
import { Bucket, type Sender, share } from './pacing.ts';
import { pass } from './pass.ts';
import type { Counts, Shape } from './shape.ts';

const [targetUrl = '', shapeText = '{}'] = process.argv.slice(2);
const { hostname: host, port } = new URL(targetUrl);
const target = { host, port: Number(port) };
const shape = JSON.parse(shapeText) as Shape;
const shaped = Object.entries(shape).some(([key, value]) => key !== 'seed' && value > 0);

const random = numbers(shape.seed ?? 1);
const all = new Bucket(shape.all, performance.now());
const open = new Set<Connection>();
/** In the order of their turns. */
const senders = new Set<Sender>();
const counts = { bytes: 0, connections: 0, most: 0, resets: 0 };
let timer: NodeJS.Timeout | undefined;

/** Timers go by the millisecond: so long may a byte be late. */
function turn(): void {
  const now = performance.now();
  share(senders, all, now);
  for (const connection of open) connection.deliver(now);
  timer = [...open].some((connection) => connection.busy) ? setTimeout(turn, 1) : undefined;
}

function relay(client: Socket): void {
  const surroundings = {
    shape,
    target,
    breaksAfter: shape.resetEvery === undefined ? Infinity : distance(shape.resetEvery),
    wake: () => void (timer ??= setTimeout(turn, 0)),
    gone: (connection: Connection) => {
      open.delete(connection);
      senders.delete(connection);
      counts.bytes += connection.sent;
      counts.resets += Number(connection.broken);
    },
  };
  const connection = new Connection(client, surroundings, performance.now());
  open.add(connection);
  senders.add(connection);
}

/** To the next event of a kind that happens once in `mean` bytes; at least one byte. */
function distance(mean: number): number {
  return Math.max(1, Math.round(-Math.log((random() + 1) / 2 ** 32) * mean));
}

const server = createServer({ allowHalfOpen: true }, (client) => {
  counts.connections += 1;
  if (shaped) relay(client);
  else pass(client, target, (bytes) => (counts.bytes += bytes));
  counts.most = Math.max(counts.most, open.size);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
/** Whatever is asked, the counts are the answer. */
process.on('message', () => {
  const running = [...open].reduce((sum, { sent }) => sum + sent, 0);
  process.send?.({ ...counts, bytes: counts.bytes + running } satisfies Counts);
});
process.on('disconnect', () => process.exit());
