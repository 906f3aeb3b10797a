// What is asked of a registry, and what it takes to ask.
import type { Asker } from '../access/caller.ts';
import type { Clock } from '../mirror/ports.ts';
import type { Digest } from '../oci/digest.ts';
import type { Repository } from '../oci/reference.ts';
import type { Budgets } from './budget.ts';
import type { Errand, What } from './compose.ts';
import type { Fetch } from './fetch.ts';
import type { Health } from './health.ts';
import type { Registries } from './registries.ts';
import type { Patience } from './stalls.ts';

export interface Question {
  readonly repository: Repository;
  readonly what: What;
  readonly method: 'GET' | 'HEAD';
  /** What stands after `/v2/<name>/`: made of validated parts only. */
  readonly path: string;
  /** A client's, without the question mark. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are answers; every other is thrown. */
  readonly answers: readonly number[];
  readonly as: Asker;
  readonly signal: AbortSignal;
  /** The answer can be verified by a digest, and that the caller may have it has been settled: third parties will do. */
  readonly verifiable: boolean;
  /** What is asked for is named by it. */
  readonly digest?: Digest;
  /** With each who is asked, until there is a head; not given: the transport's own limit is all. */
  readonly patience?: ((breakOff: () => void) => Patience) | undefined;
  /** Who was asked the last time, of endpoints and mirrors, and has brought a part of it. */
  readonly current?: string | undefined;
}

export interface AskingParts {
  readonly registries: Registries;
  readonly exchange: (errand: Errand) => Fetch;
  readonly clock: Clock;
  readonly health: Health;
  readonly budgets: Budgets;
  readonly userAgent: string;
}
