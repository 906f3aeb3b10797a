// A SOCKS5 proxy (RFC 1928, RFC 1929) that reads strictly and takes down what it is asked.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface SocksLevers {
  /** Wants this login: `user:password`. */
  login: string | undefined;
  /** The code with which it refuses to connect; 0: it does not. */
  refusal: number;
  /** Bytes that it answers the first message with, and nothing else. */
  says: Uint8Array | undefined;
  /** Takes what comes, and never answers. */
  silent: boolean;
  /** One byte at a time, of what it says itself. */
  dribbles: boolean;
  /** Hangs up as soon as it was spoken to. */
  closes: boolean;
}

export class FakeSocks {
  readonly levers: SocksLevers = {
    login: undefined,
    refusal: 0,
    says: undefined,
    silent: false,
    dribbles: false,
    closes: false,
  };
  /** `name registry.test:443`, `ipv4 192.0.2.1:80`, `ipv6 …`; in order of arrival. */
  readonly asked: string[] = [];
  /** Where it connects to for a name; whatever is not here, is not known to it. */
  readonly names: Record<string, string> = {};
  /** Connections that it has at the moment. */
  readonly sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.sockets.add(socket.on('error', () => {}).on('close', () => this.sockets.delete(socket)));
    // A client that does not speak as it should loses its connection.
    this.#serve(socket).catch(() => socket.destroy());
  });

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Somebody has connected. */
  async visited(): Promise<void> {
    if (this.sockets.size === 0) await once(this.#server, 'connection');
  }

  async up(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  async down(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  async #serve(socket: Socket): Promise<void> {
    const { login, refusal, says, silent, closes } = this.levers;
    if (silent) return void socket.resume();
    expect(await take(socket, 1), [5]);
    const methods = await take(socket, byte(await take(socket, 1)));
    if (closes) return void socket.end();
    if (says !== undefined) return this.#say(socket.resume(), says);
    const method = login === undefined ? 0 : 2;
    await this.#say(socket, [5, methods.includes(method) ? method : 0xff]);
    if (login !== undefined) {
      expect(await take(socket, 1), [1]);
      const user = await take(socket, byte(await take(socket, 1)));
      const password = await take(socket, byte(await take(socket, 1)));
      await this.#say(socket, [1, `${user.toString()}:${password.toString()}` === login ? 0 : 1]);
    }
    expect(await take(socket, 3), [5, 1, 0]);
    const { kind, host } = await readHost(socket);
    const port = (await take(socket, 2)).readUInt16BE();
    this.asked.push(`${kind} ${host}:${port}`);
    const at = kind === 'name' ? this.names[host] : host;
    const code = refusal === 0 && at === undefined ? 4 : refusal;
    if (code !== 0) return void socket.end(Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0));
    const beyond = connect({ host: at, port }).on('error', () => socket.destroy());
    await once(beyond, 'connect');
    // A name as the address that it dials from: the form that is rarest.
    await this.#say(socket, [5, 0, 0, 3, 2, 104, 105, 0, 0]);
    socket.pipe(beyond).pipe(socket);
    socket.on('close', () => beyond.destroy());
  }

  async #say(socket: Socket, bytes: Uint8Array | readonly number[]): Promise<void> {
    const whole = Uint8Array.from(bytes);
    const parts = this.levers.dribbles ? Array.from(whole, (each) => Uint8Array.of(each)) : [whole];
    for (const part of parts) await new Promise((resolve) => socket.write(part, resolve));
  }
}

export async function startSocks(): Promise<FakeSocks> {
  const socks = new FakeSocks();
  await socks.up();
  return socks;
}

async function readHost(socket: Socket): Promise<{ kind: string; host: string }> {
  const type = byte(await take(socket, 1));
  if (type === 1) return { kind: 'ipv4', host: (await take(socket, 4)).join('.') };
  if (type === 3) return { kind: 'name', host: (await take(socket, byte(await take(socket, 1)))).toString() };
  if (type !== 4) throw new Error('no such kind of address');
  const hex = (await take(socket, 16)).toString('hex').match(/.{4}/g) ?? [];
  return { kind: 'ipv6', host: hex.map((group) => Number.parseInt(group, 16).toString(16)).join(':') };
}

async function take(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes !== null) return bytes;
    if (socket.readableEnded || socket.destroyed) throw new Error('it hung up');
    await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
  }
}

function byte(bytes: Buffer): number {
  return bytes.readUInt8();
}

function expect(found: Buffer, wanted: readonly number[]): void {
  if (!found.equals(Uint8Array.from(wanted))) throw new Error('not what the RFC says');
}
