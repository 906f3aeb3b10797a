// A guard in workerd, an origin behind it that remembers what came, and a stand-in for Sentry: made once for a test file.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach } from 'node:test';
import { type FakeSentry, startSentry } from '../fakes/sentry.ts';
import { type Answer, ask } from '../node/http/scripted-server.ts';
import { bundled } from './edge.ts';
import { cfHeader, startWorkerd, type Workerd } from './workerd.ts';

interface Arrived {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Origin {
  readonly host: string;
  readonly server: Server;
  /** What came, with its whole body. */
  readonly log: Arrived[];
  /** What is answered; the body was read. */
  answer: RequestListener;
}

const plainAnswer: RequestListener = (_, response) => void response.end("the origin's own\n");

async function startOrigin(): Promise<Origin> {
  const server = createServer((request, response) => void take(request, response));
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: target = '', headers } = request;
    origin.log.push({ method, target, headers, body: await text(request) });
    origin.answer(request, response);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin: Origin = { host: `127.0.0.1:${port}`, server, log: [], answer: plainAnswer };
  return origin;
}

async function closeOrigin({ server }: Origin): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** What a client sends through a guard. `cf`: what Cloudflare knows of its connection. */
export interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly cf?: Readonly<Record<string, string>>;
  /** Whom the request is for; the origin, unless it says so. */
  readonly host?: string;
}

interface Guarded {
  guard: Workerd;
  origin: Origin;
  sentry: FakeSentry;
  send(sent: Sent): Promise<Answer>;
}

interface GuardSetUp {
  readonly config?: Readonly<Record<string, unknown>> | string;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Code that runs before the guard's own, to put something else in place of workerd's parts. */
  readonly around?: string;
}

/** Filled before the first test; with nothing remembered before each. The secret SENTRY_DSN leads to the stand-in. */
export function guarded({ config = {}, secrets = {}, around = '' }: GuardSetUp = {}): Guarded {
  const made = {} as Guarded;
  before(async () => {
    made.origin = await startOrigin();
    made.sentry = await startSentry();
    const variables = { SAMPAN_CONFIG: config, SENTRY_DSN: made.sentry.dsn, ...secrets };
    made.guard = await startWorkerd(`${around}\n${await bundled('guard')}`, variables);
    made.send = ({ method = 'GET', target = '/', headers = {}, body, cf, host = made.origin.host }) => {
      const all = { host, ...headers, ...(cf && { [cfHeader]: JSON.stringify(cf) }) } as Record<string, string>;
      return ask(made.guard.port, target, { method, headers: all }, body);
    };
  });
  after(async () => {
    await made.guard.close();
    await made.sentry.close();
    await closeOrigin(made.origin);
  });
  beforeEach(() => {
    made.origin.log.length = 0;
    made.origin.answer = plainAnswer;
  });
  return made;
}
