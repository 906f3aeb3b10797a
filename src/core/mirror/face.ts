// What every face does alike with a request, around what the mirror does with the pull in it.
import { RegistryError } from '../oci/errors.ts';
import { readOnly } from '../oci/pull.ts';
import { errorReply } from './replies.ts';
import type { Reply } from './reply.ts';

/** Throws a RegistryError (405, 400) before anything else of a request is looked at. */
export function checkAsking(method: string, hasBody: boolean): void {
  if (method !== 'GET' && method !== 'HEAD') throw readOnly();
  if (hasBody) throw badRequest('a request to pull has no body');
}

export function badRequest(message: string): RegistryError {
  return new RegistryError('UNSUPPORTED', message, { status: 400 });
}

/** `warning`: for this client, whatever it asked for. Beside another one it is a field of its own, because podman takes no list apart. */
export function ofRegistry(reply: Reply, warning?: string): Reply {
  const { headers } = reply;
  return {
    ...reply,
    headers: {
      ...headers,
      ...(warning !== undefined && { warning: [headers['warning'] ?? [], warning].flat() }),
      // Docker's clients of old take a registry for one by this.
      'docker-distribution-api-version': 'registry/2.0',
    },
  };
}

/** What is told of a mistake of ours. */
export function unknownError(): Reply {
  return errorReply(new RegistryError('UNKNOWN', 'something went wrong here; the log has more'), false);
}
