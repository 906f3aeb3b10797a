// One connection over the link: what the upstream sends is paced and delayed, what the client sends is delayed.
import { connect, type Socket } from 'node:net';
import { Bucket, type Sender } from './pacing.ts';
import { ByteQueue, DelayLine } from './queues.ts';
import type { Shape } from './shape.ts';

/** What an upstream may have sent before it was its turn, and what a client may leave unread: as sockets' buffers hold it. */
const window = 1 << 20;

export interface Surroundings {
  readonly shape: Shape;
  readonly target: { readonly host: string; readonly port: number };
  /** The connection breaks after so many bytes. */
  readonly breaksAfter: number;
  /** Called when there is something to do for the relay. */
  readonly wake: () => void;
  /** Called once, when nothing will come any more. */
  readonly gone: (connection: Connection) => void;
}

export class Connection implements Sender {
  readonly own: Bucket;
  sent = 0;
  broken = false;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #surroundings: Surroundings;
  readonly #queue = new ByteQueue();
  readonly #down: DelayLine;
  readonly #up: DelayLine;
  #ended = false;

  constructor(client: Socket, surroundings: Surroundings, now: number) {
    const { shape, target } = surroundings;
    const { roundTrip = 0 } = shape;
    this.own = new Bucket(shape.each, now);
    this.#client = client;
    this.#surroundings = surroundings;
    this.#down = new DelayLine(roundTrip / 2);
    this.#up = new DelayLine(roundTrip / 2);
    this.#upstream = connect({ ...target, noDelay: true });
    this.#listen(now + roundTrip);
  }

  /** `openAt`: when the handshake is over. */
  #listen(openAt: number): void {
    const { wake } = this.#surroundings;
    this.#client.setNoDelay(true);
    this.#client.on('data', (chunk) => {
      this.#up.push(Math.max(performance.now(), openAt), () => this.#upstream.write(chunk));
      wake();
    });
    this.#upstream.on('data', (chunk: Buffer) => {
      this.#queue.push(chunk);
      if (this.#queue.size >= window) this.#upstream.pause();
      wake();
    });
    this.#upstream.on('end', () => {
      this.#ended = true;
      wake();
    });
    this.#upstream.on('error', () => this.#client.resetAndDestroy());
    this.#client.on('error', () => this.#upstream.destroy());
    this.#client.on('drain', wake);
    this.#client.on('close', () => {
      this.#upstream.destroy();
      this.#surroundings.gone(this);
    });
  }

  /** Something to send or to deliver. */
  get busy(): boolean {
    return this.waiting > 0 || !this.#down.empty || !this.#up.empty || this.#ended;
  }

  get waiting(): number {
    const full = this.#client.writableLength >= window;
    return full || this.broken ? 0 : Math.min(this.#queue.size, this.#surroundings.breaksAfter - this.sent);
  }

  send(bytes: number, now: number): void {
    for (const chunk of this.#queue.take(bytes)) this.#down.push(now, () => this.#client.write(chunk));
    this.sent += bytes;
    if (this.#queue.size < window / 2) this.#upstream.resume();
    if (this.sent >= this.#surroundings.breaksAfter) this.#break(now);
  }

  /** What has been on its way for long enough arrives. */
  deliver(now: number): void {
    if (this.#ended && this.#queue.size === 0 && !this.broken) {
      this.#ended = false;
      this.#down.push(now, () => this.#client.end());
    }
    this.#up.run(now);
    this.#down.run(now);
  }

  /** What was sent before still arrives: only the rest is lost. */
  #break(now: number): void {
    this.broken = true;
    this.#ended = false;
    this.#upstream.destroy();
    this.#down.push(now, () => this.#client.write('', () => this.#client.resetAndDestroy()));
  }
}
