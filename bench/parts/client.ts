// A client in plain HTTP that keeps no byte and believes none: what arrives is hashed or compared.
import { createHash, type Hash } from 'node:crypto';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { Blob, Item } from '../../test/fakes/registry/content.ts';

/** As many layers at once as docker does. */
const atOnce = 3;

/** Where a body goes. Both throw if it is not what was asked for. */
interface Sink {
  begin(status: number | undefined): void;
  take(chunk: Uint8Array): void;
}

export class Client {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #base: string;
  readonly #signal: AbortSignal;

  /** Of one repository. It gives up when the signal says so. */
  constructor(server: string, repository: string, signal: AbortSignal) {
    this.#base = `${server}/v2/${repository}`;
    this.#signal = signal;
  }

  /** What every client does before it asks for a blob. */
  async manifest(item: Item): Promise<void> {
    await this.#whole('manifests/latest', item.digest, 1, { accept: item.mediaType });
  }

  async image(item: Item, attempts = 1): Promise<void> {
    await this.manifest(item);
    const left = [...item.blobs];
    const next = async () => {
      for (let blob = left.shift(); blob !== undefined; blob = left.shift()) await this.blob(blob, attempts);
    };
    await Promise.all(Array.from({ length: atOnce }, next));
  }

  /** The milliseconds until the first byte of the body. `attempts`: after the first, it asks for what it has not got. */
  blob({ digest }: Blob, attempts = 1): Promise<number> {
    return this.#whole(`blobs/${digest}`, digest, attempts);
  }

  /** From `first` to `last`, or the last bytes if `first` is negative. */
  async range(blob: Blob, first: number, last?: number): Promise<void> {
    const { size } = blob.bytes;
    const part = new Part(blob, first < 0 ? size + first : first, (last ?? size - 1) + 1);
    const range = first < 0 ? `bytes=${first}` : `bytes=${first}-${last ?? ''}`;
    await this.#get(`blobs/${blob.digest}`, { range }, part);
    part.end();
  }

  close(): void {
    this.#agent.destroy();
  }

  async #whole(path: string, digest: string, attempts: number, headers: Record<string, string> = {}): Promise<number> {
    const whole = new Whole();
    for (let attempt = 1; ; attempt++) {
      try {
        const rest: Record<string, string> = whole.size === 0 ? {} : { range: `bytes=${whole.size}-` };
        const firstByte = await this.#get(path, { ...headers, ...rest }, whole);
        whole.end(digest);
        return firstByte;
      } catch (error) {
        if (attempt >= attempts) throw error;
      }
    }
  }

  async #get(path: string, headers: Record<string, string>, sink: Sink): Promise<number> {
    const begun = performance.now();
    const answer = await this.#ask(path, headers);
    try {
      sink.begin(answer.statusCode);
      let firstByte: number | undefined;
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        firstByte ??= performance.now() - begun;
        sink.take(chunk);
      }
      return firstByte ?? performance.now() - begun;
    } catch (error) {
      answer.destroy();
      throw error;
    }
  }

  #ask(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      get(`${this.#base}/${path}`, { agent: this.#agent, headers, signal: this.#signal }, resolve).on('error', reject);
    });
  }
}

/** A body known by its digest, that may come in several parts. */
class Whole implements Sink {
  size = 0;
  #hash: Hash = createHash('sha256');

  begin(status: number | undefined): void {
    if (status === 206 && this.size > 0) return;
    if (status !== 200) throw new Error(`answered ${status}`);
    this.size = 0;
    this.#hash = createHash('sha256');
  }

  take(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.size += chunk.length;
  }

  end(digest: string): void {
    const found = `sha256:${this.#hash.digest('hex')}`;
    if (found === digest) return;
    this.size = 0;
    throw new Error('wrong bytes');
  }
}

/** Some bytes of a blob, compared with those that it was made of. */
class Part implements Sink {
  readonly #blob: Blob;
  readonly #end: number;
  #at: number;

  constructor(blob: Blob, start: number, end: number) {
    this.#blob = blob;
    this.#at = start;
    this.#end = end;
  }

  begin(status: number | undefined): void {
    if (status !== 206) throw new Error(`answered ${status}`);
  }

  take(chunk: Uint8Array): void {
    if (this.#at + chunk.length > this.#end) throw new Error('more bytes than were asked for');
    for (let done = 0; done < chunk.length;) {
      const expected = this.#blob.bytes.read(this.#at, chunk.length - done);
      if (Buffer.compare(expected, chunk.subarray(done, done + expected.length)) !== 0) throw new Error('wrong bytes');
      done += expected.length;
      this.#at += expected.length;
    }
  }

  end(): void {
    if (this.#at !== this.#end) throw new Error('fewer bytes than were asked for');
  }
}
