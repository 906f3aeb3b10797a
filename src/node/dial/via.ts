// Connections through an upstream proxy, which looks names up itself: here nobody does.
import type { Socket } from 'node:net';
import type { Address } from '../config/address.ts';
import { formatVia, type Via } from '../config/via.ts';
import { askByConnect } from './connect-method.ts';
import { Conversation } from './conversation.ts';
import type { DialOptions } from './open.ts';
import { askBySocks } from './socks.ts';

/** The proxy was reached, and gives no connection. */
class ViaFailed extends Error {
  readonly code = 'ERR_VIA';

  constructor(via: Via, to: string, why: string) {
    super(`${formatVia(via)} gives no connection to ${to}: ${why}`);
    this.name = 'ViaFailed';
  }
}

type Open = (options: DialOptions) => Promise<Socket>;

/** Neither a line of a head nor a field of SOCKS can be broken by it. */
const isHost = (text: string): boolean => /^[\w.:-]{1,253}$/.test(text);

/** `open`: a connection to the proxy. */
export function through(via: Via, open: Open): (to: Address, options: DialOptions) => Promise<Socket> {
  const ask = via.scheme === 'http' ? askByConnect : askBySocks;
  return async (to, { signal, onread, cameBy }) => {
    if (!isHost(to.host)) throw new ViaFailed(via, 'such a name', 'it is none');
    const talk = new Conversation(onread);
    const socket = await open({ signal, onread: talk.onread });
    const giveUp = (): void => void socket.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      talk.begin(socket);
      await ask(talk, to, via.login, cameBy);
      talk.end();
      signal.throwIfAborted();
      return socket;
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      throw new ViaFailed(via, to.host, (error as Error).message);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  };
}
