// Dialling as undici wants it: one callback for a connection with TLS on top, within a time limit.
import type { Socket } from 'node:net';
import { buildConnector, errors } from 'undici';
import { UnbelievedCertificate } from '../../core/upstream/fetch.ts';
import { believing, unbelievedCode } from '../trust.ts';
import type { Destination, Dial } from './dial.ts';

export interface ConnectorOptions extends Pick<Destination, 'trust'> {
  /** Milliseconds from the name to the end of TLS' handshake. */
  readonly timeout: number;
  readonly http2: boolean;
  /** Authorities (PEM) that are believed beside the system's. */
  readonly ca?: string | undefined;
}

type Tell = (...parameters: Parameters<buildConnector.connector>) => Promise<void>;

export function connector(dial: Dial, { trust, timeout, http2, ca }: ConnectorOptions): buildConnector.connector {
  // SNI and the certificate's name come from `to.host`, wherever was dialled; it knows sessions to resume.
  const greet = buildConnector({
    allowH2: http2,
    timeout: 0,
    ...(ca !== undefined && { secureContext: believing(ca) }),
  });

  async function connect(to: buildConnector.Options, signal: AbortSignal): Promise<Socket> {
    const isSecure = to.protocol === 'https:';
    const port = Number(to.port) || (isSecure ? 443 : 80);
    const socket = await dial({ host: to.hostname, port, trust }, { signal });
    if (!isSecure) return socket;
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const giveUp = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    greet({ ...to, httpSocket: socket }, (...[error, secure]) => {
      if (error === null) return resolve(secure);
      const code = unbelievedCode(error);
      reject(code === undefined ? error : new UnbelievedCertificate(to.host ?? to.hostname, code, error));
    });
    return promise;
  }

  async function withinTime(to: buildConnector.Options): Promise<Parameters<buildConnector.Callback>> {
    const limit = new AbortController();
    const late = new errors.ConnectTimeoutError(`no connection to ${to.host ?? to.hostname} within ${timeout} ms`);
    const alarm = setTimeout(() => limit.abort(late), timeout).unref();
    try {
      return [null, await connect(to, limit.signal)];
    } catch (error) {
      return [error as Error, null];
    } finally {
      clearTimeout(alarm);
    }
  }

  const tell: Tell = async (to, done) => done(...(await withinTime(to)));
  return (to, done) => void tell(to, done);
}
