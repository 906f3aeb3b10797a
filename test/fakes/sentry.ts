// A stand-in for Sentry that takes nothing but what its documentation allows, and can be slow, full or out of order.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ToldFrame {
  readonly function?: string;
  readonly filename: string;
  readonly lineno?: number;
  readonly in_app: boolean;
}

export interface Told {
  readonly event_id: string;
  readonly release: string;
  readonly environment: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly exception: {
    readonly values: readonly {
      readonly type: string;
      readonly value: string;
      readonly mechanism: { readonly type: string; readonly handled: boolean };
      readonly stacktrace?: { readonly frames: readonly ToldFrame[] };
    }[];
  };
  readonly request?: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface FakeSentry {
  readonly dsn: string;
  /** What it took. */
  readonly events: readonly Told[];
  /** What it did not understand. */
  readonly refused: readonly string[];
  /** Who has sent it something, and still waits for its answer. */
  readonly blocked: number;
  /** How it answers. 'never': it takes the event, and is silent. */
  answer: { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | 'never';
  /** Resolves when so many events have come. */
  until(count: number): Promise<void>;
  /** On all who wait. */
  hangUp(): void;
  close(): Promise<void>;
}

const key = '0123456789abcdef0123456789abcdef';

export async function startSentry(): Promise<FakeSentry> {
  const events: Told[] = [];
  const refused: string[] = [];
  let blocked = 0;
  let news = Promise.withResolvers<void>();
  const server = createServer((request, response) => void take(request, response));

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      checkRequest(request);
      events.push(parseEnvelope(await text(request)));
      if (sentry.answer === 'never') {
        blocked += 1;
        response.once('close', () => void (blocked -= 1));
        return;
      }
      const { status, headers = {} } = sentry.answer;
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{"id":"0"}');
    } catch (error) {
      refused.push(String(error));
      response.writeHead(400).end();
    } finally {
      news.resolve();
      news = Promise.withResolvers<void>();
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sentry: FakeSentry = {
    dsn: `http://${key}@127.0.0.1:${port}/below/42`,
    events,
    refused,
    get blocked() {
      return blocked;
    },
    answer: { status: 200 },
    async until(count) {
      while (events.length < count && refused.length === 0) await news.promise;
      assert.deepEqual(refused, []);
    },
    hangUp: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return sentry;
}

function checkRequest({ method, url, headers }: IncomingMessage): void {
  assert.equal(method, 'POST');
  assert.equal(url, '/below/api/42/envelope/');
  assert.equal(headers['content-type'], 'application/x-sentry-envelope');
  const [scheme, given = ''] = String(headers['x-sentry-auth']).split(/ (.*)/s);
  assert.equal(scheme, 'Sentry');
  const fields = Object.fromEntries(given.split(', ').map((field) => field.split('=')));
  assert.deepEqual(Object.keys(fields).toSorted(), ['sentry_client', 'sentry_key', 'sentry_version']);
  assert.equal(fields['sentry_key'], key);
  assert.equal(fields['sentry_version'], '7');
  assert.match(fields['sentry_client'] ?? '', /^[\w.-]+\/\d+\.\d+\.\d+$/);
}

/** Throws for what is no envelope with one event in it, byte for byte. */
export function parseEnvelope(envelope: string): Told {
  const [about = '', aboutItem = '', item = '', ...rest] = envelope.split('\n');
  assert.deepEqual(rest, [''], 'three lines, each with its end');
  const header = JSON.parse(about) as Record<string, unknown>;
  assert.equal(new Date(String(header['sent_at'])).toISOString(), header['sent_at']);
  assert.deepEqual(JSON.parse(aboutItem), {
    type: 'event',
    length: Buffer.byteLength(item),
    content_type: 'application/json',
  });
  const event = JSON.parse(item) as Told & Record<string, unknown>;
  assert.match(event.event_id, /^[0-9a-f]{32}$/);
  assert.equal(header['event_id'], event.event_id);
  checkEvent(event);
  return event;
}

const keys = {
  must: ['event_id', 'timestamp', 'platform', 'level', 'release', 'environment', 'tags', 'exception'],
  may: ['request', 'extra'],
};

function checkEvent(event: Told & Record<string, unknown>): void {
  for (const name of keys.must) assert.ok(name in event, name);
  for (const name of Object.keys(event)) assert.ok([...keys.must, ...keys.may].includes(name), name);
  assert.ok(typeof event['timestamp'] === 'number' && event['timestamp'] < 1e11, 'in seconds');
  assert.equal(event['platform'], 'javascript');
  assert.equal(event['level'], 'error');
  assert.match(event.release, /^sampan@\d+\.\d+\.\d+$/);
  assert.ok(event.exception.values.length > 0);
  for (const { type, value, mechanism, stacktrace } of event.exception.values) {
    assert.ok(typeof type === 'string' && typeof value === 'string');
    assert.ok(typeof mechanism.type === 'string' && typeof mechanism.handled === 'boolean');
    if (stacktrace !== undefined) stacktrace.frames.forEach(checkFrame);
    assert.notEqual(stacktrace?.frames.length, 0);
  }
  if (event.request !== undefined) assert.doesNotMatch(event.request.url, /[?#]/);
}

function checkFrame(frame: ToldFrame & { readonly colno?: number }): void {
  assert.equal(typeof frame.filename, 'string');
  assert.ok(['undefined', 'string'].includes(typeof frame.function));
  for (const number of [frame.lineno, frame.colno]) assert.ok(number === undefined || Number.isSafeInteger(number));
  assert.equal(typeof frame.in_app, 'boolean');
}
