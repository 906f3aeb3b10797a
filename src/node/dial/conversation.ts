// What a proxy and we say to each other on a connection before it is anybody's.
import type { OnReadOpts, Socket } from 'node:net';

/** More than any proxy has to say. */
const mostBytes = 16 * 1024;

/** How long the message is that these bytes begin with; undefined: there is more to come. */
export type Measure = (held: Buffer) => number | undefined;

export class Conversation {
  /** For the connection when it is made: what comes afterwards goes where `onread` says. */
  readonly onread: OnReadOpts | undefined;
  #socket: Socket | undefined;
  #held: Buffer = Buffer.alloc(0);
  #hungUp = false;
  #over = false;
  #news = Promise.withResolvers<void>();

  constructor(onread: OnReadOpts | undefined) {
    this.onread = onread && {
      buffer: onread.buffer,
      callback: (length, bytes) => {
        if (this.#over) return onread.callback(length, bytes);
        // The buffer is filled anew with the next bytes.
        this.#hear(Buffer.from(bytes.subarray(0, length)));
        return true;
      },
    };
  }

  begin(socket: Socket): void {
    this.#socket = socket;
    if (this.onread === undefined) socket.on('readable', this.#read);
    socket.once('end', this.#hangUp).once('close', this.#hangUp);
  }

  say(bytes: string | Uint8Array): void {
    this.#socket?.write(bytes);
  }

  /** The next message. Throws if the other side hangs up before it is whole. */
  async hear(measure: Measure): Promise<Buffer> {
    for (;;) {
      const length = measure(this.#held);
      if (length !== undefined) {
        const message = this.#held.subarray(0, length);
        this.#held = this.#held.subarray(length);
        return message;
      }
      if (this.#held.length > mostBytes) throw new Error('it says too much');
      if (this.#hungUp) throw new Error('it hung up');
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }

  /** From now on the connection is the caller's, who speaks first. Throws if the other side already has. */
  end(): void {
    this.#over = true;
    this.#socket?.off('readable', this.#read).off('end', this.#hangUp).off('close', this.#hangUp);
    if (this.#held.length > 0) throw new Error('it spoke before it was spoken to');
  }

  readonly #read = (): void => {
    for (;;) {
      const bytes = this.#socket?.read() as Buffer | null | undefined;
      if (!bytes) return;
      this.#hear(bytes);
    }
  };

  #hear(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    this.#news.resolve();
  }

  readonly #hangUp = (): void => {
    this.#hungUp = true;
    this.#news.resolve();
  };
}

/** A message of so many bytes. */
export function exactly(length: number): Measure {
  return (held) => (held.length < length ? undefined : length);
}
