// Pulls of manifests in somebody's name: his upstream says which one it is each time, and its bytes are those that are held.
import { isNotModified } from '../oci/conditional.ts';
import type { Asker } from '../access/caller.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Manifest, readManifest } from '../oci/manifest.ts';
import type { ManifestPull } from '../oci/pull.ts';
import type { Repository } from '../oci/reference.ts';
import { unknownManifest } from '../oci/unknown.ts';
import { Flights } from './flights.ts';
import type { KeptManifests } from './kept.ts';
import type { PrivateInquiries, PrivateInquiry } from './private.ts';
import { manifestReply, notModified } from './replies.ts';
import type { Reply } from './reply.ts';

interface Brought extends Manifest {
  readonly isHeld?: boolean;
}

export class PrivateManifests {
  readonly #kept: KeptManifests;
  readonly #privately: PrivateInquiries;
  readonly #bringing = new Flights<Brought>();

  constructor(kept: KeptManifests, privately: PrivateInquiries) {
    this.#kept = kept;
    this.#privately = privately;
  }

  async pull({ reference, head, conditions }: ManifestPull, as: Asker, signal: AbortSignal): Promise<Reply> {
    const { repository } = reference;
    const inquiry = await this.#privately.of(as, repository);
    const found = await inquiry.look(reference);
    signal.throwIfAborted();
    if (found === undefined) throw unknownManifest(reference);
    const { descriptor, manifest } = found;
    if (isNotModified(conditions, descriptor.digest)) return notModified(descriptor.digest, 'forward');
    if (head) return manifestReply(descriptor, undefined, 'forward');
    if (manifest !== undefined) await this.#kept.keep(manifest, repository.registry);
    const brought: Brought = manifest ?? (await this.#bring(inquiry, repository, descriptor));
    return manifestReply(brought.descriptor, brought.bytes, brought.isHeld === true ? 'hit' : 'miss');
  }

  /** From here, or from upstream: once, however many ask with the same login. */
  #bring(inquiry: PrivateInquiry, repository: Repository, descriptor: Descriptor): Promise<Brought> {
    const { digest } = descriptor;
    return this.#bringing.share(`${inquiry.party()} ${digest}`, async () => {
      const bytes = await this.#kept.read(repository, digest);
      if (bytes !== undefined) {
        // What is a manifest under one media type need be none under another.
        readManifest(bytes, descriptor.mediaType);
        return { descriptor: { ...descriptor, size: bytes.length }, bytes, isHeld: true };
      }
      const reference = { repository, target: digest };
      const manifest = await inquiry.manifest(reference);
      if (manifest === undefined) throw unknownManifest(reference);
      await this.#kept.keep(manifest, repository.registry);
      return manifest;
    });
  }
}
