// The HTTP face on Node: pulls and pages are answered, everything else is refused in the words of the registry API.
import { readOnly } from '../../core/oci/pull.ts';
import { BufferPool } from '../buffer-pool.ts';
import { answer, type AnswerParts } from './answer.ts';
import { createListener, type Face } from './listener.ts';
import { malformed, refuse } from './refuse.ts';
import { Rota } from './rota.ts';
import { Round } from './round.ts';
import type { Sendfile } from './sendfile.ts';
import type { Shown } from './tls.ts';

export interface ServerParts extends Omit<AnswerParts, 'ways' | 'round'> {
  /** Undefined: plain HTTP. */
  readonly tls?: Shown | undefined;
  /** To TLS the bytes have to come through here, and it is of use for reading them. */
  readonly sendfile?: Sendfile | undefined;
}

export function createServer(parts: ServerParts): Face {
  const { sendfile, tls } = parts;
  const pouring = sendfile && tls === undefined ? { sendfile, rota: new Rota() } : undefined;
  // Node goes on behind a write to TLS in the next round of the event loop; who pours waits for his turn instead.
  const readCached = tls && sendfile?.readCached;
  const ways = { buffers: new BufferPool(), pouring, readCached };
  const answering: AnswerParts = { ...parts, ways, round: new Round() };
  return createListener(
    {
      answer: (request, response, isUrged) => answer(answering, request, response, isUrged),
      connect: (_, socket) => refuse(socket, readOnly()),
      malformed: (socket, code) => refuse(socket, malformed(code)),
    },
    parts.clock,
    { shown: tls },
  );
}
