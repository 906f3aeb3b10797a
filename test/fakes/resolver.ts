// A resolver that is asked over HTTPS (RFC 8484). It reads questions strictly, and writes its answers by hand.
import { once } from 'node:events';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from './certificate.ts';

/** What it says of a name. */
export interface Entry {
  readonly A?: readonly string[];
  /** In full: eight groups. */
  readonly AAAA?: readonly string[];
  /** It is another name for this one, whose addresses are those above. */
  readonly alias?: string;
  /** Seconds. */
  readonly ttl?: number;
  /** Addresses of other names, that nobody asked for. */
  readonly beside?: Readonly<Record<string, string>>;
}

export interface ResolverLevers {
  breaks: boolean;
  /** Of the first answer to each question. */
  firstStatus: number | undefined;
  /** Says nothing at all to questions of this type. */
  silent: 'A' | 'AAAA' | 'both' | undefined;
  status: number;
  contentType: string;
  /** Of every answer, instead of 0 or 3. */
  code: number | undefined;
  /** What is sent is this, whatever was asked. */
  bytes: Uint8Array | undefined;
  /** It answers as if it had been asked for this name. */
  asks: string | undefined;
}

export const noLevers = (): ResolverLevers => ({
  breaks: false,
  firstStatus: undefined,
  silent: undefined,
  status: 200,
  contentType: 'application/dns-message',
  code: undefined,
  bytes: undefined,
  asks: undefined,
});

export class FakeResolver {
  readonly entries: Record<string, Entry> = {};
  levers = noLevers();
  /** `A registry.test`, in order of arrival. */
  readonly asked: string[] = [];
  /** Protocols that were spoken: `1.1`, `2.0`. */
  readonly spoken = new Set<string>();
  readonly #server;
  readonly #sockets = new Set<Socket>();

  constructor(certificate: Certificate) {
    this.#server = createSecureServer({ ...certificate, allowHTTP1: true }, (request, response) => {
      response.on('error', () => {});
      this.#answer(request, response);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket)));
    });
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}/dns-query`;
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async up(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #answer(request: Http2ServerRequest, response: Http2ServerResponse): void {
    this.spoken.add(request.httpVersion);
    const { pathname, searchParams } = new URL(request.url, 'https://resolver');
    const encoded = searchParams.get('dns') ?? '';
    const question = readQuestion(Buffer.from(encoded, 'base64url'));
    const isGood = request.method === 'GET' && pathname === '/dns-query' && /^[\w-]+$/.test(encoded);
    if (!isGood || question === undefined || request.headers.accept !== 'application/dns-message') {
      response.writeHead(400).end();
      return;
    }
    const { name, type } = question;
    const isFirst = !this.asked.includes(`${type} ${name}`);
    this.asked.push(`${type} ${name}`);
    const { breaks, firstStatus, silent, status, contentType, code, bytes, asks = name } = this.levers;
    if (breaks) request.socket.destroy();
    if (breaks || silent === 'both' || silent === type) return;
    response.writeHead((isFirst ? firstStatus : undefined) ?? status, { 'content-type': contentType });
    response.end(bytes ?? writeAnswer({ name: asks, type }, this.entries[name], code));
  }
}

export async function startResolver(certificate: Certificate): Promise<FakeResolver> {
  const resolver = new FakeResolver(certificate);
  await resolver.up();
  return resolver;
}

interface Question {
  readonly name: string;
  readonly type: 'A' | 'AAAA';
}

const types = { A: 1, AAAA: 28, CNAME: 5 };
const headerLength = 12;

/** Undefined for what is not exactly one question for the addresses of a name, with the id 0 and recursion desired. */
function readQuestion(message: Buffer): Question | undefined {
  if (message.subarray(0, headerLength).toString('hex') !== '000001000001000000000000') return undefined;
  const labels: string[] = [];
  let at = headerLength;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    const label = message.subarray(at + 1, at + 1 + length);
    if (length > 63 || label.length < length) return undefined;
    labels.push(label.toString('latin1'));
    at += 1 + length;
  }
  const rest = message.subarray(at + 1);
  if (rest.length !== 4 || rest.readUInt16BE(2) !== 1) return undefined;
  const type = (['A', 'AAAA'] as const).find((each) => types[each] === rest.readUInt16BE(0));
  return type === undefined || labels.length === 0 ? undefined : { name: labels.join('.'), type };
}

function writeAnswer({ name, type }: Question, entry: Entry | undefined, code?: number): Buffer {
  const records: Buffer[] = [];
  const { alias, ttl = 300 } = entry ?? {};
  // Where the question's name stands; names may be told by where they stand (RFC 1035, section 4.1.4).
  const owner = Buffer.from([0xc0, headerLength]);
  if (alias !== undefined) records.push(record(owner, 'CNAME', ttl, nameBytes(alias)));
  for (const address of entry?.[type] ?? []) {
    records.push(record(alias === undefined ? owner : nameBytes(alias), type, ttl, addressBytes(address)));
  }
  for (const [other, address] of Object.entries(entry?.beside ?? {})) {
    if (type === 'A') records.push(record(nameBytes(other), 'A', ttl, addressBytes(address)));
  }
  const header = Buffer.alloc(headerLength);
  header.writeUInt16BE(0x8180 | (code ?? (entry === undefined ? 3 : 0)), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const question = Buffer.concat([nameBytes(name), sixteen(types[type]), sixteen(1)]);
  return Buffer.concat([header, question, ...records]);
}

function record(owner: Buffer, type: keyof typeof types, ttl: number, data: Buffer): Buffer {
  const lifetime = Buffer.alloc(4);
  lifetime.writeUInt32BE(ttl);
  return Buffer.concat([owner, sixteen(types[type]), sixteen(1), lifetime, sixteen(data.length), data]);
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  return Buffer.concat(address.split(':').map((group) => sixteen(Number.parseInt(group, 16))));
}

function sixteen(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(number);
  return bytes;
}
