// The state of the mirror as one value, for /_sampan/status.json: what is served, what is held, what was saved since the start.
import type { MirrorEvent, Outcome, Report } from '../core/mirror/events.ts';
import { hideSecrets } from '../core/oci/redact.ts';
import type { Tls } from '../core/oci/tls-version.ts';
import { type ShownBudget, type ToldBudget, toldBudget } from './budgets.ts';
import type { Usage } from './store/store.ts';

export interface StatusParts {
  readonly version: string;
  readonly listen: () => string;
  readonly registries: () => readonly { readonly name: string; readonly endpoints: readonly string[] }[];
  readonly usage: () => Usage;
  /** Downloads under way. */
  readonly fills: () => number;
  /** Of the forward proxy, open just now. */
  readonly tunnels: () => number;
  /** What registries allow us, as far as they have told. */
  readonly budgets: () => readonly ShownBudget[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Status {
  readonly version: string;
  /** Whole seconds. */
  readonly uptime: number;
  readonly listen: string;
  readonly registries: readonly { readonly name: string; readonly endpoints: readonly string[] }[];
  readonly budgets: readonly ToldBudget[];
  readonly storage: Usage;
  /** Downloads of blobs into the store that are under way. */
  readonly fills: number;
  readonly pulls: {
    readonly total: number;
    /** Answered with 5xx, or cut off by us. */
    readonly failed: number;
    readonly byOutcome: Readonly<Record<Outcome, number>>;
    readonly byTls: Readonly<Record<Tls, number>>;
  };
  readonly bytes: { readonly served: number; readonly received: number; readonly saved: number };
  /** Layers fetched before anybody asked for them, and how many of them a client then asked for. */
  readonly ahead: { readonly fetched: number; readonly used: number };
  /** What goes and went through the forward proxy, and what it refused. */
  readonly proxy: Proxied & { readonly open: number };
  readonly troubles: number;
  /** What does not work as it should just now; pulls go on without it. */
  readonly inTrouble: readonly ('store' | 'book')[];
}

interface Proxied {
  readonly passed: number;
  readonly refused: number;
  readonly sent: number;
  readonly received: number;
}

export interface StatusBoard {
  readonly report: Report;
  readonly status: () => Status;
}

/** Counts from the moment it is made. */
export function createStatus(parts: StatusParts): StatusBoard {
  const { version, listen, registries, usage, fills, tunnels, budgets, now } = parts;
  const started = now();
  const totals = new Totals();
  return {
    report: (event) => totals.add(event),
    status: () => {
      const { proxy, ...rest } = totals.value();
      return {
        version,
        uptime: Math.max(0, Math.floor((now() - started) / 1000)),
        listen: listen(),
        registries: registries().map(({ name, endpoints }) => ({
          name,
          endpoints: endpoints.map((url) => hideSecrets(new URL(url).origin)),
        })),
        budgets: budgets().map(toldBudget),
        storage: usage(),
        fills: fills(),
        proxy: { open: tunnels(), ...proxy },
        ...rest,
      };
    },
  };
}

class Totals {
  readonly #byOutcome: Record<Outcome, number> = {
    hit: 0,
    stale: 0,
    miss: 0,
    collapsed: 0,
    forward: 0,
    'too-large': 0,
    pass: 0,
    'private-hit': 0,
    none: 0,
  };
  readonly #byTls: Record<Tls, number> = {
    TLSv1: 0,
    'TLSv1.1': 0,
    'TLSv1.2': 0,
    'TLSv1.3': 0,
    none: 0,
    unknown: 0,
  };
  #pulls = 0;
  #failed = 0;
  #served = 0;
  #received = 0;
  #ahead = 0;
  #foreseen = 0;
  #proxy: Proxied = { passed: 0, refused: 0, sent: 0, received: 0 };
  #troubles = 0;
  readonly #inTrouble = new Set<'store' | 'book'>();

  add(event: MirrorEvent): void {
    if (event.kind === 'served' && event.what !== 'page') {
      this.#pulls += 1;
      this.#byOutcome[event.outcome] += 1;
      this.#byTls[event.tls] += 1;
      this.#served += event.bytes;
      if (event.status >= 500 || event.error !== undefined) this.#failed += 1;
    }
    if (event.kind === 'received') this.#received += event.bytes;
    if (event.kind === 'fill' && event.ahead) this.#ahead += 1;
    if (event.kind === 'foreseen') this.#foreseen += 1;
    if (event.kind === 'passed' || event.kind === 'refused') this.#proxy = withOne(this.#proxy, event);
    if (event.kind === 'bug') this.#troubles += 1;
    if (event.kind === 'trouble') {
      this.#troubles += event.times ?? 1;
      this.#inTrouble.add(event.where);
    }
    if (event.kind === 'recovered') this.#inTrouble.delete(event.where);
  }

  value(): Pick<Status, 'pulls' | 'bytes' | 'ahead' | 'troubles' | 'inTrouble'> & { readonly proxy: Proxied } {
    const [served, received] = [this.#served, this.#received];
    return {
      pulls: { total: this.#pulls, failed: this.#failed, byOutcome: { ...this.#byOutcome }, byTls: { ...this.#byTls } },
      // What was brought in and has not been asked for a second time is no saving yet.
      bytes: { served, received, saved: Math.max(0, served - received) },
      ahead: { fetched: this.#ahead, used: this.#foreseen },
      proxy: this.#proxy,
      troubles: this.#troubles,
      inTrouble: [...this.#inTrouble],
    };
  }
}

function withOne(sum: Proxied, event: Extract<MirrorEvent, { kind: 'passed' | 'refused' }>): Proxied {
  if (event.kind === 'refused') return { ...sum, refused: sum.refused + 1 };
  const { passed, sent, received } = sum;
  return { ...sum, passed: passed + 1, sent: sent + event.sent, received: received + event.received };
}
