// Reaching a host for a client: given up when that one has gone, when all is to stop, and after a while.
import type { Socket } from 'node:net';
import type { Rounds, Watched } from '../../core/oci/rounds.ts';
import type { Ending } from './traffic.ts';

/** Milliseconds until a host has answered. */
const within = 15_000;

export class Attempt implements Watched {
  readonly signal: AbortSignal;
  readonly #client: Socket;
  readonly #rounds: Rounds;
  readonly #until: number;
  readonly #control = new AbortController();
  #ended: Ending | undefined;

  /** `over` is called when it is. What the client says meanwhile stays where it is; if that is nothing, its end is told. */
  constructor(client: Socket, rounds: Rounds) {
    this.#client = client;
    this.#rounds = rounds;
    this.#until = rounds.now() + within;
    this.signal = this.#control.signal;
    client.on('end', this.#left).on('close', this.#left);
    rounds.add(this);
  }

  /** Why nobody wants it any more; undefined if it is for the host to say what becomes of it. */
  get ended(): Ending | undefined {
    return this.#ended;
  }

  over(): void {
    this.#rounds.delete(this);
    this.#client.off('end', this.#left).off('close', this.#left);
  }

  stop(): void {
    this.#end('stopped');
  }

  look(now: number): void {
    if (now >= this.#until) this.#control.abort(new DOMException('it takes too long', 'TimeoutError'));
  }

  /** Who has ended only his own way could not begin TLS any more. */
  readonly #left = (): void => this.#end('client');

  #end(ended: Ending): void {
    this.#ended ??= ended;
    this.#control.abort();
  }
}
