// The certificate that clients are shown: read from its files, and exchanged when those change and are right.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError } from '../config/problem.ts';
import type { Clock } from '../core/mirror/ports.ts';
import type { OwnTls } from './config/tls.ts';
import type { Log } from './log/log.ts';

/** Milliseconds. The files are looked at, because file systems do not tell reliably when they change. */
const lookEvery = 10_000;

/** The files are not what they should be. The message says which, and why. */
class WrongPair extends Error {}

export class Certificate {
  readonly #files: OwnTls;
  #context: SecureContextOptions;
  /** Which state of the files is shown. */
  #shown: string;
  /** Which one is not, and why. */
  #wrong: { readonly state: string; readonly why: string; readonly told: boolean } | undefined;
  #take: (context: SecureContextOptions) => void = () => {};

  private constructor(files: OwnTls, state: string, context: SecureContextOptions) {
    this.#files = files;
    this.#shown = state;
    this.#context = context;
  }

  /** Throws ConfigError. */
  static async open(files: OwnTls): Promise<Certificate> {
    try {
      const state = await stateOf(files);
      return new Certificate(files, state, await read(files));
    } catch (error) {
      if (error instanceof WrongPair) throw new ConfigError([{ where: 'tls', says: error.message }]);
      throw error;
    }
  }

  get context(): SecureContextOptions {
    return this.#context;
  }

  onExchange(take: (context: SecureContextOptions) => void): void {
    this.#take = take;
  }

  /** Resolves when the signal is aborted. */
  async watch(clock: Clock, log: Pick<Log, 'info' | 'error'>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(lookEvery, signal).catch(() => {});
      if (!signal.aborted) await this.#look(log);
    }
  }

  async #look(log: Pick<Log, 'info' | 'error'>): Promise<void> {
    const state = await stateOf(this.#files);
    if (state === this.#shown) this.#wrong = undefined;
    else if (state === this.#wrong?.state) this.#complain(log);
    else await this.#exchange(state, log);
  }

  async #exchange(state: string, log: Pick<Log, 'info'>): Promise<void> {
    try {
      this.#context = await read(this.#files);
      this.#take(this.#context);
      this.#shown = state;
      this.#wrong = undefined;
      log.info(`${this.#files.certificate} has changed, and is shown from now on`);
    } catch (error) {
      this.#wrong = { state, why: error instanceof WrongPair ? error.message : String(error), told: false };
    }
  }

  /** Not at the first look: the two files are seldom written at the same moment. */
  #complain(log: Pick<Log, 'error'>): void {
    if (this.#wrong === undefined || this.#wrong.told) return;
    this.#wrong = { ...this.#wrong, told: true };
    log.error(`${this.#wrong.why}; the certificate that was there before is still shown`);
  }
}

/** Equal as long as nobody has touched the files. */
async function stateOf({ certificate, key }: OwnTls): Promise<string> {
  const states = [certificate, key].map(async (path) => {
    try {
      const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [ino, size, mtimeNs, ctimeNs].join(' ');
    } catch (error) {
      return codeOf(error);
    }
  });
  return (await Promise.all(states)).join(', ');
}

/** Throws WrongPair. */
async function read({ certificate, key, minimum }: OwnTls): Promise<SecureContextOptions> {
  const context = { cert: await readBytes(certificate), key: await readBytes(key), minVersion: minimum };
  const first = parsed(() => new X509Certificate(context.cert), certificate, 'no certificate in PEM');
  const own: KeyObject = parsed(() => createPrivateKey(context.key), key, 'no private key in PEM without a password');
  if (!first.checkPrivateKey(own)) {
    throw new WrongPair(`${key} is not the key of the first certificate in ${certificate}`);
  }
  try {
    createSecureContext(context);
  } catch (error) {
    throw new WrongPair(`${certificate} and ${key} cannot be used (${codeOf(error)})`);
  }
  return context;
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new WrongPair(`${path} cannot be read (${codeOf(error)})`);
  }
}

function parsed<T>(parse: () => T, path: string, otherwise: string): T {
  try {
    return parse();
  } catch {
    throw new WrongPair(`${path}: found ${otherwise}`);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
