// A pull in the words of a request, for whoever looks for what went wrong with it.
import { type Pull, repositoryOf } from './pull.ts';
import { repositoryKey } from './reference.ts';

export interface Asked {
  readonly method: string;
  /** A path, without the query. */
  readonly url: string;
}

/** The path leads to it on every face, whatever the client wrote. */
export function askedIn(pull: Pull): Asked {
  const repository = repositoryOf(pull);
  const path = repository === undefined ? '' : `${repositoryKey(repository)}/${endOf(pull)}`;
  return { method: 'head' in pull && pull.head ? 'HEAD' : 'GET', url: `/v2/${path}` };
}

function endOf(pull: Pull): string {
  switch (pull.kind) {
    case 'ping':
      return '';
    case 'manifest':
      return `manifests/${pull.reference.target}`;
    case 'blob':
      return `blobs/${pull.digest}`;
    case 'tags':
      return 'tags/list';
    case 'referrers':
      return `referrers/${pull.digest}`;
  }
}
