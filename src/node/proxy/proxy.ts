// The forward proxy: what comes to its port is looked at, and tunnelled, intercepted, forwarded or refused.
import { createListener, type Face } from '../http/listener.ts';
import { type PassageParts, Passages } from './passages.ts';

export interface Proxy extends Face {
  /** Tunnels that are open. */
  readonly open: () => number;
}

export function createProxy(parts: PassageParts): Proxy {
  const passages = new Passages(parts);
  const face = createListener(passages, parts.clock);
  return {
    server: face.server,
    open: () => passages.open,
    async close(within) {
      passages.hasten();
      const over = new AbortController();
      // Before the listener does it: then it is known why they end.
      const late = parts.clock.sleep(within, over.signal).then(
        () => passages.stop(),
        () => {},
      );
      await face.close(within);
      await passages.over();
      over.abort();
      await late;
    },
  };
}
