// What a face reads from a request.
import type { PullRequest } from '../oci/pull.ts';
import type { Arrival } from './arrival.ts';

export interface Visit extends Omit<PullRequest, 'target' | 'host'> {
  readonly arrival: Arrival;
  /** The client's IP address. */
  readonly address: string;
  /** The Authorization header as it came. */
  readonly authorization: string | undefined;
  /** The body of a POST to `/token`. */
  readonly form?: string | undefined;
}
