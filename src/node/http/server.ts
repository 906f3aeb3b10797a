// The HTTP face on Node: pulls and pages are answered, everything else is refused in the words of the registry API.
import { readOnly } from '../../core/oci/pull.ts';
import { BufferPool } from '../buffer-pool.ts';
import { answer, type AnswerParts } from './answer.ts';
import { createListener, type Face } from './listener.ts';
import { malformed, refuse } from './refuse.ts';
import type { Shown } from './tls.ts';

export interface ServerParts extends Omit<AnswerParts, 'buffers'> {
  /** Undefined: plain HTTP. */
  readonly tls?: Shown | undefined;
}

export function createServer(parts: ServerParts): Face {
  const answering: AnswerParts = { ...parts, buffers: new BufferPool() };
  return createListener(
    {
      answer: (request, response) => answer(answering, request, response),
      connect: (_, socket) => refuse(socket, readOnly()),
      malformed: (socket, code) => refuse(socket, malformed(code)),
    },
    parts.clock,
    { shown: parts.tls },
  );
}
