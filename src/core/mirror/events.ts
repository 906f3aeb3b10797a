// What happens, told as values. Log, metrics and status listen; whoever reports calls none of them.
import type { Asked } from '../oci/asked.ts';
import type { Digest } from '../oci/digest.ts';
import type { Repository } from '../oci/reference.ts';
import type { Tls } from '../oci/tls-version.ts';

/**
 * How a reply came about, for Cache-Status, log and metrics. miss: fetched and stored; collapsed: joined a fetch under way;
 * forward: asked upstream, nothing to store; too-large: past the store; pass: for this client alone, and fetched for it;
 * private-hit: for this client alone, from the store, after the upstream said that it may have it.
 */
export type Outcome =
  | 'hit'
  | 'stale'
  | 'miss'
  | 'collapsed'
  | 'forward'
  | 'too-large'
  | 'pass'
  | 'private-hit'
  | 'none';

export type MirrorEvent =
  /** A reply is over, whole or not. `path` has no query. `bytes`: of the body, as far as they were sent. */
  | {
      readonly kind: 'served';
      readonly method: string;
      readonly path: string;
      /** `page`: one of our own, which is no pull. */
      readonly what: 'ping' | 'manifest' | 'blob' | 'tags' | 'referrers' | 'token' | 'page' | 'other';
      readonly registry: string | undefined;
      readonly status: number;
      readonly outcome: Outcome;
      readonly bytes: number;
      /** Those of them that the kernel moved from the disk to the client by itself. */
      readonly poured: number;
      readonly ms: number;
      readonly address: string;
      readonly tls: Tls;
      /** False if it came to no end: the client left, or, if there is an `error`, we broke it off. */
      readonly whole: boolean;
      /** Why the connection was destroyed when the head was already out. */
      readonly error?: unknown;
    }
  /** One exchange with an upstream, up to the head of its answer. `status` is undefined if there was none. */
  | {
      readonly kind: 'asked';
      readonly registry: string;
      readonly host: string;
      readonly what: 'ping' | 'manifest' | 'blob' | 'tags' | 'referrers' | 'token' | 'other';
      /** GET, HEAD or POST of our own, anything of a client whose request is passed on. */
      readonly method: string;
      readonly status: number | undefined;
      readonly ms: number;
      readonly error?: unknown;
    }
  /** A download of a blob has begun, is in the store, or has failed. `ahead`: before anybody asked for it. */
  | { readonly kind: 'fill'; readonly repository: Repository; readonly digest: Digest; readonly ahead: boolean }
  | {
      readonly kind: 'stored';
      readonly digest: Digest;
      readonly size: number;
      /** Bytes of it that an earlier download had left, so that they were not fetched again. */
      readonly kept: number;
      readonly ms: number;
    }
  | { readonly kind: 'fill-failed'; readonly digest: Digest; readonly error: unknown }
  /** A client asks, for the first time, for a blob that was fetched ahead. */
  | { readonly kind: 'foreseen'; readonly repository: Repository; readonly digest: Digest }
  /** Bytes that came from an upstream, for the counter. */
  | { readonly kind: 'received'; readonly registry: string; readonly bytes: number }
  /**
   * An upstream's body of a blob came to no good end, so the rest is asked for. short: it broke off; stall: next to nothing came;
   * wrong: more came than was told.
   */
  | { readonly kind: 'broke'; readonly registry: string; readonly why: 'short' | 'stall' | 'wrong' }
  /** An endpoint of the registry has sent us to https at this host. */
  | { readonly kind: 'redirected'; readonly registry: string; readonly host: string }
  /** What somebody did through the forward proxy is over. `registry`: whose host it is; undefined if the owner allows it beside them. */
  | {
      readonly kind: 'passed';
      readonly how: 'tunnel' | 'intercept' | 'forward';
      readonly address: string;
      readonly host: string;
      readonly registry: string | undefined;
      /** Bytes from the client. */
      readonly sent: number;
      /** Bytes to the client. */
      readonly received: number;
      readonly ms: number;
      /**
       * done: both sides came to their end. client, upstream: that one broke off. idle, longest: a limit. stopped: by us.
       * not-tls, other-name, hidden, no-hello: what the client said first was not, or not surely, for that host, and nothing went there.
       */
      readonly ended:
        | 'done'
        | 'client'
        | 'upstream'
        | 'idle'
        | 'longest'
        | 'stopped'
        | 'not-tls'
        | 'other-name'
        | 'hidden'
        | 'no-hello';
      readonly error?: unknown;
    }
  /** The forward proxy did not do what somebody asked of it. */
  | {
      readonly kind: 'refused';
      readonly address: string;
      /** As it was written, shortened: anything at all may be in it. */
      readonly target: string;
      readonly status: number;
      readonly why: string;
      /** The line of configuration that would allow it. */
      readonly remedy?: string;
      readonly error?: unknown;
    }
  /** Registries' hosts that should be intercepted and are tunnelled. `remedy`: what to do about it. */
  | {
      readonly kind: 'not-intercepted';
      readonly hosts: readonly string[];
      readonly why: string;
      readonly remedy: string;
      readonly error?: unknown;
    }
  /** A client was kept waiting because it has reached a limit of ours; or `refused`, because that would have taken too long. */
  | { readonly kind: 'limited'; readonly by: 'requests' | 'bytes' | 'pulls'; readonly refused: boolean }
  | { readonly kind: 'evicted'; readonly digest: Digest; readonly size: number }
  /** A blob at rest is not what it is called. Nobody gets it any more; it is fetched again when somebody asks for it. */
  | {
      readonly kind: 'bad-blob';
      readonly digest: Digest;
      /** Bytes of what was found. */
      readonly size: number;
      /** What was being done with it when that came out. */
      readonly found: 'opening' | 'reading' | 'sending' | 'checking' | 'scrubbing' | 'counting';
    }
  /**
   * An endpoint of a registry, or a mirror, is asked last for so long: it does not answer, or it sent what the digest says is wrong.
   * Without `ms`: last for that digest. It may have been another who brought a part of it, or it is all that is held against this one.
   */
  | {
      readonly kind: 'aside';
      readonly endpoint: string;
      readonly digest: Digest | undefined;
      readonly ms: number | undefined;
    }
  /** The upstream cannot answer, and what is held is served in its place. */
  | { readonly kind: 'stale'; readonly repository: Repository; readonly name: string; readonly error: unknown }
  /** The cache does not work as it should; pulls go on without it. */
  | {
      readonly kind: 'trouble';
      readonly where: 'store' | 'book';
      /** `writing a blob` */
      readonly doing: string;
      readonly error: unknown;
      /** How often, since it was last told of; once, if that is not said. */
      readonly times?: number;
      /** The same fault of the disk was told of already. */
      readonly known?: boolean;
    }
  /** What was in trouble works again. */
  | { readonly kind: 'recovered'; readonly where: 'store' | 'book' }
  /**
   * The configuration was read anew. `changed`: the keys that are other than before, and count from now on; `later`: those that
   * count from the next start on.
   */
  | { readonly kind: 'reloaded'; readonly changed: readonly string[]; readonly later: readonly string[] }
  /** It is wrong, so what was before stays. */
  | { readonly kind: 'not-reloaded'; readonly error: unknown }
  /** Something nobody thought of: a 500 that says little was sent, and this says all. `asked`: for what, if anybody asked. */
  | { readonly kind: 'bug'; readonly error: unknown; readonly asked?: Asked };

export type Report = (event: MirrorEvent) => void;
