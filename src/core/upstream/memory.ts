// What is remembered of upstreams from one question to the next: values only, never anything under way, so that requests may
// share it even where a runtime keeps them apart (workerd).
import type { Digest } from '../oci/digest.ts';
import { Bounded } from '../oci/bounded.ts';
import type { Budget } from './budget.ts';
import type { Aside } from './health.ts';
import type { Issuer, KeptToken } from './tokens.ts';

/** Letters, of the tokens and what they are for: a token may have 64 KiB, and a Worker has 128 MB for everything. */
const mostOfTokens = 4 * 1024 * 1024;
// Clients choose hosts below a wildcard, so even endpoints are not a closed list.
const mostEndpoints = 256;
const mostDigests = 256;
const mostRepositories = 1024;

export class UpstreamMemory {
  readonly tokens = new Bounded<KeptToken>(mostOfTokens, (key, { token }) => key.length + token.length);
  /** What each endpoint's challenge said: later repositories go straight to the token. */
  readonly issuers = new Bounded<Issuer>(mostEndpoints);
  /** Endpoints that have answered to whoever showed no login. */
  readonly loginless = new Bounded<true>(mostEndpoints);
  readonly aside = new Bounded<Aside>(mostEndpoints);
  readonly suspects = new Bounded<readonly string[]>(mostDigests);
  readonly lies = new Bounded<Digest>(mostEndpoints);
  readonly budgets = new Bounded<Budget>(mostEndpoints);
  readonly uncounted = new Bounded<true>(mostRepositories);
  readonly refused = new Bounded<number>(mostEndpoints);
}
