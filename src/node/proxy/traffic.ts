// What went through the proxy for one client, and how it ended; and what answers a client in a host's place.
import type { Socket } from 'node:net';
import type { Caller } from '../../core/access/caller.ts';
import type { MirrorEvent } from '../../core/mirror/events.ts';

type Passage = Extract<MirrorEvent, { kind: 'passed' }>;

export type Ending = Passage['ended'];

/** `sent`: bytes from the client; `received`: bytes to it. `error`: what broke it off. */
export type Traffic = Pick<Passage, 'sent' | 'received' | 'ended' | 'error'>;

/**
 * Ends TLS on `socket` and answers what is asked there as `registry`. The client's first message was read, names `host`, and is
 * in `head`. Resolves when the connection is closed; never rejects.
 */
export type Intercept = (
  socket: Socket,
  hello: { readonly head: Buffer; readonly host: string },
  registry: string,
  client: Caller,
) => Promise<Traffic>;
