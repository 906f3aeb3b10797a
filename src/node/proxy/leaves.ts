// Leaf certificates for intercepted hosts: minted when first asked for, kept in memory, made anew in good time.
import { createSecureContext, type SecureContext } from 'node:tls';
import { Bounded } from '../../core/oci/bounded.ts';
import type { Authority } from './authority.ts';
import { day, type Issuer, issueLeaf, issuerOf, makeKey } from './certificates.ts';

/** Milliseconds. Backdated, because clients' clocks are not ours. */
const [lives, backdated] = [30 * day, 3_600_000];
/** A wildcard stands for as many hosts as clients can think of. */
const most = 1000;

interface Leaf {
  readonly context: SecureContext;
  readonly from: number;
  readonly renewAt: number;
}

export class Leaves {
  readonly #issuer: Issuer;
  /** Milliseconds since 1970. */
  readonly #until: number;
  readonly #now: () => number;
  /** One for all: each host's leaf is as good as the process that holds it. */
  readonly #key = makeKey();
  readonly #leaves = new Bounded<Leaf>(most);

  constructor(authority: Authority, now: () => number) {
    this.#issuer = issuerOf(authority);
    this.#until = authority.until;
    this.#now = now;
  }

  contextFor(host: string): SecureContext {
    const now = this.#now();
    const held = this.#leaves.get(host);
    if (held !== undefined && held.from <= now && now < held.renewAt) return held.context;
    const leaf = this.#mint(host, now);
    this.#leaves.set(host, leaf);
    return leaf.context;
  }

  #mint(host: string, now: number): Leaf {
    const until = Math.min(now + lives, this.#until);
    const from = now - backdated;
    const cert = issueLeaf(this.#issuer, { host, key: this.#key, from, until });
    const context = createSecureContext({ key: this.#key, cert, minVersion: 'TLSv1.2' });
    return { context, from, renewAt: now + ((until - now) * 2) / 3 };
  }
}
