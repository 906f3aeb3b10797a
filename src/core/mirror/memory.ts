// What a mirror remembers from one pull to the next, beside store and book: values only, never anything under way, so that
// mirrors may share it even where a runtime keeps their requests apart (workerd).
import type { Descriptor } from '../oci/descriptor.ts';
import type { RegistryError } from '../oci/errors.ts';
import { HotManifests } from './hot.ts';
import type { Clock } from './ports.ts';
import { Recent } from './recent.ts';

/** He may have it. */
export interface Decision {
  /** Bytes, as far as is known. */
  size: number | undefined;
  /** Of a manifest. */
  readonly descriptor?: Descriptor;
}

export class Memory {
  /** Manifests that the upstream does not have. */
  readonly missing: Recent<true>;
  /** Why an upstream is left alone. */
  readonly resting: Recent<RegistryError>;
  readonly refused: Recent<RegistryError>;
  /** Why a login, or an account of ours, is not asked with: by repository, and by a hash of the login. */
  readonly limited: Recent<RegistryError>;
  readonly reached: Recent<true>;
  /** Verdicts that were written down a moment ago. */
  readonly judged: Recent<true>;
  /** Whether images are all here. */
  readonly whole: Recent<boolean>;
  /** Repositories without the referrers endpoint. Not registries: one that knows no repository of some name answers alike. */
  readonly lacking: Recent<true>;
  /** Blobs that were laid by a moment ago, or were to be. */
  readonly laidBy: Recent<true>;
  /** Repositories that our credentials opened, and that nobody gets into without a login. */
  readonly closed: Recent<true>;
  /** What an upstream has said to somebody, by a keyed hash of his login and the repository, and the digest. */
  readonly decided: Recent<Decision>;
  readonly manifests: HotManifests;

  /** `manifests`: those that an earlier one remembered. */
  constructor(clock: Clock, manifests = new HotManifests()) {
    this.manifests = manifests;
    this.missing = new Recent(clock);
    this.resting = new Recent(clock);
    this.refused = new Recent(clock);
    this.limited = new Recent(clock);
    this.reached = new Recent(clock);
    this.judged = new Recent(clock);
    this.whole = new Recent(clock);
    this.lacking = new Recent(clock);
    this.laidBy = new Recent(clock);
    this.closed = new Recent(clock);
    this.decided = new Recent(clock);
  }
}
